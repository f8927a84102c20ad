import DatabaseKit
import Domain
import HTTPKit
import JobKit
import LogKit
import TimeKit

/// What the room does by itself.
extension Connections {
    /// The jobs of this room.
    public var jobs: [JobHandler] {
        [
            JobHandler("connections.purge", every: .hours(24)) { _ in try purge() },
            JobHandler("connections.refresh", every: .seconds(30), deadline: .seconds(60)) { run in
                try perform(.refresh, in: run, refreshDue)
            },
            JobHandler("connections.probe", every: .minutes(1), deadline: .seconds(60)) { run in
                try planProbes()
                try perform(.probe, in: run, probeDue)
            },
            JobHandler("connections.sync", every: .minutes(1), deadline: .seconds(60)) { run in
                try perform(.sync, in: run, syncDue)
            },
            JobHandler("connections.checks", every: .hours(24)) { _ in try CheckStore.purge(database, world) },
            JobHandler(Self.revocationKind) { run in try revokeQueued(run) },
        ]
    }

    /// The kinds of jobs as the system page names them.
    public static let jobLabels = [
        "connections.purge": "Forget connections that were removed",
        "connections.refresh": "Renew the tokens of connections",
        "connections.probe": "Test connections once a day",
        "connections.sync": "Read what services say of themselves",
        "connections.checks": "Forget how connections fared a month ago",
        revocationKind: "Take access back at services",
    ]

    /// How long a turn picks new work.
    private static let turn = Duration.seconds(25)

    /// Does what is due, services side by side.
    private func perform(
        _ work: DueStore.Work, in run: JobRun, _ body: @escaping @Sendable (DueStore.Item) throws -> Void
    ) throws {
        let due = try DueStore(database: database, world: world).due(work)
        let log = log
        // What organizations name themselves hangs for each of them alone.
        let shared = Set(catalogue.providers.filter(\.hostFields.isEmpty).map(\.key))
        let calls = due.map { item in
            (shared.contains(item.provider) ? item.provider : "\(item.provider) \(item.organization)", item)
        }
        SideBySide(calls).run(
            until: .now + min(Self.turn, run.remaining), stopping: { run.isStopping }
        ) { item in
            do {
                try body(item)
            } catch is any Presentable {
                // It is noted with the connection.
            } catch {
                log.error(
                    "A connection could not be looked after",
                    ["connection": .init(item.id.text), "error": .init(String(reflecting: error))])
            }
        }
    }

    /// Renews the tokens of a connection, if they are due still.
    private func refreshDue(_ item: DueStore.Item) throws {
        let scope = Self.scope(of: item.organization)
        let view = try find(.id(item.id), scope)
        guard let dueAt = view.record.grant.refreshDueAt, dueAt <= world.now() else { return }
        _ = try renew(view, by: scope, because: .due)
    }

    /// The hub itself, at work in an organization.
    static func scope(of organization: Identifier<Organization>) -> OrganizationScope {
        OrganizationScope(
            trusted: organization, name: "", actor: Actor(kind: .hub, name: "Hub"), requestID: "-")
    }
}
