import DatabaseKit
import Domain
import HTTPKit
import TimeKit

/// The daily look at each connection.
extension Connections {
    /// Makes a probe due for each connection that has none, spread over a day.
    func planProbes() throws {
        try database.execute(
            """
            UPDATE connections
               SET probe_due_at = \(world.now()) + INTERVAL FLOOR(RAND() * 86400) SECOND
             WHERE probe_due_at IS NULL AND removed_at IS NULL AND enabled = 1
                   AND (secrets_sealed IS NOT NULL OR tokens_sealed IS NOT NULL OR status <> 'disconnected')
             LIMIT 1000
            """)
    }

    /// Tests a connection when it is due; one that cannot be tested by the clock is looked at for known ends.
    func probeDue(_ item: DueStore.Item) throws {
        let scope = Self.scope(of: item.organization)
        let view = try find(.id(item.id), scope)
        do {
            try Self.requireUsable(view)
            // A test that does something at the service is made only when somebody asks for it.
            if let provider = view.provider, provider.test(for: view.values).notice == nil {
                // What was imported has no other way to tell whose it is.
                try noteWhose(test(view, as: .probe, by: scope), view, scope)
                return
            }
        } catch let problem as Problem where problem.status == 409 || problem.status == 429 {
            // Nobody signed in, or something is missing: as long as that is so there is nothing to test.
        }
        try warn(view, scope)
        try store(scope).postpone(.probe, of: item.id, to: nextProbe)
    }

    /// When a connection is looked at again: in a day, less up to two hours, so that probes do not gather.
    var nextProbe: Timestamp { world.now() + .days(1) - .hours(2) * jitter }

    /// Notes that an end is near, or is not any more.
    private func warn(_ view: ConnectionView, _ scope: OrganizationScope) throws {
        try database.transaction { transaction in
            guard let now = try store(scope).lock(view.record.id, in: transaction),
                now.storedStatus == .connected || now.storedStatus == .expiring
            else { return }
            let warning = warning(view, grantEndsAt: now.grant.endsAt)
            let status: ConnectionStatus = warning == nil ? .connected : .expiring
            guard status != now.storedStatus || warning != now.statusDetail else { return }
            try store(scope).setStatus(view.record.id, status, warning, in: transaction)
            if status != now.storedStatus { try publish(status, warning, view, scope, in: transaction) }
        }
    }
}

extension ConnectionStore {
    func setStatus(
        _ id: Identifier<Connection>, _ status: ConnectionStatus, _ detail: String?, in transaction: Transaction
    ) throws {
        let now = world.now()
        try transaction.execute(
            """
            UPDATE connections
               SET status = \(status), status_detail = \(detail), status_changed_at = \(now), version = version + 1
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
            """)
    }
}
