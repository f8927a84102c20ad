import LogKit
import Testing
import TimeKit

@testable import LimitKit

@Suite("Limits")
struct LimiterTests {
    private let key = LimitSubject("key", [1])
    private let clock = SetClock()

    private func limiter(_ folder: Folder, subjects: Int = 64) throws -> Limiter {
        try folder.limiter(subjects: subjects) { [clock] in clock.now }
    }

    @Test("What was taken counts for its window, and for no longer than a 64th of a bucket beyond it")
    func window() throws {
        let limiter = try limiter(Folder())
        for taken in 1...3 {
            let verdict = limiter.take(from: [.minute(3)], of: key, at: clock.now)
            #expect(verdict.isAllowed && verdict.retryAfter == nil && verdict.violated.isEmpty)
            #expect(verdict.standings.map(\.remaining) == [3 - taken])
        }
        let refused = limiter.take(from: [.minute(3)], of: key, at: clock.now)
        #expect(!refused.isAllowed && refused.violated == [.minute(3)] && refused.standings[0].remaining == 0)
        #expect(refused.retryAfter == .microseconds(60_015_625) && refused.standings[0].resetsIn == refused.retryAfter)
        #expect(!limiter.take(from: [.minute(3)], of: key, at: clock.now + .seconds(60)).isAllowed)
        let free = limiter.take(3, from: [.minute(3)], of: key, at: clock.now + .microseconds(60_015_625))
        #expect(free.isAllowed && free.standings[0].remaining == 0)
    }

    @Test("All quotas are taken from, or none")
    func allOrNothing() throws {
        let limiter = try limiter(Folder())
        let quotas = [Quota.minute(10), .hour(5), .day(100)]
        #expect(limiter.take(5, from: quotas, of: key, at: clock.now).isAllowed)
        let refused = limiter.take(from: quotas, of: key, at: clock.now)
        #expect(refused.violated == [.hour(5)] && refused.standings.map(\.remaining) == [5, 0, 95])
        #expect(refused.standings.map(\.isViolated) == [false, true, false])
        #expect(refused.retryAfter == refused.standings[1].resetsIn && refused.standings[1].resetsIn > .minutes(59))
        #expect(limiter.take(5, from: [.minute(10)], of: key, at: clock.now).isAllowed)
    }

    @Test("Two quotas of one window count the same units, each with its own limit")
    func sameWindow() throws {
        let limiter = try limiter(Folder())
        let quotas = [Quota(name: "a", limit: 4, window: .minute), Quota(name: "b", limit: 2, window: .minute)]
        let first = limiter.take(2, from: quotas, of: key, at: clock.now)
        #expect(first.standings.map(\.remaining) == [2, 0])
        #expect(limiter.take(from: quotas, of: key, at: clock.now).violated.map(\.name) == ["b"])
    }

    @Test("A limit may change at any time, and what was counted stays")
    func changedLimit() throws {
        let limiter = try limiter(Folder())
        #expect(limiter.take(8, from: [.minute(10)], of: key, at: clock.now).isAllowed)
        #expect(limiter.take(from: [.minute(5)], of: key, at: clock.now).standings[0].remaining == 0)
        #expect(limiter.take(4, from: [.minute(12)], of: key, at: clock.now).isAllowed)
        #expect(!limiter.take(from: [.minute(0)], of: LimitSubject("key", [2]), at: clock.now).isAllowed)
    }

