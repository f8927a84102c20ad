import DatabaseKit
import Domain
import LogKit
import TimeKit

/// Integrations as sources of what comes in: where their platforms send to, and what these are known by.
extension Platforms {
    /// The source at the address of an integration: what its platform signs with, and what other senders may send.
    ///
    /// - Returns: nil when there is none, or when it is disabled.
    public func inboundSource(_ address: Identifier<InboundAddress>) throws -> InboundSource? {
        let row = try database.row(
            """
            SELECT \(IntegrationRecord.columns), i.api_key_hash
              FROM platform_integrations i
             WHERE (i.address = \(address) OR i.previous_address = \(address) OR i.id = \(address) AND i.address IS NULL)
               AND i.enabled = 1
            """)
        guard let row else { return nil }
        let record = try IntegrationRecord(row)
        return try source(
            of: record, row, endsAt: record.address == address ? nil : record.previousAddressEndsAt)
    }

    /// An integration as a source, for those who ask why something that its platform sent was refused.
    public struct NamedSource: Sendable {
        /// The platform.
        public let name: String
        /// Its present address.
        public let address: Identifier<InboundAddress>
        /// What it is known by.
        public let source: InboundSource
    }

    /// An integration by the id that it has as a source, which is its own.
    ///
    /// - Returns: nil when there is none, or none that whoever asks may see.
    public func inboundSource(
        of id: Identifier<PlatformIntegration>, _ scope: OrganizationScope
    ) throws -> NamedSource? {
        guard scope.allows(.read(.connections)) else { return nil }
        let row = try database.row(
            """
            SELECT \(IntegrationRecord.columns), i.api_key_hash
              FROM platform_integrations i
             WHERE i.id = \(id) AND i.organization_id = \(scope.organization)
            """)
        guard let row else { return nil }
        let record = try IntegrationRecord(row)
        return try source(of: record, row, endsAt: nil).map {
            NamedSource(name: title(of: record), address: record.address, source: $0)
        }
    }

    private func source(of record: IntegrationRecord, _ row: Row, endsAt: Timestamp?) throws -> InboundSource? {
        guard let id = Identifier<InboundSource>(bytes: record.id.bytes) else { return nil }
        var bearers = [InboundSecret(try webhookSecret(of: record, in: database))]
        if let previous = record.previousWebhookSecret {
            bearers.append(try open(previous, "previous_webhook_secret_sealed", of: record))
        }
        return InboundSource(
            InboundOrigin(
                source: id, organization: record.organization, provider: record.platform,
                integration: record.id, workspace: record.workspace),
            secrets: try signingSecrets(of: record, bearers), bearers: bearers,
            keyDigest: try row.get("api_key_hash"), endsAt: endsAt)
    }

    /// What the platform signs with. Graph does not sign: it says what it was told, which is the webhook secret.
    private func signingSecrets(
        of record: IntegrationRecord, _ bearers: [InboundSecret]
    ) throws -> [InboundSecret] {
        guard let kind = registry[record.platform]?.kind else { return [] }
        guard let member = kind.signingMember else { return bearers }
        var secrets: [InboundSecret] = []
        if let present = try config(of: record, in: database)?[member] {
            secrets.append(InboundSecret(Secret(present)))
        }
        if let previous = record.previousSigningSecret {
            secrets.append(try open(previous, "previous_signing_secret_sealed", of: record))
        }
        return secrets
    }

    private func open(
        _ secret: EndingSecret, _ column: String, of record: IntegrationRecord
    ) throws -> InboundSecret {
        let bytes = try vault.open(
            secret.sealed, at: Self.place(record.id, column), for: record.organization, in: database)
        return InboundSecret(Secret(String(decoding: bytes, as: UTF8.self)), until: secret.endsAt)
    }

    /// Whether the platform's own requests can be known; nil where that cannot be told, since nothing can be opened.
    func knowsPlatform(_ record: IntegrationRecord) throws -> Bool? {
        guard let member = registry[record.platform]?.kind.signingMember else { return true }
        do {
            return try config(of: record, in: database)?[member] != nil
        } catch is VaultError {
            return nil
        }
    }
}

extension ChannelPlatform.Kind {
    /// The member of a configuration that the platform signs with; nil where it signs with nothing of its own.
    var signingMember: String? {
        switch self {
        case .slack: "signing_secret"
        case .discord: "public_key"
        case .telegram: "secret_token"
        case .microsoftTeams: nil
        }
    }

    /// The same as its platform calls it.
    var signingWords: String {
        switch self {
        case .slack: "signing secret"
        case .discord: "public key"
        case .telegram: "secret token"
        case .microsoftTeams: "client state"
        }
    }
}
