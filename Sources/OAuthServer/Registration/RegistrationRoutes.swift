import AdminShell
import Domain
import HTTPKit
import JSONKit

/// The addresses at which programs register themselves (RFC 7591) and change what they said (RFC 7592).
public enum RegistrationRoute: Route {
    /// Registers a program.
    case register
    /// What one said, for whoever holds its registration token.
    case client(Identifier<OAuthApp>)

    /// Reads a path; nil when it is none of these.
    public init?(_ path: Path) {
        switch path.pattern {
        case "oauth/register": self = .register
        case "oauth/register/:id": self = .client(path.id())
        default: return nil
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .register: "/oauth/register"
        case .client(let id): "/oauth/register/\(id)"
        }
    }

    /// Who may use the route, by method.
    ///
    /// Whoever registers a program has been given a credential that may change apps: that is the initial access token. The
    /// registration token of a program is no credential for anything else, and is checked by the room.
    ///
    /// > the authorization server MAY require an initial access token     RFC 7591 §3
    public var access: MethodAccess {
        switch self {
        case .register: [.post: .right(.write(.oauthApps))]
        case .client: [.get: .open, .put: .open, .delete: .open]
        }
    }

    /// One of each case.
    public static var samples: [RegistrationRoute] { [.register, .client(Identifier(.real))] }

    /// What programs can do at this address.
    public var api: APIPath? {
        switch self {
        case .register: Self.registerAPI
        case .client: Self.clientAPI
        }
    }

    private static let tag = APITag(
        "Dynamic registration", "Programs that register themselves as apps, where the site allows it.")

    private static let registerAPI = APIPath(
        "/oauth/register", tag,
        [
            .post: APIOperation(
                "registerClient", "Registers the program that asks as an app (RFC 7591).",
                details: "Off unless the site turned it on. Members that are not known here are passed over.",
                body: metadata, answers: .created(registered),
                problems: [APIProblem(404, "not_found", "Registration is off.")])
        ])

    private static let clientAPI = APIPath(
        "/oauth/register/{id}", tag,
        [
            .get: APIOperation(
                "getRegisteredClient", "Shows what a program has registered (RFC 7592).", answers: .ok(registered),
                problems: refusals),
            .put: APIOperation(
                "replaceRegisteredClient", "Registers something else in its place (RFC 7592).", body: metadata,
                answers: .ok(registered), problems: refusals),
            .delete: APIOperation(
                "deleteRegisteredClient", "Removes a program that has registered itself (RFC 7592).",
                answers: .nothing("It is gone."), problems: refusals),
        ])

    private static let refusals = [
        APIProblem(401, "invalid_token", "The registration token is not that of this program."),
        APIProblem(404, "not_found", "Registration is off."),
    ]

    private static let uri = JSONSchema.text(10...RedirectURI.longest, format: "uri", example: "https://app.example/cb")

    private static let metadata = JSONSchema.object(
        .optional("redirect_uris", .list(of: uri, atMost: TermsReader.mostURIs), "Where the browser comes back to."),
        .optional("client_name", .words(1...100, example: "Nightly export"), "What it is called."),
        .optional("client_uri", .text(8...500, format: "uri", example: "https://app.example"), "Its website."),
        .optional(
            "policy_uri", .text(8...500, format: "uri", example: "https://app.example/privacy"), "Its privacy policy."),
        .required(
            "scope", .text(1...RegistrationMetadata.longestScope, example: "connections:read"), "What it will ask for."),
        .optional(
            "grant_types", .list(of: .word(of: GrantType.allCases.map(\.rawValue)), atMost: GrantType.allCases.count),
            "How it will ask."),
        .optional(
            "token_endpoint_auth_method", .word(of: RegistrationMetadata.AuthMethod.self),
            "How it proves who it is; `client_secret_basic` when left out."))

    private static let registered = metadata.joined(
        with: .required("client_id", .text(example: "app_00BuqSfyMDaMt1tN6HNcwX"), "The client id."),
        .optional(
            "client_secret", .text(example: "hub_cs_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG1xYz9Q"),
            "The secret, when it was made."),
        .optional("client_secret_expires_at", .integer(example: 0), "0: it does not end by itself."),
        .required("client_id_issued_at", .integer(example: 1_795_000_000), "Since when, in seconds."),
        .optional("registration_access_token", .text(example: "hub_reg_…"), "What opens the address below."),
        .required(
            "registration_client_uri", .url(example: "https://hub.example/oauth/register/…"),
            "Where it can be read, replaced and removed.")
    ).named("RegisteredClient")
}
