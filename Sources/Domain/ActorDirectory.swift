import DatabaseKit

/// What the actors of an organization are called, and whose doings one who asks may see.
public struct ActorDirectory: Sendable {
    private let database: Database

    /// The directory of a database.
    public init(_ database: Database) { self.database = database }

    /// The names of keys, people and apps by the sixteen bytes of their ids; who is unknown here has none.
    ///
    /// - Throws: `DatabaseError`.
    public func names(of ids: Set<[UInt8]>, by scope: OrganizationScope) throws(DatabaseError) -> [[UInt8]: String] {
        var names: [[UInt8]: String] = [:]
        let ids = Array(ids)
        for start in stride(from: 0, to: ids.count, by: 200) {
            let some = ids[start..<min(start + 200, ids.count)]
            let rows = try database.rows(
                """
                SELECT k.id, k.name
                  FROM api_keys k
                 WHERE k.organization_id = \(scope.organization) AND k.id IN (\(list: some))
                 UNION ALL
                SELECT u.id, u.name
                  FROM memberships m
                  JOIN users u ON u.id = m.user_id
                 WHERE m.organization_id = \(scope.organization) AND m.user_id IN (\(list: some))
                 UNION ALL
                SELECT a.id, a.name
                  FROM oauth_apps a
                 WHERE a.id IN (\(list: some))
                   AND (a.organization_id = \(scope.organization)
                        OR EXISTS (SELECT 1 FROM oauth_grants g
                                    WHERE g.app_id = a.id AND g.organization_id = \(scope.organization)))
                """)
            for row in rows { names[try row.get("id")] = try row.get("name", as: String.self) }
        }
        return names
    }

    /// Whose doings the one who asks may see, by id: a member's own and those of the keys they hold; nil for everybody's.
    ///
    /// - Throws: `DatabaseError`.
    public func visible(to scope: OrganizationScope) throws(DatabaseError) -> Set<[UInt8]>? {
        guard scope.role == .member else { return nil }
        // An app sees what the person sees for whom it acts, not what it does for others.
        guard let me = scope.actor.kind == .oauthApp ? scope.actor.user?.bytes : scope.actor.id else { return [] }
        var seen: Set<[UInt8]> = [me]
        let holder: SQL =
            switch scope.actor.kind {
            case .user, .oauthApp: "\(me)"
            default: "(SELECT h.user_id FROM api_keys h WHERE h.id = \(me))"
            }
        let rows = try database.rows(
            """
            SELECT k.id
              FROM api_keys k
             WHERE k.organization_id = \(scope.organization) AND k.user_id = \(holder)
             ORDER BY k.id DESC
             LIMIT \(Self.mostKeys)
            """)
        for row in rows { seen.insert(try row.get("id")) }
        return seen
    }

    /// Keys to choose from, the newest first, of those that the one who asks may see.
    ///
    /// - Throws: `DatabaseError`.
    public func keys(
        for scope: OrganizationScope
    ) throws(DatabaseError) -> [(id: Identifier<APIKey>, name: String)] {
        let mine = try visible(to: scope)
        let condition: SQL = if let mine { "AND k.id IN (\(list: Array(mine)))" } else { "" }
        let rows = try database.rows(
            """
            SELECT k.id, k.name
              FROM api_keys k
             WHERE k.organization_id = \(scope.organization) \(condition)
             ORDER BY k.id DESC
             LIMIT \(Self.mostKeys)
            """)
        var keys: [(id: Identifier<APIKey>, name: String)] = []
        for row in rows { keys.append((id: try row.get("id"), name: try row.get("name"))) }
        return keys
    }

    /// How many keys are looked at: more than anybody chooses from.
    private static let mostKeys = 200
}
