import AdminShell
import HTTPKit
import JSONKit

/// Where an integration's platform sends events to, as the API's description has it.
extension PlatformRoute {
    static let inboundAPI = APIPath(
        "/api/v2/platform-integrations/{id}/inbound", tag, isVersioned: true,
        [
            .get: APIOperation(
                "getPlatformInbound", "Shows where the platform sends its events to, what is secret masked.",
                details:
                    "Enter the address at the platform. Slack, Discord and Telegram are known by what they sign with; Microsoft Graph by the webhook secret, given to a subscription as `clientState`. Any other program sends the webhook secret or the platform key as `Authorization: Bearer`. So does one that listens to Discord’s gateway: Discord sends the messages of a server to nobody by HTTP.",
                answers: .ok(.object(.required("inbound", maskedInbound, "Where events come in."))))
        ])

    static let rotateAPI = APIPath(
        "/api/v2/platform-integrations/{id}/rotate", tag, isVersioned: true,
        [
            .post: APIOperation(
                "rotatePlatformInbound",
                "Gives an integration another address or other secrets; those before count until the grace ends.",
                details:
                    "At least one is to be replaced. A webhook secret is made by the hub and shown in this answer alone; what the platform signs with is made there and given here. In a changed configuration it counts at once, and the one before no more.",
                body: .body(
                    .optional("address", JSONSchema.truth().orNull, "Whether it gets another address."),
                    .optional("webhook_secret", JSONSchema.truth().orNull, "Whether it gets another webhook secret."),
                    .optional(
                        "signing_secret",
                        JSONSchema.text(1...4_096, example: "8f742231b10e8888abcd99baac2bcd1e").orNull,
                        "What the platform signs with from now on: Slack’s signing secret, Discord’s public key, Telegram’s secret token."
                    ),
                    .optional(
                        "grace_seconds",
                        JSONSchema.integer(0...Platforms.longestGrace.components.seconds, example: 86_400).orNull,
                        "For how long those before count, too; a day when left out.")),
                answers: .ok(.object(.required("inbound", renewedInbound, "Where events come in."))))
        ])

    private static func inboundShape(secret: JSONSchema, _ meaning: String) -> JSONSchema {
        .object(
            .required(
                "url", JSONSchema.url(example: "https://hub.example/inbound/8c1f…").orNull,
                "Where the platform sends to; null for those who may not change it."),
            .required("previous_url_ends_at", JSONSchema.time.orNull, "When the address before it ends."),
            .required("webhook_secret", secret, meaning),
            .required(
                "previous_webhook_secret_ends_at", JSONSchema.time.orNull, "When the webhook secret before it ends."),
            .required(
                "signing_secret", JSONSchema.text(example: "***").orNull,
                "What the platform signs with, masked; null for nothing."),
            .required("previous_signing_secret_ends_at", JSONSchema.time.orNull, "When the one before it ends."))
    }

    private static let maskedInbound = inboundShape(secret: .text(example: "***"), "The webhook secret, masked.")
        .named("PlatformInbound")
    private static let renewedInbound = inboundShape(
        secret: .text(example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="),
        "The webhook secret: this once where another was made, masked else.")
}
