import DatabaseKit
import Domain
import TimeKit

/// A key as the database knows it, its secret gone.
struct KeyRecord: Sendable {
    /// Whether a key opens anything.
    enum State: String, CaseIterable {
        case active
        case expired
        case revoked
    }

    let id: Identifier<APIKey>
    let user: Identifier<User>?
    let owner: String?
    let name: String
    let prefix: String
    let lastFour: String
    let scopes: [Scope]
    let expiresAt: Timestamp?
    let revokedAt: Timestamp?
    let lastUsedAt: Timestamp?
    let lastUsedAddress: String?
    let version: Int64
    let createdAt: Timestamp

    func state(now: Timestamp) -> State {
        if revokedAt != nil { return .revoked }
        return expiresAt.map { $0 <= now } == true ? .expired : .active
    }
}

extension KeyRecord {
    init(_ row: Row) throws(DatabaseError) {
        self.init(
            id: try row.get("id"), user: try row.get("user_id"), owner: try row.get("owner"), name: try row.get("name"),
            prefix: try row.get("prefix"), lastFour: try row.get("last_four"),
            scopes: Scope.list(stored: try row.get("scopes")), expiresAt: try row.get("expires_at"),
            revokedAt: try row.get("revoked_at"), lastUsedAt: try row.get("last_used_at"),
            lastUsedAddress: try row.get("last_used_address"), version: try row.get("version"),
            createdAt: try row.get("created_at"))
    }
}

/// Whose number of keys grows when one is made.
enum Holder: Equatable {
    /// A person, in the browser or by one of their keys.
    case user(Identifier<User>)
    /// The key from the command line to which a key without a user goes back.
    case key(Identifier<APIKey>)
    /// Whoever sits at the server; nobody counts for them.
    case commandLine

    var user: Identifier<User>? {
        if case .user(let id) = self { id } else { nil }
    }

    var issuer: Identifier<APIKey>? {
        if case .key(let id) = self { id } else { nil }
    }
}

extension Scope {
    /// Scopes as they are stored: words separated by spaces, as OAuth writes them (RFC 6749 §3.3).
    static func list(stored text: String) -> [Scope] {
        text.split(separator: " ").compactMap { Scope(String($0)) }
    }
}

extension [Scope] {
    /// As ``Scope/list(stored:)`` reads them.
    var stored: String { map(\.description).joined(separator: " ") }
}
