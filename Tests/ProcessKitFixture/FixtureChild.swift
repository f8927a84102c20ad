import Glibc
import LogKit
import ProcessKit
import Synchronization
import ThreadKit
import TimeKit

/// The child: it serves, or fails in the way it is told to.
enum FixtureChild {
    /// Whether lanes are to leave.
    private final class Leaving: Sendable {
        let flag = Atomic<Bool>(false)
    }

    static func live(_ mode: String) {
        do {
            let child = try Child.adopt(log: Log(["from": "child"]))
            switch mode {
            case "serve": try serve(child)
            case "run": serveNothing(child)
            case "unbootable": child.couldNotBoot(because: "the fixture was told not to boot")
            case "mute": exit(9)
            case "crash":
                child.slot.ready()
                exit(9)
            case "slow": while true { pause() }
            case "waiting": while !child.isAskedToLeave { usleep(5_000) }
            case "hang":
                child.slot.ready()
                while true { pause() }
            case "stuck":
                child.slot.lane(1).began(request: 0xABCDEF)
                serveNothing(child)
            case "stubborn":
                serveNothing(child)
                while true { pause() }
            default: exit(64)
            }
        } catch {
            exit(65)
        }
    }

    private static func serveNothing(_ child: Child) {
        child.slot.ready()
        child.run(ticking: .milliseconds(50))
    }

    private static func serve(_ child: Child) throws {
        let leaving = Leaving()
        let lanes = try (0..<2).map { number in
            try WorkerThread(name: "lane \(number)") { accept(child, child.slot.lane(number), leaving) }
        }
        child.slot.ready()
        child.run(ticking: .milliseconds(50))
        leaving.flag.store(true, ordering: .releasing)
        for lane in lanes where !lane.join(before: .now + .seconds(30)) { exit(66) }
    }

    /// Answers each connection with this process's number, its generation and a number counted by all processes.
    private static func accept(_ child: Child, _ lane: HeartbeatSlot.Lane, _ leaving: Leaving) {
        while !leaving.flag.load(ordering: .acquiring) {
            var waiting = pollfd(fd: Child.socketDescriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&waiting, 1, 20) > 0 else { continue }
            let connection = Glibc.accept(Child.socketDescriptor, nil, nil)
            guard connection >= 0 else { continue }
            lane.began(request: 1)
            let counted = child.heartbeat.counter(0).advance()
            let answer = Array("\(getpid()) \(child.slot.pulse.generation) \(counted)\n".utf8)
            _ = unsafe write(connection, answer, answer.count)
            close(connection)
            lane.ended()
        }
    }
}
