import AdminShell
import HTTPKit
import JSONKit

/// The contract “Integrations API (MVP)” as the API's description has it.
extension IntegrationsRoute {
    /// What scripts can do at this address.
    public var api: APIPath? {
        switch self {
        case .list: Self.listAPI
        case .connect: Self.connectAPI
        case .integration: Self.integrationAPI
        }
    }

    private static let tag = APITag(
        "Integrations API (MVP)",
        "An older contract, kept to the letter: one connection for each service, the one named `default`. The slash at the end may be left out."
    )
    private static let provider = APIParameter.path(
        "provider", .word(of: IntegrationGuide.all.map(\.provider)), "The service.")
    private static let unsupported = APIProblem(404, "unsupported_provider", "This contract does not know the service.")

    private static let listAPI = APIPath(
        "/api/integrations/", tag,
        [
            .get: APIOperation(
                "listIntegrations", "Lists what the organization has connected.",
                answers: .ok(.list(of: integration)))
        ])

    private static let connectAPI = APIPath(
        "/api/integrations/{provider}/connect/", tag, parameters: [provider],
        [
            .post: APIOperation(
                "connectIntegration", "Stores a token for a service over what was there, and switches it on.",
                body: .body(
                    .required(
                        "token",
                        .text(
                            1...4_096, pattern: #"^\s*[!-~]+\s*$"#,
                            example: "123456:abcdefghijklmnopqrstuvwxyz012345678"), "The token."),
                    .optional(
                        "extra",
                        .map(to: .anything, names: "^[A-Za-z0-9_.-]{1,64}$", atMost: 50, example: ["chat_id": "42"]),
                        "What the service needs besides, and notes of the caller's own; shown in answers, so no secrets."
                    )),
                answers: .ok(connected, "It was connected before."), .status(201, connected, "It is connected now."),
                problems: [unsupported, ConnectionRoute.undecryptable])
        ])

    private static let integrationAPI = APIPath(
        "/api/integrations/{provider}/", tag, parameters: [provider],
        [
            .delete: APIOperation(
                "disconnectIntegration", "Drops the token and keeps everything else.", answers: .ok(done),
                problems: [unsupported, APIProblem(404, "not_configured", "The service is not connected.")])
        ])

    private static let integration = JSONSchema.object(
        .required("provider", .text(example: "telegram"), "The service."),
        .required("is_active", .truth(), "Whether it is switched on and has what it needs."),
        .required("extra", .map(to: .anything, example: ["chat_id": "42"]), "What was sent as `extra`."),
        .required("created_at", .time, "When it was connected first."),
        .required("updated_at", .time, "When it was changed last.")
    ).named("Integration")

    private static let done = JSONSchema.object(
        .required("status", .word(of: ["ok"]), "All is well."), .required("ok", .truth(), "All is well."),
        .required("message", .text(example: "Connected"), "What was done, for people."))
    private static let connected = done.joined(with: .required("integration", integration, "What is connected."))
}

/// The contract “Integrations Hub” as the API's description has it.
extension IntegrationsHubRoute {
    /// What scripts and browsers can do at this address.
    public var api: APIPath? {
        switch self {
        case .connect: Self.connectAPI
        case .callback: Self.callbackAPI
        }
    }

    private static let tag = APITag(
        "Integrations Hub", "An older contract: a sign-in at Shopify, Notion or Google Drive, and Zapier's hook.")

    private static let connectAPI = APIPath(
        "/functions/v1/integrations-connect", tag,
        [
            .post: APIOperation(
                "connectIntegrationsHub", "Begins a sign-in: send the browser to `authUrl`.",
                body: .body(
                    .required("provider", .word(of: Connections.hubProviders), "The service."),
                    .optional("shop", .text(1...200, example: "acme.myshopify.com"), "Shopify's shop."),
                    .optional(
                        "redirectUri", .text(1...500, pattern: #"^[!"$-\[\]-~]+$"#, example: "/integrations"),
                        "Where the browser goes in the end: a page of this site, or one that the settings list.")),
                answers: .ok(
                    .object(
                        .required(
                            "authUrl", .url(example: "https://acme.myshopify.com/admin/oauth/authorize?state=…"),
                            "Where the browser goes."),
                        .required("provider", .word(of: Connections.hubProviders), "The service."))),
                problems: [
                    APIProblem(409, "setup_incomplete", "Fields of the connection are missing."),
                    ConnectionRoute.undecryptable,
                ])
        ])

    private static let callbackAPI = APIPath(
        "/functions/v1/integrations-callback/{provider}", tag,
        parameters: [.path("provider", ProviderSchema.key, "The service.")],
        [
            .get: APIOperation(
                "endIntegrationsHub", "Where a service sends the browser back to.",
                parameters: [
                    .query("code", .text(example: "4/0AX4…"), "The authorization code."),
                    .query("state", .text(example: "Zx3…"), "The state that the sign-in began with."),
                ],
                answers: .redirect(302, "To the page of the site, with `success={provider}` or `error={code}`."))
        ])
}
