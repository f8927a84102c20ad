import FoundationEssentials
import ProcessKit

/// Reads what to keep running from a file of `name=value` lines; times are in milliseconds.
enum FixturePlan {
    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    static func read(_ path: String) throws -> Plan {
        let text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { throw Unreadable(description: "the plan has a line without a value") }
            values[String(parts[0])] = String(parts[1])
        }
        func milliseconds(_ name: String, _ usual: Duration) -> Duration {
            values[name].flatMap { Int($0) }.map { .milliseconds($0) } ?? usual
        }
        var patience = Plan.Patience()
        patience.boot = milliseconds("boot", patience.boot)
        patience.request = milliseconds("request", patience.request)
        patience.tick = milliseconds("tick", patience.tick)
        patience.drain = milliseconds("drain", patience.drain)
        patience.abort = milliseconds("abort", patience.abort)
        let mode = values["mode"] ?? "serve"
        return Plan(
            executable: values["executable"] ?? CommandLine.arguments[0],
            environment: Plan.environment(keeping: ["PATH"], prefixes: ["FIXTURE_"]),
            roles: [
                .init("worker", count: Int(values["count"] ?? "") ?? 2, arguments: ["child", mode]),
                .init("runner", count: Int(values["runners"] ?? "") ?? 0, arguments: ["child", "run"]),
            ],
            patience: patience)
    }
}
