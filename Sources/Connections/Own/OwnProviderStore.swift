import DatabaseKit
import Domain
import TimeKit

/// A provider file that an organization wrote for itself.
struct OwnProvider: Sendable {
    /// What tells that a file is another one than was read before: one removed and made again begins at version 1.
    struct Stamp: Sendable, Equatable {
        let key: String
        let version: Int64
        let updatedAt: Timestamp
    }

    let stamp: Stamp
    let source: String

    var key: String { stamp.key }
    /// The file read again, as of every release of the hub anew.
    var reading: ProviderReading { ProviderFile.check("\(key).json", Array(source.utf8), for: .organization) }
}

/// The provider files of one organization.
struct OwnProviderStore: Sendable {
    /// How many an organization may have: each of its pages about services shows all of them.
    static let most = 50

    let database: Database
    let world: World
    let scope: OrganizationScope

    func stamps(in querying: some Querying) throws -> [OwnProvider.Stamp] {
        try querying.rows(
            """
            SELECT provider, version, updated_at
              FROM providers
             WHERE organization_id = \(scope.organization)
             ORDER BY provider
            """
        ).map(OwnProvider.Stamp.init)
    }

    func all(in querying: some Querying) throws -> [OwnProvider] {
        try querying.rows(
            """
            SELECT provider, source, version, updated_at
              FROM providers
             WHERE organization_id = \(scope.organization)
             ORDER BY provider
            """
        ).map(OwnProvider.init)
    }

    func find(_ key: String, in querying: some Querying) throws -> OwnProvider? {
        guard key.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        return try querying.row(
            """
            SELECT provider, source, version, updated_at
              FROM providers
             WHERE organization_id = \(scope.organization) AND provider = \(key)
            """
        ).map(OwnProvider.init)
    }

    /// The same, while nobody else may change it.
    func lock(_ key: String, in transaction: Transaction) throws -> OwnProvider? {
        guard key.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        return try transaction.row(
            """
            SELECT provider, source, version, updated_at
              FROM providers
             WHERE organization_id = \(scope.organization) AND provider = \(key)
               FOR UPDATE
            """
        ).map(OwnProvider.init)
    }

    func insert(_ key: String, source: String, in transaction: Transaction) throws {
        let now = world.now()
        try transaction.execute(
            """
            INSERT INTO providers (organization_id, provider, source, created_by, created_at, updated_at)
            VALUES (\(scope.organization), \(key), \(source), \(scope.actor.name), \(now), \(now))
            """)
    }

    func update(_ key: String, source: String, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE providers
               SET source = \(source), version = version + 1, updated_at = \(world.now())
             WHERE organization_id = \(scope.organization) AND provider = \(key)
            """)
    }

    func remove(_ key: String, in transaction: Transaction) throws {
        try transaction.execute(
            """
            DELETE FROM providers
             WHERE organization_id = \(scope.organization) AND provider = \(key)
            """)
    }

    /// How many living connections there are to a service.
    func connections(to key: String, in querying: some Querying) throws -> Int {
        try querying.row(
            """
            SELECT COUNT(*) AS count
              FROM connections
             WHERE organization_id = \(scope.organization) AND provider = \(key) AND removed_at IS NULL
            """)?.get("count") ?? 0
    }
}

extension OwnProvider {
    init(_ row: Row) throws {
        stamp = try Stamp(row)
        source = try row.get("source")
    }
}

extension OwnProvider.Stamp {
    init(_ row: Row) throws {
        key = try row.get("provider")
        version = try row.get("version")
        updatedAt = try row.get("updated_at")
    }
}
