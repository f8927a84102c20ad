import DatabaseKit
import Domain
import TimeKit

/// The log of one organization. Nothing here changes it.
struct AuditStore: Sendable {
    let database: Database
    let scope: OrganizationScope

    /// Entries, the newest first.
    func entries(_ filter: AuditFilter, after last: Identifier<AuditEvent>?, limit: Int) throws -> [AuditEntry] {
        let before: SQL = if let last { "AND e.id < \(last)" } else { "" }
        return try database.rows(
            """
            SELECT e.id, e.occurred_at, e.actor_kind, e.actor_id, e.actor_name, e.action, e.object_kind, e.object_id,
                   e.object_name, e.details, e.remote_address, e.request_id
              FROM audit_events e
             WHERE e.organization_id = \(scope.organization) AND \(filter.condition) \(before)
             ORDER BY e.id DESC
             LIMIT \(limit)
            """
        ).map(AuditEntry.init)
    }

    /// How many entries there are since a moment.
    func count(since moment: Timestamp) throws -> Int {
        try database.row(
            """
            SELECT COUNT(*) AS count
              FROM audit_events
             WHERE organization_id = \(scope.organization) AND id >= \(AuditFilter.bound(moment))
            """)?.get("count") ?? 0
    }

    /// Who has ever acted here.
    ///
    /// Grouped by the index's first columns, so that the server leaps from name to name instead of reading each entry.
    func actors() throws -> [String] {
        try database.rows(
            """
            SELECT actor_name
              FROM audit_events
             WHERE organization_id = \(scope.organization)
             GROUP BY organization_id, actor_name
             ORDER BY actor_name
             LIMIT 200
            """
        ).map { try $0.get("actor_name") }
    }

    /// What was ever done here.
    func actions() throws -> [String] {
        try database.rows(
            """
            SELECT action
              FROM audit_events
             WHERE organization_id = \(scope.organization)
             GROUP BY organization_id, action
             ORDER BY action
             LIMIT 200
            """
        ).map { try $0.get("action") }
    }
}
