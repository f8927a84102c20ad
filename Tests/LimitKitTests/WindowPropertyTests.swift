import Testing
import TimeKit

@testable import LimitKit

/// Windows against what plain lists of all that was taken say.
@Suite("Windows")
struct WindowPropertyTests {
    /// Every unit that was ever taken.
    private struct Ledger {
        private var taken: [(moment: Int64, cost: Int)] = []
        private var last = [[Int64: Int64]](repeating: [:], count: 3)

        private static func bucket(_ window: LimitWindow) -> Int64 { Int64(window.seconds) * 1_000_000 / 60 }

        mutating func add(_ cost: Int, at moment: Int64) {
            taken.append((moment, cost))
            for window in LimitWindow.allCases { last[window.rawValue][moment / Self.bucket(window)] = moment }
        }

        /// What was taken within the window that ends now, by the letter.
        func strictly(_ window: LimitWindow, at now: Int64) -> Int {
            let length = Int64(window.seconds) * 1_000_000
            return taken.reversed().prefix { $0.moment > now - length }.reduce(0) { $0 + $1.cost }
        }

        /// What counts: of each bucket all, until the 64th of its last unit has left.
        func counted(_ window: LimitWindow, at now: Int64) -> Int {
            let whole = Int64(window.seconds) * 1_000_000
            let (bucket, part) = (Self.bucket(window), whole / 3_840)
            return taken.reversed().prefix { $0.moment > now - whole - bucket - part }.reduce(0) { sum, unit in
                let leaves = ((last[window.rawValue][unit.moment / bucket] ?? 0) / part + 1) * part + whole
                return now < leaves ? sum + unit.cost : sum
            }
        }
    }

    @Test("Every verdict is the one that a list of all units gives", arguments: 1...4)
    func model(seed: UInt64) throws {
        var chance = Chance(seed)
        let clock = SetClock()
        let limiter = try Folder().limiter { clock.now }
        let subject = LimitSubject("key", [1])
        var ledger = Ledger()
        // Steps of microseconds up to hours, so that every window is met full, partly left and left.
        let steps: [Int64] = [1, 15_625, 400_000, 3_000_000, 61_000_000, 1_500_000_000]
        for _ in 0..<1_500 {
            let step = steps[Int.random(in: 0..<(Int.random(in: 1...steps.count, using: &chance)), using: &chance)]
            clock.now = clock.now + .microseconds(Int64.random(in: 0...step, using: &chance))
            let now = clock.now.microseconds
            let quotas = [
                Quota.minute(Int.random(in: 20...40, using: &chance)), .hour(300), .day(2_000),
            ]
            let cost = Int.random(in: 1...6, using: &chance)
            let used = quotas.map { ledger.counted($0.window, at: now) }
            let fits = zip(quotas, used).map { $1 + cost <= $0.limit }
            let verdict = limiter.take(cost, from: quotas, of: subject, at: clock.now)
            try #require(verdict.standings.map(\.isViolated) == fits.map { !$0 }, "\(used) \(verdict)")
            if verdict.isAllowed { ledger.add(cost, at: now) }
            for (quota, standing) in zip(quotas, verdict.standings) {
                try #require(standing.remaining == max(0, quota.limit - ledger.counted(quota.window, at: now)))
            }
            if let wait = verdict.retryAfter {
                let then = now + wait.microseconds
                let violated = quotas.filter { verdict.violated.contains($0) }
                try #require(violated.allSatisfy { ledger.counted($0.window, at: then) + cost <= $0.limit })
                try #require(violated.contains { ledger.counted($0.window, at: then - 1) + cost > $0.limit })
            }
        }
    }

    @Test("Whatever the clock does, no window holds more than its limit and nothing is below zero", arguments: 1...4)
    func jumps(seed: UInt64) throws {
        var chance = Chance(seed)
        let clock = SetClock()
        let limiter = try Folder().limiter { clock.now }
        let subject = LimitSubject("key", [1])
        var ledger = Ledger()
        // Time as it passes for the ledger: it stands still while the clock goes back.
        var passed: Int64 = 0
        var taken = 0
        for _ in 0..<2_500 {
            let span: Int64 = [20_000, 500_000, 20_000_000, 4_000_000_000].randomElement(using: &chance) ?? 1
            let step = Int64.random(in: -span / 2...span, using: &chance)
            clock.now = clock.now + .microseconds(step)
            passed += max(0, step)
            let quotas = [Quota.minute(30), .hour(200), .day(900)]
            let cost = Int.random(in: 1...4, using: &chance)
            let verdict = limiter.take(cost, from: quotas, of: subject, at: clock.now)
            try #require(verdict.standings.allSatisfy { $0.remaining >= 0 && $0.resetsIn >= .zero })
            guard verdict.isAllowed else { continue }
            taken += 1
            ledger.add(cost, at: passed)
            for quota in quotas {
                try #require(ledger.strictly(quota.window, at: passed) <= quota.limit)
            }
        }
        #expect(taken > 200, "a limiter that refuses everything would pass")
    }
}