    @Test("A cost above the limit, however large, is refused and takes nothing; one below zero is none")
    func costs() throws {
        let limiter = try limiter(Folder())
        for cost in [11, 1 << 26, .max] {
            let refused = limiter.take(cost, from: [.minute(10)], of: key, at: clock.now)
            #expect(!refused.isAllowed && refused.retryAfter == .seconds(60) && refused.standings[0].remaining == 10)
        }
        #expect(!limiter.take(1 << 26, from: [.minute(.max)], of: key, at: clock.now).isAllowed)
        for cost in [0, -1, .min] { #expect(limiter.take(cost, from: [.minute(10)], of: key, at: clock.now).isAllowed) }
        #expect(limiter.take(10, from: [.minute(10)], of: key, at: clock.now).isAllowed)
        #expect(limiter.take(from: [], of: key, at: clock.now).isAllowed)
    }

    @Test("Looking takes nothing and gives nobody a slot")
    func peeking() throws {
        let limiter = try limiter(Folder())
        for _ in 0..<3 {
            let seen = limiter.peek(from: [.minute(2)], of: key, at: clock.now)
            #expect(seen.isAllowed && seen.standings[0].remaining == 2 && seen.standings[0].resetsIn == .zero)
        }
        #expect(!limiter.peek(3, from: [.minute(2)], of: key, at: clock.now).isAllowed)
        #expect(limiter.take(2, from: [.minute(2)], of: key, at: clock.now).isAllowed)
        let seen = limiter.peek(from: [.minute(2)], of: key, at: clock.now)
        #expect(!seen.isAllowed && seen.retryAfter != nil)
        #expect(limiter.peek(0, from: [.minute(2)], of: key, at: clock.now).isAllowed)
    }

    @Test("What is given back is free again, and from the bucket that it was taken from")
    func givingBack() throws {
        let limiter = try limiter(Folder())
        let quotas = [Quota.minute(2), .hour(2)]
        let first = limiter.take(from: quotas, of: key, at: clock.now)
        let second = limiter.take(from: quotas, of: key, at: clock.now + .seconds(30))
        limiter.giveBack(taken: first, of: key)
        let seen = limiter.peek(from: quotas, of: key, at: clock.now + .seconds(31))
        #expect(second.isAllowed && seen.standings.map(\.remaining) == [1, 1])
        #expect(seen.standings[0].resetsIn > .seconds(58))
        let refused = limiter.take(2, from: quotas, of: key, at: clock.now + .seconds(31))
        limiter.giveBack(2, taken: refused, of: key)
        limiter.giveBack(taken: first, of: LimitSubject("key", [9]))
        #expect(limiter.peek(from: quotas, of: key, at: clock.now + .seconds(31)) == seen)
    }

    @Test("What is forgotten counts no more")
    func forgetting() throws {
        let limiter = try limiter(Folder())
        #expect(limiter.take(2, from: [.day(2)], of: key, at: clock.now).isAllowed)
        limiter.forget(key)
        limiter.forget(LimitSubject("key", [9]))
        #expect(limiter.take(2, from: [.day(2)], of: key, at: clock.now).isAllowed)
    }

    @Test("A clock set back ends no window and begins none; what counts keeps its age")
    func clockSetBack() throws {
        let limiter = try limiter(Folder())
        #expect(limiter.take(2, from: [.minute(2)], of: key, at: clock.now).isAllowed)
        clock.now = clock.now + .seconds(20)
        #expect(!limiter.take(from: [.minute(2)], of: key, at: clock.now).isAllowed)
        clock.now = clock.now - .days(400)
        let refused = limiter.take(from: [.minute(2)], of: key, at: clock.now)
        #expect(!refused.isAllowed && refused.standings[0].remaining == 0 && refused.decidedAt == clock.now)
        #expect(refused.retryAfter == .microseconds(40_015_625))
        clock.now = clock.now + .seconds(40)
        #expect(!limiter.take(from: [.minute(2)], of: key, at: clock.now).isAllowed)
        clock.now = clock.now + .milliseconds(16)
        #expect(limiter.take(2, from: [.minute(2)], of: key, at: clock.now).isAllowed)
        clock.now = clock.now + .hours(1)
        #expect(limiter.take(2, from: [.minute(2)], of: key, at: clock.now).isAllowed)
    }

    @Test("A caller who comes late with an old moment does not set the clock back")
    func lateCaller() throws {
        let limiter = try limiter(Folder())
        let old = clock.now
        clock.now = clock.now + .seconds(50)
        let taken = limiter.take(from: [.minute(1)], of: key, at: clock.now)
        let late = limiter.take(from: [.minute(1)], of: key, at: old)
        #expect(!late.isAllowed && late.decidedAt == taken.decidedAt)
        clock.now = clock.now + .seconds(59)
        #expect(!limiter.take(from: [.minute(1)], of: key, at: clock.now).isAllowed)
        clock.now = clock.now + .milliseconds(1_016)
        #expect(limiter.take(from: [.minute(1)], of: key, at: clock.now).isAllowed)
    }

    @Test("A clock set forward ends windows", arguments: [Duration.days(2), .days(400_000), .seconds(1 << 50)])
    func clockSetForward(jump: Duration) throws {
        let limiter = try limiter(Folder())
        let quotas = [Quota.minute(2), .hour(2), .day(2)]
        #expect(limiter.take(2, from: quotas, of: key, at: clock.now).isAllowed)
        #expect(limiter.take(2, from: quotas, of: key, at: clock.now + jump).isAllowed)
        #expect(limiter.take(from: quotas, of: LimitSubject("key", [3]), at: Timestamp(seconds: -5)).isAllowed)
    }
}
