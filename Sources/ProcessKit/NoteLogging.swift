import LogKit
import TimeKit

extension Log {
    /// Writes what happened to the crew.
    func write(_ note: Note) {
        switch note {
        case .open: info("ready")
        case .reloading: info("reloading")
        case .reloaded: info("reloaded")
        case .reloadAbandoned(let reason): error("reload given up, the old crew stays", ["because": .text(reason)])
        case .left(let departure): write(departure)
        case .waiting(let role, let delay):
            warning(
                "crashes come quickly, waiting before the next start",
                ["role": .text(role), "wait_ms": .number(delay.milliseconds)])
        case .hung(let member, let symptom):
            about(member).warning("child is hung and replaced", ["symptom": .text(symptom.rawValue)])
        case .overdue(let member): about(member).warning("child did not leave in time and is killed")
        case .notSpawned(let role, let reason):
            error("child could not be started", ["role": .text(role), "because": .text(reason)])
        case .noRoom: error("the heartbeat page has no free slot for another child")
        case .stopping: info("stopping")
        case .halting(let reason): error("halting: the program could not boot", ["because": .text(reason)])
        }
    }

    private func write(_ departure: Note.Departure) {
        var line = about(departure.member).with([
            "cause": .text(departure.cause), "lived_ms": .number(departure.lived.milliseconds),
        ])
        if let words = departure.lastWords { line = line.with(["because": .text(words)]) }
        if !departure.requests.isEmpty {
            let named = departure.requests.prefix(8).map { id in
                let digits = String(id, radix: 16)
                return String(repeating: "0", count: 32 - digits.count) + digits
            }
            line = line.with([
                "lost_requests": .number(Int64(departure.requests.count)),
                "requests": .text(named.joined(separator: " ")),
            ])
        }
        if case .served = departure.message { line.info("child left") } else { line.warning("child lost") }
    }

    private func about(_ member: Member) -> Log {
        with([
            "role": .text(member.role), "slot": .number(Int64(member.slot)), "pid": .number(Int64(member.pid ?? 0)),
        ])
    }
}
