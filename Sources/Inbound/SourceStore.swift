import DatabaseKit
import Domain
import JSONKit
import TimeKit

/// The sources of one organization.
struct SourceStore: Sendable {
    let database: Database
    let world: World
    let scope: OrganizationScope

    // MARK: Reading

    /// Sources, the newest first.
    func list(
        provider: String? = nil, connection: Identifier<Connection>? = nil, after last: Identifier<InboundSource>?,
        limit: Int
    ) throws -> [SourceRecord] {
        let before: SQL = if let last { "AND s.id < \(last)" } else { "" }
        let ofProvider: SQL = if let provider { "AND s.provider = \(provider)" } else { "" }
        let ofConnection: SQL = if let connection { "AND s.connection_id = \(connection)" } else { "" }
        return try database.rows(
            """
            SELECT \(SourceRecord.columns)
              FROM inbound_sources s
             WHERE s.organization_id = \(scope.organization) \(before) \(ofProvider) \(ofConnection)
             ORDER BY s.id DESC
             LIMIT \(limit)
            """
        ).map { try SourceRecord($0) }
    }

    func find(_ id: Identifier<InboundSource>) throws -> SourceRecord? { try find(id, "", in: database) }

    /// The source, held until the transaction ends.
    func lock(_ id: Identifier<InboundSource>, in transaction: Transaction) throws -> SourceRecord? {
        try find(id, "FOR UPDATE", in: transaction)
    }

    private func find(
        _ id: Identifier<InboundSource>, _ locking: SQL, in querying: some Querying
    ) throws -> SourceRecord? {
        try querying.row(
            """
            SELECT \(SourceRecord.columns)
              FROM inbound_sources s
             WHERE s.id = \(id) AND s.organization_id = \(scope.organization)
             \(locking)
            """
        ).map { try SourceRecord($0) }
    }

    /// How many there are, and how many of them refuse everything.
    func count(in querying: some Querying) throws -> (all: Int, closed: Int) {
        let row = try querying.row(
            """
            SELECT COUNT(*) AS sources,
                   COUNT(CASE WHEN secret_sealed IS NULL
                               AND (previous_sealed IS NULL OR previous_ends_at <= \(world.now())) THEN 1 END) AS closed
              FROM inbound_sources
             WHERE organization_id = \(scope.organization)
            """)
        return (try row?.get("sources") ?? 0, try row?.get("closed") ?? 0)
    }

    // MARK: Writing

    /// What is written of a new source, its secrets sealed.
    struct Writing {
        let name: String
        let provider: String
        let connection: Identifier<Connection>?
        let workspace: Identifier<Workspace>?
        let scheme: SchemeName
        let recipe: Recipe?
        let address: Identifier<InboundAddress>
        let secretSealed: [UInt8]?
        let challengeSealed: [UInt8]?
        let bodyLimit: Int
        let perMinute: Int
    }

    func insert(_ id: Identifier<InboundSource>, _ writing: Writing, in transaction: Transaction) throws {
        let now = world.now()
        try transaction.execute(
            """
            INSERT INTO inbound_sources
                   (id, organization_id, provider, name, connection_id, workspace_id, scheme, recipe, address,
                    secret_sealed, challenge_sealed, body_limit, per_minute, created_at, updated_at)
            VALUES (\(id), \(scope.organization), \(writing.provider), \(writing.name), \(writing.connection),
                    \(writing.workspace), \(writing.scheme.rawValue), \(Self.stored(writing.recipe)), \(writing.address),
                    \(writing.secretSealed), \(writing.challengeSealed), \(writing.bodyLimit), \(writing.perMinute),
                    \(now), \(now))
            """)
    }

    func update(_ id: Identifier<InboundSource>, _ terms: SourceTerms, in transaction: Transaction) throws {
        var changes: [SQL] = []
        if let name = terms.name { changes.append("name = \(name)") }
        if let recipe = terms.recipe { changes.append("recipe = \(Self.stored(recipe))") }
        if let limit = terms.bodyLimit { changes.append("body_limit = \(limit)") }
        if let most = terms.perMinute { changes.append("per_minute = \(most)") }
        guard !changes.isEmpty else { return }
        try touch(id, SQL(joining: changes, by: ", "), in: transaction)
    }

    /// Gives a source another secret; the one before counts until then, and the one before that no more.
    func setSecret(
        _ id: Identifier<InboundSource>, _ sealed: [UInt8]?, previous: [UInt8]?, endsAt: Timestamp?,
        in transaction: Transaction
    ) throws {
        try touch(
            id,
            """
            secret_sealed = \(sealed), previous_sealed = \(previous), previous_ends_at = \(endsAt), has_new_token = 0
            """, in: transaction)
    }

    func setAddress(
        _ record: SourceRecord, _ address: Identifier<InboundAddress>, previousEndsAt: Timestamp?,
        in transaction: Transaction
    ) throws {
        let previous = previousEndsAt == nil ? nil : record.address
        try touch(
            record.id,
            """
            address = \(address), previous_address = \(previous), previous_address_ends_at = \(previousEndsAt)
            """, in: transaction)
    }

    /// Notes that somebody has looked at the token that came by itself.
    func noteToken(_ id: Identifier<InboundSource>, in transaction: Transaction) throws {
        try touch(id, "has_new_token = 0", in: transaction)
    }

    func delete(_ id: Identifier<InboundSource>, in transaction: Transaction) throws {
        try transaction.execute(
            "DELETE FROM inbound_refusals WHERE source_id = \(id) AND organization_id = \(scope.organization)")
        try transaction.execute(
            "DELETE FROM inbound_sources WHERE id = \(id) AND organization_id = \(scope.organization)")
    }

    private func touch(_ id: Identifier<InboundSource>, _ changes: SQL, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE inbound_sources
               SET \(changes), version = version + 1, updated_at = \(world.now())
             WHERE id = \(id) AND organization_id = \(scope.organization)
            """)
    }

    private static func stored(_ recipe: Recipe?) -> String? {
        recipe.map { String(decoding: $0.json.bytes, as: UTF8.self) }
    }
}
