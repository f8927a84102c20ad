import Glibc
import LimitKit
import LogKit
import Synchronization
import ThreadKit
import TimeKit

/// A program whose only purpose is to take and to be killed while it does.
///
///     LimitKitFixture hammer FILE LIMIT THREADS SECONDS TRIES OUTPUT   tries to take from one subject so often and for so
///                                                                      long at least; appends the moment of each unit it
///                                                                      got to OUTPUT, 8 bytes each; says how often it tried
///     LimitKitFixture tick FILE OUTPUT                                 appends its pid each time that its ticker ticks
@main
enum Fixture {
    /// How much faster its clock runs than the real one: a minute's window takes a second.
    static let haste: Int64 = 60

    static func main() {
        alarm(120)  // Whatever becomes of the tests, nothing stays behind.
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            switch (arguments.first, arguments.count) {
            case ("hammer", 7):
                try hammer(
                    arguments[1], limit: Int(arguments[2]) ?? 0, threads: Int(arguments[3]) ?? 1,
                    seconds: Int(arguments[4]) ?? 1, tries: Int(arguments[5]) ?? 0, output: arguments[6])
            case ("tick", 3): try tick(arguments[1], output: arguments[2])
            default: exit(64)
            }
        } catch {
            Log().error("the fixture failed", ["because": .text("\(error)")])
            exit(1)
        }
    }

    /// What all its threads share.
    private final class Tally: Sendable {
        let tried = Atomic<Int>(0)
    }

    private static func hammer(
        _ file: String, limit: Int, threads: Int, seconds: Int, tries: Int, output: String
    ) throws {
        let now: @Sendable () -> Timestamp = {
            Timestamp(microseconds: Timestamp.now().microseconds % 1_000_000_000_000 * haste)
        }
        let limiter = try Limiter(file: file, subjects: 64, log: Log(), now: now)
        let descriptor = unsafe open(output, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        let tally = Tally()
        let end = ContinuousClock.now + .seconds(seconds)
        let quotas = [Quota.minute(limit), .hour(1_000_000), .day(10_000_000)]
        let running = try (0..<threads).map { number in
            try WorkerThread(name: "hammer \(number)") {
                while ContinuousClock.now < end || tally.tried.load(ordering: .relaxed) < tries {
                    let verdict = limiter.take(from: quotas, of: LimitSubject("key", [7]), at: now())
                    tally.tried.add(1, ordering: .relaxed)
                    guard verdict.isAllowed else { continue }
                    var moment = verdict.decidedAt.microseconds
                    _ = unsafe write(descriptor, &moment, 8)
                }
            }
        }
        for thread in running { thread.join() }
        say("\(tally.tried.load(ordering: .relaxed))\n")
    }

    private static func tick(_ file: String, output: String) throws {
        let descriptor = unsafe open(output, O_WRONLY | O_CLOEXEC)
        let ticker = try HostTicker(file: file, log: Log()) { _ in
            let line = Array("\(getpid())\n".utf8)
            _ = unsafe write(descriptor, line, line.count)
        }
        try ticker.start()
        var byte: UInt8 = 0
        while unsafe read(0, &byte, 1) > 0 {}
        ticker.stop(before: .now + .seconds(5))
    }

    private static func say(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe write(1, bytes, bytes.count)
    }
}
