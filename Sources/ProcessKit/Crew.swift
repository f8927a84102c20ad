import Glibc
import TimeKit

/// Decides about children: who is started, replaced, asked to leave, killed. It holds no clock, process or socket.
///
/// Each function takes what happened and the present moment, and returns what is to be done. What is wanted follows
/// from the state alone (``settle(_:)``), so no event can be lost by coming in an unforeseen order.
struct Crew: Sendable {
    /// Children by slot.
    var members: [Int: Member] = [:]
    /// The shift that serves.
    var current: Shift
    /// The shift that is to take over once all of it is ready.
    var candidate: Shift?
    var ending: Ending?
    let slots: Int
    private var generations: UInt64 = 1
    /// Whether the lack of a free slot has been told.
    var crowded = false
    private var lastLook: MonotonicTime
    /// Since when this process has been looking without a pause.
    var watchingSince: MonotonicTime

    /// How the whole crew ends.
    struct Ending: Equatable {
        let status: Int32
        let until: MonotonicTime
        var killed = false
        var left = false
    }

    /// A crew for this plan with so many slots; ``settle(_:)`` then orders its first children.
    init(_ plan: Plan, slots: Int, at now: MonotonicTime) {
        current = Shift(generation: 1, plan: plan, at: now)
        self.slots = slots
        (lastLook, watchingSince) = (now, now)
    }

    /// Whether a reload is under way.
    var isReloading: Bool { candidate != nil }

    /// Whether something is expected to change soon, so that it is worth looking often.
    var isRestless: Bool {
        ending != nil || candidate != nil || !current.complete || members.values.contains { !$0.isReady }
            || current.plan.roles.contains { strength(of: $0, in: current) < $0.count }
    }

    // MARK: What happens

    /// Whether a spawn order still stands: what was decided since may have taken it back.
    func awaits(slot: Int, generation: UInt64) -> Bool {
        guard let member = members[slot] else { return false }
        return member.generation == generation && member.pid == nil
    }

    /// A spawn order succeeded.
    mutating func spawned(slot: Int, pid: Int32) {
        members[slot]?.pid = pid
    }

    /// A spawn order failed. The first start of all halts, since the program itself cannot be run; later it is tried again.
    mutating func couldNotSpawn(slot: Int, because reason: String, at now: MonotonicTime) -> [Order] {
        guard let member = members.removeValue(forKey: slot) else { return [] }
        let note = Order.note(.notSpawned(role: member.role, because: reason))
        if member.generation == candidate?.generation { return [note] + abandon(because: reason, at: now) }
        guard current.everReady else { return [note] + halt(because: reason, at: now) }
        return [note] + crashed(member, young: true, at: now) + settle(now)
    }

    /// A child was reaped; its last pulse may tell that it had become ready since the last look.
    mutating func left(
        pid: Int32, _ message: ExitMessage, last pulse: Pulse, lastWords: String?, at now: MonotonicTime
    ) -> [Order] {
        guard let slot = members.first(where: { $0.value.pid == pid })?.key else { return [] }
        welcome(slot, pulse, at: now)
        guard let member = members.removeValue(forKey: slot) else { return [] }
        crowded = false
        let note = Order.note(
            .left(
                .init(
                    member: member, message: message, lived: now - member.spawned,
                    requests: pulse.busy.map(\.id), lastWords: lastWords)))
        guard ending == nil else { return [note] + settle(now) }
        let reason = lastWords ?? "\(member.role) \(message)"
        switch member.phase {
        case .draining, .aborting, .killed:
            return [note] + settle(now)
        case .starting where member.generation == candidate?.generation:
            return [note] + abandon(because: reason, at: now)
        case .starting:
            return [note] + lostInBoot(member, message, because: reason, at: now)
        case .ready(let since):
            let young = now - since < .seconds(1)
            guard message != .served || young else { return [note] + settle(now) }
            return [note] + crashed(member, young: young, at: now) + settle(now)
        }
    }

    /// Looks at what the children say of themselves, and at the clock.
    mutating func look(_ pulses: [Int: Pulse], at now: MonotonicTime) -> [Order] {
        // After a pause of this process, frozen or stopped, nobody is judged by what came before it.
        if now - lastLook > .seconds(5) { watchingSince = now }
        lastLook = now
        for (slot, pulse) in pulses { welcome(slot, pulse, at: now) }
        let judged = judge(pulses, at: now)
        return judged.notes + settle(now) + judged.acts
    }

    /// A new plan is to take over; nothing happens while one is under way or the crew is leaving.
    mutating func reload(_ plan: Plan, at now: MonotonicTime) -> [Order] {
        guard ending == nil, candidate == nil else { return [] }
        generations += 1
        candidate = Shift(generation: generations, plan: plan, at: now)
        return [.note(.reloading)] + settle(now)
    }

    /// The crew is asked to leave; asked twice, it is killed.
    mutating func stop(at now: MonotonicTime) -> [Order] {
        guard ending == nil else { return killAll() }
        return [.note(.stopping)] + end(status: 0, at: now)
    }
}
