import Domain
import HTTPKit
import ThreadKit

/// The tests of webhooks that are under way in this process.
///
/// Each occupies a lane until its receiver has answered, or for as long as an attempt may take: so there are fewer than
/// lanes, and one at a time of each webhook.
final class Trials: Sendable {
    private let running = Lock<Set<Identifier<Webhook>>>([])

    /// Tests a webhook, unless that would be too much.
    ///
    /// - Throws: `Problem` 429 while it is being tested, 503 while so many others are.
    func run<Result>(_ webhook: Identifier<Webhook>, atMost count: Int, _ body: () throws -> Result) throws -> Result {
        try begin(webhook, atMost: count)
        defer { running.withLock { _ = $0.remove(webhook) } }
        return try body()
    }

    private func begin(_ webhook: Identifier<Webhook>, atMost count: Int) throws(Problem) {
        let refusal: Problem? = running.withLock { running in
            guard !running.contains(webhook) else {
                return Problem(
                    429, "test_under_way", "This webhook is being tested at this very moment.",
                    headers: ["retry-after": "1"])
            }
            guard running.count < count else {
                return Problem(
                    503, "busy", "Many webhooks are being tested just now. Try again in a second.",
                    headers: ["retry-after": "1"])
            }
            running.insert(webhook)
            return nil
        }
        if let refusal { throw refusal }
    }
}
