import DatabaseKit
import Domain
import JSONKit
import TimeKit

/// A source as the database knows it, its secrets sealed.
struct SourceRecord: Sendable {
    /// How many requests a minute are taken unless somebody says otherwise, and at most.
    static let usualPerMinute = 60_000
    static let mostPerMinute = 1_000_000

    let id: Identifier<InboundSource>
    let organization: Identifier<Organization>
    let provider: String
    let name: String
    let connection: Identifier<Connection>?
    let workspace: Identifier<Workspace>?
    let scheme: SchemeName
    let recipe: Recipe?
    let address: Identifier<InboundAddress>
    let previousAddress: Identifier<InboundAddress>?
    let previousAddressEndsAt: Timestamp?
    let secretSealed: [UInt8]?
    let previousSealed: [UInt8]?
    let previousEndsAt: Timestamp?
    let challengeSealed: [UInt8]?
    /// Whether a token came by itself that nobody has looked at yet (Notion).
    let hasNewToken: Bool
    let bodyLimit: Int
    let perMinute: Int
    let version: Int64
    let createdAt: Timestamp

    /// The columns of a query on `inbound_sources s` that ``init(_:)`` reads.
    static let columns: SQL = """
        s.id, s.organization_id, s.provider, s.name, s.connection_id, s.workspace_id, s.scheme, s.recipe, s.address,
        s.previous_address, s.previous_address_ends_at, s.secret_sealed, s.previous_sealed, s.previous_ends_at,
        s.challenge_sealed, s.has_new_token, s.body_limit, s.per_minute, s.version, s.created_at
        """

    /// Where a secret of it stands.
    static func place(_ id: Identifier<InboundSource>, _ column: String) -> Vault.Place {
        Vault.Place("inbound_sources", id, column)
    }

    /// From where events come that come in here.
    var origin: InboundOrigin {
        InboundOrigin(
            source: id, organization: organization, provider: provider, connection: connection, workspace: workspace)
    }

    /// Whether it refuses everything: there is no secret to know a sender by, and none before it that still counts.
    func isClosed(at now: Timestamp) -> Bool { secretSealed == nil && previousSecretEnds(after: now) == nil }

    /// When the secret before the present one ends; nil when there is none, or when it has ended.
    func previousSecretEnds(after now: Timestamp) -> Timestamp? {
        guard previousSealed != nil, let end = previousEndsAt, end > now else { return nil }
        return end
    }
}

/// A source is kept for a scheme, or a way of signing, that this program does not know: nobody is let in by another.
struct UnknownScheme: Error {}

extension SourceRecord {
    init(_ row: Row) throws {
        id = try row.get("id")
        organization = try row.get("organization_id")
        provider = try row.get("provider")
        name = try row.get("name")
        connection = try row.get("connection_id")
        workspace = try row.get("workspace_id")
        guard let scheme = SchemeName(rawValue: try row.get("scheme")) else { throw UnknownScheme() }
        self.scheme = scheme
        recipe = try row.get("recipe", as: String?.self).map { text -> Recipe in
            // Nobody is let in by the usual one instead of one that cannot be read.
            guard let json = try? JSON(parsing: Array(text.utf8)), let recipe = Recipe(stored: json) else {
                throw UnknownScheme()
            }
            return recipe
        }
        address = try row.get("address")
        previousAddress = try row.get("previous_address")
        previousAddressEndsAt = try row.get("previous_address_ends_at")
        secretSealed = try row.get("secret_sealed")
        previousSealed = try row.get("previous_sealed")
        previousEndsAt = try row.get("previous_ends_at")
        challengeSealed = try row.get("challenge_sealed")
        hasNewToken = try row.get("has_new_token", as: Int.self) == 1
        bodyLimit = try row.get("body_limit")
        perMinute = try row.get("per_minute")
        version = try row.get("version")
        createdAt = try row.get("created_at")
    }
}

extension Recipe {
    /// As it is stored and shown.
    var json: JSON {
        [
            "algorithm": .string(digest.rawValue), "encoding": .string(encoding.rawValue), "header": .string(header),
            "prefix": .string(prefix), "secret_encoding": .string(keyForm.rawValue),
            "timestamp_header": JSON(time?.header), "id_header": JSON(idHeader), "type_header": JSON(typeHeader),
        ]
    }

    /// Reads what ``json`` wrote; nil when it is none.
    init?(stored json: JSON) {
        guard let digest = json["algorithm"]?.text.flatMap(Digest.init), let header = json["header"]?.text,
            let encoding = json["encoding"]?.text.flatMap(Encoding.init),
            let keyForm = json["secret_encoding"]?.text.flatMap(KeyForm.init)
        else { return nil }
        self.init(
            header: header, prefix: json["prefix"]?.text ?? "", digest: digest, encoding: encoding, keyForm: keyForm,
            timestamp: json["timestamp_header"]?.text, idHeader: json["id_header"]?.text,
            typeHeader: json["type_header"]?.text)
    }

    /// A sender's own way: the body alone is signed, or its time, a dot and the body.
    init(
        header: String, prefix: String, digest: Digest, encoding: Encoding, keyForm: KeyForm, timestamp: String?,
        idHeader: String?, typeHeader: String?
    ) {
        self.init(
            header: header, prefix: prefix, digest: digest, encoding: encoding, keyForm: keyForm,
            time: timestamp.map { TimeField(header: $0) },
            content: timestamp == nil ? [.body] : [.time, .text("."), .body], idHeader: idHeader,
            typeHeader: typeHeader)
    }
}
