import Glibc

@testable import ProcessKit

/// Plays the shell to a crew: gives out pids, keeps pulses, and remembers what was ordered.
struct Stage {
    var crew: Crew
    var now = MonotonicTime(milliseconds: 1_000_000)
    var pulses: [Int: Pulse] = [:]
    var notes: [Note] = []
    var signals: [Sent] = []
    var spawned: [Int32] = []
    var status: Int32?
    var refusal: String?
    private var nextPid: Int32 = 100

    struct Sent: Equatable {
        let pid: Int32
        let number: Int32
        init(_ pid: Int32, _ number: Int32) { (self.pid, self.number) = (pid, number) }
    }

    static func plan(workers: Int = 2, runners: Int = 0) -> Plan {
        Plan(
            executable: "/program", environment: [:],
            roles: [
                .init("worker", count: workers, arguments: ["worker"]),
                .init("runner", count: runners, arguments: ["work"]),
            ])
    }

    init(_ plan: Plan = Stage.plan(), slots: Int = 16, refusal: String? = nil) {
        crew = Crew(plan, slots: slots, at: now)
        self.refusal = refusal
        perform(crew.settle(now))
    }

    /// A stage whose first crew serves.
    static func open(_ plan: Plan = Stage.plan(), slots: Int = 16) -> Stage {
        var stage = Stage(plan, slots: slots)
        stage.ready(stage.spawned)
        stage.forget()
        return stage
    }

    var serving: [Int32] { crew.members.values.filter(\.serves).compactMap(\.pid).sorted() }
    func slot(of pid: Int32) -> Int { crew.members.first { $0.value.pid == pid }?.key ?? -1 }

    mutating func forget() { (notes, signals, spawned) = ([], [], []) }

    mutating func ready(_ pids: [Int32]) {
        for pid in pids { say(pid, .ready) }
        look()
    }

    mutating func say(_ pid: Int32, _ state: Heartbeat.State, busySince: MonotonicTime? = nil) {
        pulses[slot(of: pid)] = pulse(slot(of: pid), state, busySince: busySince)
    }

    mutating func look() { perform(crew.look(pulses, at: now)) }

    /// Time passes while everybody but these ticks.
    mutating func pass(_ duration: Duration, silent: [Int32] = []) {
        let end = now + duration
        while now < end {
            now = min(end, now + .seconds(1))
            for member in crew.members.values where !silent.contains(member.pid ?? 0) {
                let old = pulses[member.slot]
                pulses[member.slot] = pulse(member.slot, old?.state ?? .starting, busySince: old?.busy.first?.since)
            }
            look()
        }
    }

    mutating func end(_ pid: Int32, _ message: ExitMessage, lastWords: String? = nil) {
        let slot = slot(of: pid)
        let last = pulses.removeValue(forKey: slot) ?? pulse(slot, .starting)
        perform(crew.left(pid: pid, message, last: last, lastWords: lastWords, at: now))
    }

    mutating func perform(_ orders: [Order]) {
        var queue = orders[...]
        while let order = queue.popFirst() {
            switch order {
            case .spawn(let slot, _, let generation, _):
                guard crew.awaits(slot: slot, generation: generation) else { continue }
                if let refusal {
                    queue += crew.couldNotSpawn(slot: slot, because: refusal, at: now)
                    continue
                }
                nextPid += 1
                spawned.append(nextPid)
                crew.spawned(slot: slot, pid: nextPid)
                pulses[slot] = pulse(slot, .starting)
            case .signal(let pid, let number): signals.append(Sent(pid, number))
            case .note(let note): notes.append(note)
            case .leave(let code): status = code
            }
        }
    }

    private func pulse(_ slot: Int, _ state: Heartbeat.State, busySince: MonotonicTime? = nil) -> Pulse {
        Pulse(
            slot: slot, pid: 0, state: state, spawned: now, tick: now, served: 0, generation: 1, role: "",
            busy: busySince.map { [.init(lane: 0, since: $0, id: 7)] } ?? [])
    }
}
