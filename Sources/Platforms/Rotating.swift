import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Replacing what an integration is reached and known by, those before staying good for a while.
extension Platforms {
    /// For how long, unless somebody says otherwise, and at most.
    static let usualGrace = Duration.hours(24)
    static let longestGrace = Duration.days(30)

    /// What is to be replaced.
    struct Rotation: Sendable {
        /// Whether it gets another address.
        var address = false
        /// Whether it gets another webhook secret.
        var webhookSecret = false
        /// What the platform signs with from now on.
        var signingSecret: Secret<String>?
        /// For how long those before count, too.
        var grace = Platforms.usualGrace

        /// Reads what is asked, from a form or from JSON alike.
        ///
        /// - Returns: nil when something is refused, or nothing asked.
        init?(_ input: inout Input) {
            address = input.truth("address") ?? false
            webhookSecret = input.truth("webhook_secret") ?? false
            if let given = input.secret("signing_secret") {
                // Pasted secrets come with blanks and line ends that are no part of them.
                let text = given.reveal { text in
                    String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
                }
                if text.isEmpty || !text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) {
                    input.refuse("signing_secret", "invalid", "This holds characters that no secret has.")
                }
                signingSecret = Secret(text)
            }
            if let seconds = input.number("grace_seconds", 0...Platforms.longestGrace.components.seconds) {
                grace = .seconds(seconds)
            }
            guard input.isComplete else { return nil }
            guard address || webhookSecret || signingSecret != nil else {
                input.refuse("address", "required", "Say what to replace: the address or a secret.")
                return nil
            }
        }
    }

    /// Replaces what is asked.
    ///
    /// - Parameter check: refuses when the caller has seen another version.
    /// - Returns: the integration, and the webhook secret where another was made.
    /// - Throws: `Problem` 404; 422 for what a platform signs with where it signs with nothing of its own.
    func rotate(
        _ id: Identifier<PlatformIntegration>, _ rotation: Rotation, by scope: OrganizationScope,
        check: (IntegrationRecord) throws -> Void = { _ in }
    ) throws -> (record: IntegrationRecord, webhookSecret: Secret<String>?) {
        let store = store(scope)
        let secret = rotation.webhookSecret ? newWebhookSecret() : nil
        defer { inboundChanged() }
        let record = try database.transaction { transaction in
            guard let record = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try check(record)
            let renewal = try renewal(of: record, rotation, secret, scope, in: transaction)
            try store.renew(record, renewal, in: transaction)
            guard let changed = try store.find(id, in: transaction) else { throw Problem.notFound }
            try note(
                "rotated", changed,
                [
                    "address": .bool(rotation.address), "webhook_secret": .bool(rotation.webhookSecret),
                    "signing_secret": .bool(rotation.signingSecret != nil),
                    "grace_seconds": .integer(rotation.grace.components.seconds),
                ], by: scope, in: transaction)
            return changed
        }
        return (record, secret)
    }

    private func renewal(
        of record: IntegrationRecord, _ rotation: Rotation, _ secret: Secret<String>?, _ scope: OrganizationScope,
        in transaction: Transaction
    ) throws -> IntegrationStore.Renewal {
        let ends = rotation.grace > .zero ? world.now() + rotation.grace : nil
        var new = IntegrationStore.Renewal()
        if rotation.address {
            new.address = newAddress()
            new.previousAddressEndsAt = ends
        }
        if let secret {
            new.webhookSecretSealed = try seal(secret, of: record.id, "webhook_secret_sealed", scope, in: transaction)
            let old = try ends == nil ? nil : webhookSecret(of: record, in: transaction)
            new.previousWebhookSecret = EndingSecret(
                try old.map { try seal($0, of: record.id, "previous_webhook_secret_sealed", scope, in: transaction) },
                endsAt: ends)
        }
        if let signing = rotation.signingSecret {
            let (config, old) = try replacing(signing, in: record, in: transaction)
            new.configSealed = try seal(config, of: record.id, scope, in: transaction)
            new.previousSigningSecret = EndingSecret(
                try ends == nil
                    ? nil
                    : old.map {
                        try seal(Secret($0), of: record.id, "previous_signing_secret_sealed", scope, in: transaction)
                    }, endsAt: ends)
        }
        return new
    }

    /// The configuration with another text that the platform signs with, and the one that it had.
    private func replacing(
        _ secret: Secret<String>, in record: IntegrationRecord, in transaction: Transaction
    ) throws -> (config: PlatformConfig, old: String?) {
        guard let member = registry[record.platform]?.kind.signingMember else {
            throw Problem.invalid(
                "signing_secret", "not_used",
                "\(title(of: record)) signs with nothing of its own. Replace the webhook secret.")
        }
        let config = try config(of: record, in: transaction) ?? PlatformConfig([])
        let next = secret.reveal { config.with(member, $0) }
        guard next.members.count <= PlatformConfig.mostMembers, next.bytes.count <= PlatformConfig.mostBytes else {
            throw Problem.invalid("signing_secret", "too_long", "With it the configuration becomes too large.")
        }
        return (next, config[member])
    }

    /// Whether a platform signs the same by another configuration.
    func signsAlike(
        _ record: IntegrationRecord, _ other: PlatformConfig?, in transaction: Transaction
    ) throws -> Bool {
        guard let member = registry[record.platform]?.kind.signingMember else { return true }
        do {
            return try config(of: record, in: transaction)?[member] == other?[member]
        } catch is VaultError {
            return false
        }
    }

    // MARK: Making

    /// 256 random bits, as Standard Webhooks writes a secret.
    func newWebhookSecret() -> Secret<String> { Secret("whsec_" + Base64.encode(world.randomBytes(32))) }

    func newAddress() -> Identifier<InboundAddress> {
        guard let address = Identifier<InboundAddress>(bytes: world.randomBytes(16)) else {
            preconditionFailure("sixteen bytes make an address")
        }
        return address
    }

    /// Seals a secret of an integration in its place.
    func seal(
        _ secret: Secret<String>, of id: Identifier<PlatformIntegration>, _ column: String,
        _ scope: OrganizationScope, in querying: some Querying
    ) throws -> [UInt8] {
        try vault.seal(
            secret.reveal { Array($0.utf8) }, at: Self.place(id, column), for: scope.organization, in: querying)
    }
}
