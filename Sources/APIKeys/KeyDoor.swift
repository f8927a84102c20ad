import CipherKit
import DatabaseKit
import Domain
import LogKit
import TimeKit

/// Where scripts come in: whose a key is.
///
/// It stands before any organization is known, so it takes no ``OrganizationScope``.
struct KeyDoor: Sendable {
    /// How exactly the last use is noted: a key that is used all day is written once a minute.
    static let touchInterval = Duration.minutes(1)

    let database: Database
    let world: World

    /// Whose key this is; nil when it is unknown, over, or its user no longer belongs to the organization.
    ///
    /// Found by its digest on a unique index, then compared once more in constant time. Unknown and ended keys ask the
    /// database the same one question.
    func principal(_ key: KeyText, remoteAddress: String) throws -> Principal? {
        let now = world.now()
        guard let row = try row(digest: key.digest),
            equalInConstantTime(try row.get("key_hash"), key.digest), try isLiving(row, now), let role = try role(row)
        else { return nil }
        let id: Identifier<APIKey> = try row.get("id")
        let used: Timestamp? = try row.get("last_used_at")
        if used.map({ now - $0 >= Self.touchInterval }) ?? true { try touch(id, now, remoteAddress) }
        let membership = Principal.Membership(
            organization: try row.get("organization_id"), name: try row.get("organization"), role: role)
        return Principal(
            actor: Actor(kind: .apiKey, id: id.bytes, name: try row.get("name")), memberships: [membership],
            limits: Scope.list(stored: try row.get("scopes")))
    }

    private func row(digest: [UInt8]) throws -> Row? {
        try database.row(
            """
            SELECT k.id, k.key_hash, k.name, k.scopes, k.user_id, k.expires_at, k.revoked_at, k.last_used_at,
                   k.organization_id, o.name AS organization, m.role, u.disabled_at
              FROM api_keys k
              JOIN organizations o ON o.id = k.organization_id
              LEFT JOIN users u ON u.id = k.user_id
              LEFT JOIN memberships m ON m.user_id = k.user_id AND m.organization_id = k.organization_id
             WHERE k.key_hash = \(digest)
            """)
    }

    private func isLiving(_ row: Row, _ now: Timestamp) throws -> Bool {
        let expires: Timestamp? = try row.get("expires_at")
        let revoked: Timestamp? = try row.get("revoked_at")
        return revoked == nil && expires.map { $0 > now } ?? true
    }

    /// The role that the key's scopes are cut down to: that which its user has at this moment.
    ///
    /// A key without a user was made at the server, whose keeper may do everything; its scopes alone limit it.
    private func role(_ row: Row) throws -> Role? {
        guard try row.get("user_id", as: Identifier<User>?.self) != nil else { return .owner }
        let disabled: Timestamp? = try row.get("disabled_at")
        return disabled == nil ? try row.get("role") : nil
    }

    private func touch(_ id: Identifier<APIKey>, _ now: Timestamp, _ address: String) throws {
        try database.execute(
            """
            UPDATE api_keys
               SET last_used_at = \(now), last_used_address = \(String(address.prefix(45)))
             WHERE id = \(id) AND (last_used_at IS NULL OR last_used_at <= \(now - Self.touchInterval))
            """)
    }
}
