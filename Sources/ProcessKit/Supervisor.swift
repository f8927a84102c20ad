import Glibc
import LogKit
import TimeKit

/// Keeps a crew of children running: the thin shell that does what ``Crew`` decides.
///
/// It owns the listening socket, the heartbeat page and the children, and nothing else: no thread, no database, no
/// template. Signals are blocked and taken in the loop: SIGTERM, SIGQUIT and SIGINT ask to leave (the second of them
/// kills), SIGHUP reloads, SIGUSR1 writes a status to the log, SIGCHLD tells of a child's end.
public struct Supervisor: ~Copyable {
    private let socket: ListeningSocket?
    private let heartbeat: Heartbeat
    private let spawner: Spawner
    private let log: Log
    private let plan: () throws -> Plan
    private var manager = ServiceManager()
    private var wantsReload = false
    private var wantsReport = false

    /// A supervisor for this socket, or for none when its children accept nothing.
    ///
    /// - Parameter plan: gives the plan at the start and again at each reload; when it throws at a reload, the old crew
    ///   stays. What it throws is written to the log by its `description`.
    public init(
        socket: consuming ListeningSocket?, layout: Heartbeat.Layout = .init(), log: Log,
        plan: @escaping () throws -> Plan
    ) throws(ProcessError) {
        heartbeat = try Heartbeat(layout: layout, supervisor: getpid())
        let descriptor: Int32?
        switch socket {
        case .some(let socket): descriptor = socket.descriptor
        case .none: descriptor = nil
        }
        spawner = Spawner(socket: descriptor, page: heartbeat.page.descriptor)
        self.socket = socket
        self.log = log
        self.plan = plan
    }

    /// Runs until the crew has left, and returns the status to exit with: 0 after a stop that was asked for, 3 when the
    /// crew could not boot.
    ///
    /// To be called on the main thread of a process without other threads.
    ///
    /// - Throws: what the plan throws at the start.
    public consuming func run() throws -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        let signals = Signals(blocking: [SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGCHLD])
        Spawner.keepStrayDescriptors()
        let first: Plan
        do {
            first = try plan()
        } catch {
            if let socket { socket.remove() }
            throw error
        }
        publish(first.patience)
        var crew = Crew(first, slots: heartbeat.layout.slots, at: .now())
        var status = perform(crew.settle(.now()), &crew)
        while status == nil {
            var orders: [Order] = []
            var pending = signals.next(within: crew.isRestless ? .milliseconds(50) : .milliseconds(500))
            while let number = pending {
                orders += heard(number, &crew)
                pending = signals.next(within: .zero)
            }
            orders += reap(&crew)
            orders += reloadIfWanted(&crew)
            orders += crew.look(pulses(of: crew), at: .now())
            status = perform(orders, &crew)
            reportIfWanted(crew)
            manager.alive(at: .now())
        }
        log.info("stopped", ["status": .number(Int64(status ?? 0))])
        if let socket { socket.remove() }
        return status ?? 0
    }

    private mutating func heard(_ number: Int32, _ crew: inout Crew) -> [Order] {
        switch number {
        case SIGTERM, SIGQUIT, SIGINT: return crew.stop(at: .now())
        case SIGHUP: wantsReload = true
        case SIGUSR1: wantsReport = true
        default: break
        }
        return []
    }

    /// Takes every child that has ended; as the first process of a container, strangers too.
    private func reap(_ crew: inout Crew) -> [Order] {
        var orders: [Order] = []
        var status: Int32 = 0
        while true {
            let pid = unsafe waitpid(-1, &status, WNOHANG)
            guard pid > 0 else { return orders }
            guard let slot = crew.members.first(where: { $0.value.pid == pid })?.key else { continue }
            orders += crew.left(
                pid: pid, ExitMessage(waitStatus: status), last: heartbeat.pulse(slot),
                lastWords: heartbeat.lastWords(slot), at: .now())
            heartbeat.clear(slot)
        }
    }

    /// Several requests to reload become one; one that comes during a reload waits for its end.
    private mutating func reloadIfWanted(_ crew: inout Crew) -> [Order] {
        guard wantsReload, !crew.isReloading, crew.ending == nil else { return [] }
        wantsReload = false
        do {
            let next = try plan()
            publish(next.patience)
            return crew.reload(next, at: .now())
        } catch {
            log.error("reload refused, the old crew stays", ["because": .text("\(error)")])
            return []
        }
    }

    private func publish(_ patience: Plan.Patience) {
        heartbeat.patience = (drain: patience.drain, tick: patience.tick, boot: patience.boot)
    }

    private func pulses(of crew: Crew) -> [Int: Pulse] {
        crew.members.reduce(into: [:]) { $0[$1.key] = heartbeat.pulse($1.key) }
    }

    /// Does what was decided, and what follows from it; returns the exit status once everything is done.
    private func perform(_ orders: [Order], _ crew: inout Crew) -> Int32? {
        var queue = orders[...]
        while let order = queue.popFirst() {
            switch order {
            case .spawn(let slot, let role, let generation, let plan):
                guard crew.awaits(slot: slot, generation: generation) else { continue }
                queue += spawn(slot, role, generation, plan, &crew)
            case .signal(let pid, let number): kill(pid, number)
            case .note(let note):
                log.write(note)
                tell(note)
            case .leave(let status): return status
            }
        }
        return nil
    }

    private func spawn(
        _ slot: Int, _ role: Plan.Role, _ generation: UInt64, _ plan: Plan, _ crew: inout Crew
    ) -> [Order] {
        heartbeat.prepare(slot, role: role.name, generation: generation, at: .now())
        do {
            let pid = try spawner.spawn(role, slot: slot, plan: plan)
            crew.spawned(slot: slot, pid: pid)
            log.info(
                "child started",
                ["role": .text(role.name), "pid": .number(Int64(pid)), "slot": .number(Int64(slot))])
            return []
        } catch {
            heartbeat.clear(slot)
            return crew.couldNotSpawn(slot: slot, because: error.description, at: .now())
        }
    }

    private func tell(_ note: Note) {
        switch note {
        case .open, .reloaded, .reloadAbandoned: manager.ready()
        case .reloading: manager.reloading(at: .now())
        case .stopping, .halting: manager.stopping()
        default: break
        }
    }

    /// Tells how the crew stands once all that was heard before has been acted upon.
    private mutating func reportIfWanted(_ crew: Crew) {
        guard wantsReport else { return }
        wantsReport = false
        let now = MonotonicTime.now()
        for member in crew.members.values.sorted(by: { $0.slot < $1.slot }) {
            let pulse = heartbeat.pulse(member.slot)
            let oldest = pulse.busy.map { (now - $0.since).milliseconds }.max() ?? 0
            log.info(
                "status",
                [
                    "role": .text(member.role), "slot": .number(Int64(member.slot)),
                    "pid": .number(Int64(member.pid ?? 0)),
                    "state": .text("\(pulse.state)"), "generation": .number(Int64(clamping: member.generation)),
                    "age_ms": .number((now - member.spawned).milliseconds),
                    "silent_ms": .number((now - pulse.tick).milliseconds),
                    "served": .number(Int64(clamping: pulse.served)), "busy": .number(Int64(pulse.busy.count)),
                    "oldest_request_ms": .number(oldest),
                ])
        }
    }
}
