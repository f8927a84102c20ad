import Glibc
import TimeKit

extension Crew {
    /// Orders what the state wants: children where they are missing, the change of shifts, the end.
    mutating func settle(_ now: MonotonicTime) -> [Order] {
        if ending != nil { return finish(at: now) }
        var orders = fill(current, at: now)
        if !current.complete, isComplete(current) {
            current.complete = true
            orders.append(.note(.open))
        }
        guard let next = candidate else { return orders }
        orders += fill(next, at: now)
        guard isComplete(next) else {
            // For want of a free slot, or because its children crash as soon as they are ready.
            guard now >= next.deadline else { return orders }
            return orders + abandon(because: "the new crew is not complete in time", at: now)
        }
        current = next
        current.complete = true
        candidate = nil
        orders.append(.note(.reloaded))
        return orders + retire(at: now) { $0.generation != next.generation }
    }

    mutating func fill(_ shift: Shift, at now: MonotonicTime) -> [Order] {
        var orders: [Order] = []
        for role in shift.plan.roles where now >= shift.policies[role.name]?.notBefore ?? now {
            for _ in 0..<max(0, role.count - strength(of: role, in: shift)) {
                guard let slot = (0..<slots).first(where: { members[$0] == nil }) else {
                    defer { crowded = true }
                    return crowded ? orders : orders + [.note(.noRoom)]
                }
                members[slot] = Member(slot: slot, role: role.name, generation: shift.generation, spawned: now)
                orders.append(.spawn(slot: slot, role: role, generation: shift.generation, plan: shift.plan))
            }
        }
        return orders
    }

    func strength(of role: Plan.Role, in shift: Shift) -> Int {
        members.values.count { $0.serves && $0.role == role.name && $0.generation == shift.generation }
    }

    func isComplete(_ shift: Shift) -> Bool {
        members.values.count { $0.isReady && $0.generation == shift.generation } >= shift.plan.strength
    }

    /// Takes over what a child says of itself.
    mutating func welcome(_ slot: Int, _ pulse: Pulse, at now: MonotonicTime) {
        guard let member = members[slot] else { return }
        if case .starting = member.phase, pulse.state == .ready || pulse.state == .draining {
            members[slot]?.phase = .ready(since: now)
            if member.generation == current.generation { current.everReady = true }
            if member.generation == candidate?.generation { candidate?.everReady = true }
        }
        if members[slot]?.isReady == true, pulse.state == .draining {
            let drain = patience(of: member).drain
            members[slot]?.phase = .draining(until: now + drain)
        }
    }

    /// Finds who is beyond its time. Replacements are ordered before the acts.
    mutating func judge(_ pulses: [Int: Pulse], at now: MonotonicTime) -> (notes: [Order], acts: [Order]) {
        var notes: [Order] = []
        var acts: [Order] = []
        for slot in members.keys.sorted() {
            guard let member = members[slot], let pid = member.pid else { continue }
            switch member.phase {
            case .starting, .ready:
                guard let symptom = symptom(of: member, pulses[member.slot], at: now) else { continue }
                let patience = patience(of: member)
                members[slot]?.phase = .aborting(until: now + patience.abort)
                notes.append(.note(.hung(member, symptom)))
                acts.append(.signal(pid: pid, number: SIGABRT))
                notes += lost(member, symptom, at: now)
            case .draining(let until), .aborting(let until):
                guard now >= until else { continue }
                members[slot]?.phase = .killed
                if case .draining = member.phase { notes.append(.note(.overdue(member))) }
                acts.append(.signal(pid: pid, number: SIGKILL))
            case .killed: continue
            }
        }
        return (notes, acts)
    }

    func symptom(of member: Member, _ pulse: Pulse?, at now: MonotonicTime) -> Note.Symptom? {
        let patience = patience(of: member)
        guard member.isReady else {
            return now - max(member.spawned, watchingSince) > patience.boot ? .boot : nil
        }
        guard let pulse else { return nil }
        if now - max(pulse.tick, watchingSince) > patience.tick { return .tick }
        return pulse.busy.contains { now - max($0.since, watchingSince) > patience.request } ? .request : nil
    }

