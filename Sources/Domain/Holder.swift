import DatabaseKit

/// Whose number of keys, webhooks or apps grows when one is made.
public enum Holder: Equatable, Sendable {
    /// A person, in the browser or by one of their keys.
    case user(Identifier<User>)
    /// The key from the command line to which a key without a user goes back.
    case key(Identifier<APIKey>)
    /// Whoever sits at the server; nobody counts for them.
    case commandLine

    /// The person, when it is one.
    public var user: Identifier<User>? {
        if case .user(let id) = self { id } else { nil }
    }

    /// The key from the command line, when it is one.
    public var issuer: Identifier<APIKey>? {
        if case .key(let id) = self { id } else { nil }
    }

    /// For whom the one who acts makes things; nil for the bearer of a token of the existing site without an account
    /// here, since what is made would outlive the token.
    public init?(_ scope: OrganizationScope, in querying: some Querying) throws {
        guard let bytes = scope.actor.id else {
            self = .commandLine
            return
        }
        switch scope.actor.kind {
        case .user: self = Identifier<User>(bytes: bytes).map(Holder.user) ?? .commandLine
        case .commandLine, .hub: self = .commandLine
        // A platform key is for its one integration and makes nothing that would be counted.
        case .platformKey: return nil
        case .siteToken:
            let row = try querying.row(
                "SELECT user_id FROM memberships WHERE user_id = \(bytes) AND organization_id = \(scope.organization)")
            guard let row else { return nil }
            self = .user(try row.get("user_id"))
        case .oauthApp:
            // What an app makes is the person's for whom it acts, and outlives its token.
            guard let user = scope.actor.user else {
                self = .commandLine
                return
            }
            let row = try querying.row(
                "SELECT user_id FROM memberships WHERE user_id = \(user) AND organization_id = \(scope.organization)")
            guard row != nil else { return nil }
            self = .user(user)
        case .apiKey:
            let row = try querying.row(
                """
                SELECT user_id, COALESCE(issuer_id, id) AS issuer_id
                  FROM api_keys
                 WHERE id = \(bytes) AND organization_id = \(scope.organization)
                """)
            guard let row else {
                self = .commandLine
                return
            }
            self = try row.get("user_id", as: Identifier<User>?.self).map(Holder.user) ?? .key(row.get("issuer_id"))
        }
    }

    /// Holds the holder's row until the transaction ends, so that of several things made at once each counts the ones
    /// before.
    public func lock(in transaction: Transaction) throws {
        switch self {
        case .user(let id): _ = try transaction.row("SELECT id FROM users WHERE id = \(id) FOR UPDATE")
        case .key(let id): _ = try transaction.row("SELECT id FROM api_keys WHERE id = \(id) FOR UPDATE")
        case .commandLine: break
        }
    }

    /// A condition on `user_id` and `issuer_id` that holds for the holder's things; nil where nobody counts.
    public var condition: SQL? {
        switch self {
        case .user(let id): "user_id = \(id)"
        case .key(let id): "issuer_id = \(id)"
        case .commandLine: nil
        }
    }
}
