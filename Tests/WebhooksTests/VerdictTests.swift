import Testing
import TimeKit

@testable import ClientKit
@testable import Webhooks

@Suite("What follows from an attempt")
struct VerdictTests {
    private static let now = Timestamp(seconds: 1_800_000_000)

    private static func judge(
        _ status: Int, attempts: Int = 1, givesUpAfter: Int? = nil, retryAfter: String? = nil
    ) -> Judgement {
        var headers = OutboundResponse.Headers()
        if let retryAfter { headers.take("Retry-After: \(retryAfter)".utf8) }
        let timing = OutboundResponse.Timing(dns: .zero, connect: .zero, tls: .zero, firstByte: .zero, total: .zero)
        let response = OutboundResponse(status: status, headers: headers, body: [], timing: timing, peer: "")
        return Judgement(
            .success(response), attempts: attempts, givesUpAfter: givesUpAfter, profile: .standard, chance: 0.5,
            now: now)
    }

    @Test(
        "2xx is done, 410 ends everything, anything else is tried again",
        arguments: [200, 201, 202, 204, 299, 410, 301, 307, 400, 401, 404, 418, 500, 503])
    func statuses(status: Int) {
        let judgement = Self.judge(status)
        switch status {
        case 200...299: #expect(judgement.verdict == .delivered && judgement.reason == nil)
        case 410: #expect(judgement.verdict == .gone && judgement.reason == .gone)
        case 300...399: #expect(judgement.verdict == .retry(after: .seconds(5)) && judgement.reason == .redirect)
        default: #expect(judgement.verdict == .retry(after: .seconds(5)) && judgement.reason == .status)
        }
    }

    @Test("Retry-After lengthens the wait and never shortens it, for a day at most")
    func retryAfter() {
        #expect(Self.judge(503, retryAfter: "600").verdict == .retry(after: .seconds(600)))
        #expect(Self.judge(503, retryAfter: "1").verdict == .retry(after: .seconds(5)))
        #expect(Self.judge(503, retryAfter: "999999").verdict == .retry(after: .hours(24)))
        #expect(Self.judge(503, retryAfter: Self.now.httpDate).verdict == .retry(after: .seconds(5)))
        #expect(Self.judge(503, retryAfter: (Self.now + .hours(2)).httpDate).verdict == .retry(after: .hours(2)))
        #expect(Self.judge(503, retryAfter: "soon").verdict == .retry(after: .seconds(5)))
        #expect(Self.judge(429).slowsFor == .minutes(1) && Self.judge(429).verdict == .retry(after: .minutes(1)))
        #expect(Self.judge(429, retryAfter: "30").slowsFor == .seconds(30))
        #expect(Self.judge(503, retryAfter: "30").slowsFor == .seconds(30) && Self.judge(503).slowsFor == nil)
        #expect(Self.judge(500, retryAfter: "30").slowsFor == nil)
    }

    @Test("429, 502 and 504 leave a receiver in peace for a minute, or for as long as they say")
    func slowed() {
        for status in [429, 502, 504] {
            #expect(Self.judge(status).slowsFor == .minutes(1), "\(status)")
            #expect(Self.judge(status).verdict == .retry(after: .minutes(1)), "\(status)")
            #expect(Self.judge(status, retryAfter: "30").slowsFor == .seconds(30), "\(status)")
        }
        #expect([429, 500, 502, 503, 504].allSatisfy { Self.judge($0).isStrained })
        #expect(![200, 204, 301, 404, 410].contains { Self.judge($0).isStrained })
    }

    @Test("After its last wait there is one more attempt and then none; a line gives up earlier where it is to")
    func exhausted() {
        #expect(Self.judge(500, attempts: 9).verdict == .retry(after: .hours(24)))
        #expect(
            Self.judge(500, attempts: 10).verdict == .exhausted && Self.judge(500, attempts: .max).verdict == .exhausted
        )
        #expect(Self.judge(500, attempts: 2, givesUpAfter: 3).verdict == .retry(after: .minutes(5)))
        #expect(Self.judge(500, attempts: 3, givesUpAfter: 3).verdict == .skipped)
        #expect(Self.judge(500, attempts: 10, givesUpAfter: 30).verdict == .exhausted)
        #expect(Self.judge(204, attempts: 3, givesUpAfter: 3).verdict == .delivered)
        #expect(Self.judge(410, attempts: 3, givesUpAfter: 3).verdict == .gone)
    }

    @Test("The profiles wait as Standard Webhooks and seed 1 say, give or take a fifth")
    func profiles() {
        #expect(RetryProfile.standard.waits.reduce(.zero, +) == .hours(75) + .minutes(35) + .seconds(5))
        #expect(RetryProfile.short.waits == [1, 2, 4, 8, 16].map { .seconds($0) })
        func milliseconds(_ wait: Duration?) -> Int64? { wait.map { ($0 + .microseconds(1)).milliseconds } }
        for attempts in 1...9 {
            let wait = RetryProfile.standard.waits[attempts - 1]
            #expect(milliseconds(RetryProfile.standard.wait(after: attempts, chance: 0)) == wait.milliseconds / 5 * 4)
            #expect(milliseconds(RetryProfile.standard.wait(after: attempts, chance: 1)) == wait.milliseconds / 5 * 6)
            #expect(milliseconds(RetryProfile.standard.wait(after: attempts, chance: 7)) == wait.milliseconds / 5 * 6)
        }
        #expect(
            RetryProfile.standard.wait(after: 0, chance: 0) == nil
                && RetryProfile.standard.wait(after: 10, chance: 0) == nil)
    }

    @Test("A profile is a word or seconds separated by commas")
    func written() {
        #expect(RetryProfile("standard") == .standard && RetryProfile("short") == .short)
        #expect(RetryProfile("1,2,4,8,16") == .short && RetryProfile("0, 5")?.waits == [.zero, .seconds(5)])
        for text in [
            "", "long", "1,,2", "-1", "1.5", "604801", "1;2", Array(repeating: "1", count: 31).joined(separator: ","),
        ] {
            #expect(RetryProfile(text) == nil, "\(text)")
        }
    }
}