    func patience(of member: Member) -> Plan.Patience {
        member.generation == candidate?.generation
            ? candidate?.plan.patience ?? current.plan.patience : current.plan.patience
    }

    // MARK: Losses

    /// A child of the serving shift ended before it was ready.
    mutating func lostInBoot(
        _ member: Member, _ message: ExitMessage?, because reason: String, at now: MonotonicTime
    ) -> [Order] {
        if !current.everReady {
            current.lostInBoot += 1
            // One says that it cannot boot, or each has died twice without a word: no person is served by trying on.
            if message == .couldNotBoot || current.lostInBoot >= 2 * current.plan.strength {
                return halt(because: reason, at: now)
            }
        }
        return crashed(member, young: true, at: now) + settle(now)
    }

    /// A child is given up for hung.
    mutating func lost(_ member: Member, _ symptom: Note.Symptom, at now: MonotonicTime) -> [Order] {
        let reason = "\(member.role): \(symptom.rawValue)"
        switch symptom {
        case _ where ending != nil: return []
        case .boot where member.generation == candidate?.generation: return abandon(because: reason, at: now)
        case .boot: return lostInBoot(member, nil, because: reason, at: now)
        case .tick, .request: return crashed(member, young: false, at: now)
        }
    }

    mutating func crashed(_ member: Member, young: Bool, at now: MonotonicTime) -> [Order] {
        let isCandidate = member.generation == candidate?.generation
        var shift = isCandidate ? candidate ?? current : current
        let delay = shift.policies[member.role]?.crashed(young: young, at: now) ?? .zero
        if isCandidate { candidate = shift } else { current = shift }
        return delay > .zero ? [.note(.waiting(role: member.role, for: delay))] : []
    }

    mutating func abandon(because reason: String, at now: MonotonicTime) -> [Order] {
        guard let failed = candidate else { return [] }
        candidate = nil
        return [.note(.reloadAbandoned(because: reason))] + retire(at: now) { $0.generation == failed.generation }
            + settle(now)
    }

    mutating func halt(because reason: String, at now: MonotonicTime) -> [Order] {
        [.note(.halting(because: reason))] + end(status: ExitMessage.couldNotBootStatus, at: now)
    }

    // MARK: Leaving

    /// Asks those who serve to leave.
    mutating func retire(at now: MonotonicTime, where chosen: (Member) -> Bool) -> [Order] {
        var orders: [Order] = []
        for slot in members.keys.sorted() {
            guard let member = members[slot], member.serves, chosen(member) else { continue }
            guard let pid = member.pid else {
                members[slot] = nil
                continue
            }
            let drain = patience(of: member).drain
            members[slot]?.phase = .draining(until: now + drain)
            orders.append(.signal(pid: pid, number: SIGTERM))
        }
        return orders
    }

    mutating func end(status: Int32, at now: MonotonicTime) -> [Order] {
        ending = Ending(status: status, until: now + current.plan.patience.drain)
        return retire(at: now) { _ in true } + finish(at: now)
    }

    mutating func finish(at now: MonotonicTime) -> [Order] {
        guard var end = ending, !end.left else { return [] }
        if members.isEmpty {
            end.left = true
            ending = end
            return [.leave(status: end.status)]
        }
        return now >= end.until ? killAll() : []
    }

    mutating func killAll() -> [Order] {
        guard ending?.killed == false else { return [] }
        ending?.killed = true
        var orders: [Order] = []
        for slot in members.keys.sorted() {
            guard let member = members[slot], member.phase != .killed, let pid = member.pid else { continue }
            members[slot]?.phase = .killed
            orders.append(.signal(pid: pid, number: SIGKILL))
        }
        return orders
    }
}
