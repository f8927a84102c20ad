import DatabaseKit
import Domain
import TimeKit

/// Keys of all organizations whose holders are to be told something.
struct NoticeStore: Sendable {
    /// A key and whose it is.
    struct Found: Sendable {
        let organization: Identifier<Organization>
        let key: KeyRecord
    }

    /// How many are read at a time.
    static let batch = 200

    let database: Database
    let world: World

    /// Keys that end within so many days and of which this has not been told.
    func ending(within days: Int) throws -> [Found] {
        try found(isEnding(within: days))
    }

    /// Notes that it is told, and answers whether it had to be.
    func noteEnding(_ key: KeyRecord, within days: Int, in transaction: Transaction) throws -> Bool {
        try transaction.execute(
            "UPDATE api_keys k SET k.expiry_noticed = \(days) WHERE k.id = \(key.id) AND \(isEnding(within: days))"
        ).affectedRows == 1
    }

    /// Keys that nobody has used for 90 days, and of which this has not been told since they last were.
    func unused() throws -> [Found] {
        try found(isUnused)
    }

    /// Notes that it is told, and answers whether it had to be.
    func noteUnused(_ key: KeyRecord, in transaction: Transaction) throws -> Bool {
        try transaction.execute(
            "UPDATE api_keys k SET k.unused_noticed_at = \(world.now()) WHERE k.id = \(key.id) AND \(isUnused)"
        ).affectedRows == 1
    }

    private func found(_ condition: SQL) throws -> [Found] {
        try database.rows(
            "SELECT k.organization_id, \(KeyRecord.columns) FROM api_keys k WHERE \(condition) LIMIT \(Self.batch)"
        ).map { Found(organization: try $0.get("organization_id"), key: try KeyRecord($0)) }
    }

    private func isEnding(within days: Int) -> SQL {
        let now = world.now()
        return """
            k.revoked_at IS NULL AND k.expires_at > \(now) AND k.expires_at <= \(now + .days(days))
            AND (k.expiry_noticed IS NULL OR k.expiry_noticed > \(days))
            """
    }

    private var isUnused: SQL {
        """
        \(KeyFilter.Shown.unused.condition(now: world.now()))
        AND (k.unused_noticed_at IS NULL OR k.unused_noticed_at < k.last_used_at)
        """
    }
}
