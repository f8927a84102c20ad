import Glibc
import LogKit
import ProcessKit
import TimeKit

/// A program whose only purpose is to be supervised, crashed, hung and killed by the tests of ProcessKit.
///
///     ProcessKitFixture supervise ADDRESS PLAN   a supervisor; the file PLAN holds lines such as `count=2`
///     ProcessKitFixture child MODE               its child
///     ProcessKitFixture limit FILE SLOTS         takes a slot, says so, and holds it until its input ends
@main
enum Fixture {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        switch (arguments.first, arguments.dropFirst().first, arguments.dropFirst(2).first) {
        case ("supervise", let address?, let plan?): supervise(address, plan)
        case ("child", let mode?, nil): FixtureChild.live(mode)
        case ("limit", let file?, let slots?): limit(file, Int(slots) ?? 0)
        default: exit(64)
        }
    }

    private static func supervise(_ address: String, _ plan: String) {
        alarm(120)  // Whatever becomes of the tests, nothing stays behind.
        let log = Log(["from": "supervisor"])
        do {
            let socket: ListeningSocket? =
                address == "none" ? nil : try ListeningSocket(ListeningAddress(setting: address), log: log)
            let supervisor = try Supervisor(socket: socket, layout: .init(slots: 32, lanes: 4, counters: 4), log: log) {
                try FixturePlan.read(plan)
            }
            exit(try supervisor.run())
        } catch {
            log.error("cannot supervise", ["because": .text("\(error)")])
            exit(1)
        }
    }

    private static func limit(_ file: String, _ slots: Int) {
        do {
            try SlotLimiter(file: file, slots: slots).withSlot(deadline: .now() + .seconds(10)) {
                say("held\n")
                var byte: UInt8 = 0
                while unsafe read(0, &byte, 1) > 0 {}
            }
        } catch {
            say("busy\n")
        }
    }

    private static func say(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe write(1, bytes, bytes.count)
    }
}
