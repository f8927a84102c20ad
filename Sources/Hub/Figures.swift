import APIKeys
import Accounts
import AdminShell
import Audit
import CipherKit
import Connections
import DatabaseKit
import Domain
import FoundationEssentials
import JobKit
import LogKit
import Operations
import ProcessKit
import RequestLogs
import TimeKit
import Webhooks

/// What the overview and the system page show, gathered from the rooms and the processes.
struct Figures: Sendable {
    let configuration: Configuration
    let database: Database
    let rooms: Rooms
    let heartbeat: Heartbeat?
    let world: World
    let readiness: Readiness

    // MARK: The overview

    func overview(_ scope: OrganizationScope) throws -> Overview {
        let health = try rooms.connections.healthFigures(scope)
        return Overview(
            attention: health.needingAttention.map { item in
                Overview.Attention(
                    isGrave: true, title: item.title, text: item.sentence, path: item.path)
            },
            requests: try rooms.requestLogs.lastDay(scope).map {
                .init(count: $0.requests, failed: $0.failed, slowest: $0.p95, chart: $0.chart)
            },
            connections: health.states.map { Overview.ConnectionState($0.label, tone($0.tone), count: $0.count) },
            activeKeys: try rooms.apiKeys.activeCount(scope),
            expiringKeys: try rooms.apiKeys.expiring(scope, limit: 3).map { .init(name: $0.name, at: $0.expiresAt) },
            people: try rooms.accounts.memberCount(scope),
            changesThisWeek: scope.allows(.read(.audit))
                ? try rooms.audit.count(scope, since: world.now() - .days(7)) : 0,
            changes: scope.allows(.read(.audit)) ? try rooms.audit.latest(scope, limit: 6).map(change) : [],
            paths: Overview.Paths(
                connections: ConnectionRoute.list.path, newConnection: ConnectionRoute.gallery.path,
                keys: APIKeyRoute.list.path, newKey: APIKeyRoute.create.path, people: AccountRoute.organization.path,
                changes: AuditRoute.log.path, usage: RequestLogsRoute.usage.path))
    }

    private func tone(_ name: String) -> Overview.Tone { Overview.Tone(rawValue: name) ?? .off }

    private func change(_ entry: AuditEntry) -> Overview.Change {
        Overview.Change(
            actor: entry.actor, text: entry.sentence, tone: tone(entry.tone.rawValue), at: entry.occurredAt)
    }

    // MARK: The system page

    func system() throws -> SystemState {
        SystemState(
            workers: workers, jobs: try jobs(), deliveries: try deliveries(), schema: try schema(), keys: try keys(),
            warnings: configuration.warnings.map {
                SystemState.Warning(title: "A setting should not stay so", text: $0)
            } + requestLogWarnings,
            about: [
                ("Version", version), ("Address", configuration.site.origin + configuration.site.mount),
                ("Database", try database.row("SELECT VERSION() AS version")?.get("version") ?? "unknown"),
            ])
    }

    /// What of the request log an operator should know: requests that found no room, files that nobody takes in.
    private var requestLogWarnings: [SystemState.Warning] {
        let lost = rooms.losses.count
        let waiting = rooms.spool.waitingBytes
        return
            (lost == 0
            ? []
            : [
                SystemState.Warning(
                    title: "The request log is incomplete",
                    text: "\(lost) requests were answered on this host that found no room on the disk.")
            ])
            + (waiting < Self.muchWaiting
                ? []
                : [
                    SystemState.Warning(
                        title: "The request log lags behind",
                        text:
                            "\(waiting / 1_048_576) MiB of requests wait in \(configuration.stateFolder)/spool: see that hub work runs and the database answers."
                    )
                ])
    }

    /// From here on files are more than what a busy minute leaves.
    private static let muchWaiting = 268_435_456

    private var workers: [SystemState.Worker] {
        let now = MonotonicTime.now()
        return (heartbeat?.pulses() ?? []).filter {
            $0.state != .starting && ($0.role == workerRole || $0.role.isEmpty)
        }
        .map { pulse in
            SystemState.Worker(
                processID: Int(pulse.pid), host: ProcessInfo.processInfo.hostName,
                isDraining: pulse.state == .draining,
                busyLanes: pulse.busy.count, lanes: configuration.lanes, requests: Int(clamping: pulse.served),
                started: world.now() - (now - pulse.spawned))
        }
    }

    private func jobs() throws -> [SystemState.Job] {
        let rows = try database.rows(
            """
            SELECT kind, SUM(state = 'waiting') AS waiting, SUM(state = 'running') AS running,
                   SUM(state = 'parked') AS parked, MIN(IF(state = 'waiting' AND run_at < UTC_TIMESTAMP(6), run_at, NULL)) AS oldest
              FROM jobs
             GROUP BY kind
             ORDER BY kind
             LIMIT 100
            """)
        return try rows.map { row in
            let kind: String = try row.get("kind")
            return SystemState.Job(
                kind: kind, label: BuiltHouse.jobLabels[kind] ?? kind, waiting: try row.get("waiting"),
                running: try row.get("running"),
                failed: try row.get("parked"), oldest: try row.get("oldest"))
        }
    }

    private func deliveries() throws -> SystemState.Deliveries {
        let queue = try rooms.webhooks.queueHealth()
        return SystemState.Deliveries(
            waiting: queue.waiting, due: queue.due, inFlight: queue.inFlight, oldestDue: queue.oldestDue,
            failures: queue.failures)
    }

    private func schema() throws -> SystemState.Schema {
        let state = try readiness.schemaState()
        let last = try database.row("SELECT name, applied_at FROM schema_migrations ORDER BY name DESC LIMIT 1")
        let count: Int = try database.row("SELECT COUNT(*) AS count FROM schema_migrations")?.get("count") ?? 0
        return SystemState.Schema(
            applied: count, known: Schema.migrations.count, latest: try last?.get("name") ?? "none",
            appliedAt: try last?.get("applied_at"), complaint: state.complaint)
    }

    private func keys() throws -> [SystemState.Key] {
        let ring = try KeyRing.load(path: configuration.keyringPath)
        let counts = try Vault.dataKeyCounts(in: database)
        let present = ring.ids.map { id in
            SystemState.Key(
                id: "\(id)", state: id == ring.primary ? .current : id == ring.next ? .next : .old,
                dataKeys: counts[id] ?? 0)
        }
        let missing = counts.keys.filter { !ring.ids.contains($0) }.sorted { $0.raw < $1.raw }
        return present + missing.map { SystemState.Key(id: "\($0)", state: .missing, dataKeys: counts[$0] ?? 0) }
    }
}
