import AdminShell
import TemplateKit
import TimeKit

/// How a connection has fared, as its page shows it: a bar for each of the last checks, and the newest in words.
struct ConnectionHealth: Sendable {
    /// How many checks are shown as bars.
    static let most = 30
    /// How many are told in words.
    private static let told = 4

    /// The last checks, the newest first.
    let checks: [CheckStore.Check]
    /// Where tokens are renewed; nil when that is nobody's here, or there are none.
    let refreshAction: String?

    /// The value of `health` on the page of a connection.
    func view(now: Timestamp) -> TemplateValue {
        [
            "has_checks": .bool(!checks.isEmpty), "refresh_action": TemplateValue(refreshAction),
            "summary": .text(summary), "bars": .list(checks.reversed().map(bar)),
            "latest": .list(checks.prefix(Self.told).map { told($0, now) }),
        ]
    }

    private var summary: String {
        let good = checks.count { $0.isSuccess }
        if checks.count == 1 { return good == 1 ? "The last check passed." : "The last check failed." }
        return good == checks.count
            ? "The last \(checks.count) checks passed." : "\(good) of the last \(checks.count) checks passed."
    }

    private func bar(_ check: CheckStore.Check) -> TemplateValue {
        ["tone": .text(check.isSuccess ? "good" : "bad"), "word": .text("\(check.kind.word) \(word(check))")]
    }

    private func told(_ check: CheckStore.Check, _ now: Timestamp) -> TemplateValue {
        [
            "tone": .text(check.isSuccess ? "good" : "bad"), "text": .text("\(check.kind.word) \(word(check))"),
            "detail": TemplateValue(check.detail), "at": check.at.view(now: now),
            "duration": check.duration > .zero ? .text(check.duration.words) : .null,
        ]
    }

    private func word(_ check: CheckStore.Check) -> String { check.isSuccess ? "passed" : "failed" }
}
