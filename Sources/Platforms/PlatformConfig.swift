import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit

/// What an integration is configured with: tokens, ids of servers, and whatever else somebody keeps there.
///
/// Members that the hub uses are texts of a bounded length without control characters; all others are kept as they are.
struct PlatformConfig: Sendable {
    /// The members, in the order in which they were given.
    let members: [JSON.Member]

    /// How large a configuration may be, written as JSON.
    static let mostBytes = 16_384
    /// How many members it may have.
    static let mostMembers = 50

    /// What the hub reads of it. Others may stand beside these.
    static let known: Set<String> = [
        "bot_token", "access_token", "connection_id", "signing_secret", "public_key", "secret_token", "application_id",
        "client_id", "app_id", "guild_id", "server_id", "team_id", "tenant_id",
    ]

    init(_ members: [JSON.Member]) { self.members = members }

    /// Reads what was sealed; nil when that is no object.
    init?(bytes: [UInt8]) {
        guard let members = (try? JSON(parsing: bytes))?.members else { return nil }
        self.members = members
    }

    var bytes: [UInt8] { JSON.object(members).bytes }

    /// A text member; nil when it is missing or empty.
    subscript(name: String) -> String? {
        members.first { $0.name == name }?.value.text.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The connection whose credentials are used, where one is named.
    var connection: Identifier<Connection>? { self["connection_id"].flatMap { Identifier($0) } }

    /// The same with another text as a member.
    func with(_ name: String, _ text: String) -> PlatformConfig {
        let member = JSON.Member(name, .string(text))
        guard let place = members.firstIndex(where: { $0.name == name }) else {
            return PlatformConfig(members + [member])
        }
        var copy = members
        copy[place] = member
        return PlatformConfig(copy)
    }

    /// Reads the member `config` of a body; refusals are noted in the input.
    ///
    /// - Returns: nil when it is not there.
    static func read(_ input: inout Input) -> PlatformConfig? {
        guard let members = input.members("config") else { return nil }
        return read(members, &input) { "config.\($0)" }
    }

    /// Judges members that were given.
    ///
    /// - Parameter field: the field that a member is named by in a refusal.
    static func read(
        _ members: [JSON.Member], _ input: inout Input, field: (String) -> String
    ) -> PlatformConfig? {
        let config = PlatformConfig(members)
        guard members.count <= mostMembers, config.bytes.count <= mostBytes else {
            input.refuse("config", "too_long", "This takes at most \(mostMembers) members and 16 kB.")
            return nil
        }
        for member in members where known.contains(member.name) && member.value != .null {
            guard let text = member.value.text else {
                input.refuse(field(member.name), "wrong_type", "This must be a text.")
                continue
            }
            guard text.utf8.count <= 4_096, text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
                input.refuse(field(member.name), "invalid", "This holds characters that no token and no id has.")
                continue
            }
            if member.name == "connection_id", !text.isEmpty, Identifier<Connection>(text) == nil {
                input.refuse(field(member.name), "invalid", "This is no id of a connection.")
            }
        }
        return config
    }
}

extension Platforms {
    static func place(_ id: Identifier<PlatformIntegration>, _ column: String) -> Vault.Place {
        Vault.Place("platform_integrations", id, column)
    }

    /// Seals a configuration; nil where nothing is configured.
    func seal(
        _ config: PlatformConfig?, of id: Identifier<PlatformIntegration>, _ scope: OrganizationScope,
        in querying: some Querying
    ) throws -> [UInt8]? {
        guard let config, !config.members.isEmpty else { return nil }
        return try vault.seal(
            config.bytes, at: Self.place(id, "config_sealed"), for: scope.organization, in: querying)
    }

    /// The configuration of an integration; nil where nothing is configured.
    ///
    /// - Throws: `VaultError` when it cannot be opened.
    func config(of record: IntegrationRecord, in querying: some Querying) throws -> PlatformConfig? {
        guard let sealed = record.configSealed else { return nil }
        let bytes = try vault.open(
            sealed, at: Self.place(record.id, "config_sealed"), for: record.organization, in: querying)
        guard let config = PlatformConfig(bytes: bytes) else { throw VaultError.damaged }
        return config
    }

    /// What inbound calls of this integration prove themselves by.
    func webhookSecret(of record: IntegrationRecord, in querying: some Querying) throws -> Secret<String> {
        let bytes = try vault.open(
            record.webhookSecretSealed, at: Self.place(record.id, "webhook_secret_sealed"), for: record.organization,
            in: querying)
        return Secret(String(decoding: bytes, as: UTF8.self))
    }
}
