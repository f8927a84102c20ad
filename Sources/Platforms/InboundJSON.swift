import AdminShell
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Where an integration's platform sends events to, for scripts.
extension Platforms {
    func inboundJSON(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        try inboundAnswer(find(id, call.scope()), webhookSecret: nil, call)
    }

    /// The only answer that holds a secret that was made.
    func postRotation(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        var input = try call.json()
        guard let rotation = Rotation(&input) else { throw input.refusal }
        let made = try rotate(id, rotation, by: call.scope()) {
            try call.request.requireMatch(entityTag(version: $0.version))
        }
        return try inboundAnswer(made.record, webhookSecret: made.webhookSecret, call).neverStored()
    }

    private func inboundAnswer(
        _ record: IntegrationRecord, webhookSecret: Secret<String>?, _ call: Call
    ) throws -> Response {
        let now = world.now()
        func living(_ end: Timestamp?) -> JSON {
            let future = end.flatMap { $0 > now ? $0 : nil }
            return JSON(future)
        }
        // Whoever knows the address can fill the log with refused requests: it is for those who could change it.
        let maySee = call.organization?.allows(.write(.connections)) ?? false
        let signs = registry[record.platform]?.kind.signingMember != nil
        let hasSigningSecret = try signs ? knowsPlatform(record) : false
        return Response.json([
            "inbound": [
                "url": maySee ? .string(inboundURL(record, call)) : .null,
                "previous_url_ends_at": living(record.previousAddressEndsAt),
                "webhook_secret": .string(webhookSecret?.reveal { $0 } ?? "***"),
                "previous_webhook_secret_ends_at": living(record.previousWebhookSecret?.endsAt),
                "signing_secret": hasSigningSecret == false ? .null : "***",
                "previous_signing_secret_ends_at": living(record.previousSigningSecret?.endsAt),
            ]
        ]).tagged(entityTag(version: record.version))
    }

    /// The address that the platform is given.
    func inboundURL(_ record: IntegrationRecord, _ call: Call) -> String {
        "\(call.shell.site.origin)\(call.shell.site.mount)/inbound/\(record.address)"
    }
}
