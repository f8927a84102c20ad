import CipherKit
import DatabaseKit
import Domain
import TimeKit

/// A device that waits for somebody, as it is kept.
struct DeviceRecord: Sendable {
    let id: [UInt8]
    let app: Identifier<OAuthApp>
    let scopes: [Scope]
    let resources: [String]
    let expiresAt: Timestamp
    let interval: Int
    let polledAt: Timestamp?
    /// Who has let it in, and where.
    let person: (user: Identifier<User>, organization: Identifier<Organization>)?
    let isDenied: Bool
    let isRedeemed: Bool
}

/// Devices that wait for somebody to type their code.
struct DeviceStore: Sendable {
    let world: World

    /// Keeps a new pair of codes.
    ///
    /// - Throws: `DatabaseError` `duplicate` when another device has this user code just now.
    func insert(
        _ code: TokenText, _ userCode: UserCode, app: Identifier<OAuthApp>, scopes: [Scope], resources: [String],
        life: Duration, interval: Int, in database: Database
    ) throws {
        try database.execute(
            """
            INSERT INTO oauth_device_codes
                   (id, code_hash, user_code_hash, app_id, scopes, resources, expires_at, interval_seconds)
            VALUES (\(code.id), \(code.digest), \(userCode.digest), \(app), \(scopes.stored),
                    \(resources.joined(separator: " ")), \(world.now() + life), \(interval))
            """)
    }

    /// The device of the code that a client sent, locked until the transaction ends; nil when there is none.
    func locked(_ sent: TokenText, in transaction: Transaction) throws -> DeviceRecord? {
        let row = try transaction.row("\(Self.columns) WHERE id = \(sent.id) FOR UPDATE")
        guard let row, equalInConstantTime(try row.get("code_hash"), sent.digest) else { return nil }
        return try Self.record(row)
    }

    /// The device whose code somebody typed, as long as nobody has answered it; nil when there is none.
    func waiting(_ typed: UserCode, in querying: some Querying) throws -> DeviceRecord? {
        let row = try querying.row(
            """
            \(Self.columns)
             WHERE user_code_hash = \(typed.digest) AND expires_at > \(world.now()) AND approved_at IS NULL
               AND denied_at IS NULL
            """)
        return try row.map(Self.record)
    }

    private static let columns: SQL = """
        SELECT id, code_hash, app_id, scopes, resources, expires_at, interval_seconds, polled_at, user_id,
               organization_id, approved_at, denied_at, redeemed_at
          FROM oauth_device_codes
        """

    private static func record(_ row: Row) throws -> DeviceRecord {
        let user: Identifier<User>? = try row.get("user_id")
        let organization: Identifier<Organization>? = try row.get("organization_id")
        return try DeviceRecord(
            id: row.get("id"), app: row.get("app_id"), scopes: Scope.list(stored: row.get("scopes")),
            resources: ResourceIndicator.list(joined: row.get("resources")), expiresAt: row.get("expires_at"),
            interval: row.get("interval_seconds"), polledAt: row.get("polled_at"),
            person: user.flatMap { user in organization.map { (user, $0) } },
            isDenied: row.get("denied_at", as: Timestamp?.self) != nil,
            isRedeemed: row.get("redeemed_at", as: Timestamp?.self) != nil)
    }

    /// Notes that the device has asked, and how long it must wait from now on.
    func poll(_ device: DeviceRecord, interval: Int, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE oauth_device_codes
               SET polled_at = \(world.now()), interval_seconds = \(interval)
             WHERE id = \(device.id)
            """)
    }

    /// Notes that the device has its tokens.
    func redeem(_ device: DeviceRecord, in transaction: Transaction) throws {
        try transaction.execute("UPDATE oauth_device_codes SET redeemed_at = \(world.now()) WHERE id = \(device.id)")
    }

    /// Removes the devices that somebody has let in and that have not come for their tokens, of those that wait for so long.
    func removeOpen(_ which: GrantSelection, life: Duration, in transaction: Transaction) throws {
        try transaction.execute(
            """
            DELETE FROM oauth_device_codes
             WHERE id >= \(Identifier<OAuthToken>(lowestAt: world.now() - life - .minutes(1)))
                   AND \(which.condition) AND approved_at IS NOT NULL AND redeemed_at IS NULL
            """)
    }

    /// Notes that somebody lets the device in; false when it was answered already or has ended.
    func approve(
        _ id: [UInt8], user: Identifier<User>, organization: Identifier<Organization>, in transaction: Transaction
    ) throws -> Bool {
        try transaction.execute(
            """
            UPDATE oauth_device_codes
               SET approved_at = \(world.now()), user_id = \(user), organization_id = \(organization)
             WHERE id = \(id) AND approved_at IS NULL AND denied_at IS NULL AND expires_at > \(world.now())
            """
        ).affectedRows == 1
    }

    /// Notes that somebody does not; false when it was answered already or has ended.
    func deny(_ id: [UInt8], in querying: some Querying) throws -> Bool {
        try querying.execute(
            """
            UPDATE oauth_device_codes
               SET denied_at = \(world.now())
             WHERE id = \(id) AND approved_at IS NULL AND denied_at IS NULL AND expires_at > \(world.now())
            """
        ).affectedRows == 1
    }
}
