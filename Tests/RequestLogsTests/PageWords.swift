import AdminShell
import Domain
import HTTPKit
import TemplateKit
import Testing
import TimeKit

@testable import RequestLogs

/// Requests that took a millisecond each.
func tally(_ requests: Int, failed: Int = 0, milliseconds: Int64 = 1) -> Tally {
    var tally = Tally()
    tally.requests = requests
    tally.failed = failed
    tally.microseconds = Int64(requests) * milliseconds * 1_000
    for _ in 0..<requests { tally.latency.count(microseconds: milliseconds * 1_000) }
    return tally
}

@Suite struct PageWords {
    @Test("A link changes what it is asked to and keeps the rest, but for the place in the list")
    func addresses() {
        let address = FilterAddress(
            "/log", Form([("status", "failed"), ("path", "/a b&c"), ("cursor", "x"), ("method", ""), ("limit", "20")]))
        #expect(address.setting([]) == "/log?status=failed&path=%2Fa%20b%26c&limit=20")
        #expect(address.setting([("status", nil), ("newer", "y")]) == "/log?path=%2Fa%20b%26c&limit=20&newer=y")
        #expect(address.setting([("status", "404"), ("path", nil), ("limit", nil)]) == "/log?status=404")
        #expect(FilterAddress("/log", .empty).setting([("status", nil)]) == "/log")
        #expect(address.value("limit") == "20" && address.value("none").isEmpty)
    }

    @Test(
        "Amounts are told beside those before",
        arguments: [
            (0, 0, "none before either"), (5, 0, "none in the time before"), (112, 100, "12 % more than before"),
            (97, 100, "3 % fewer than before"), (100, 100, "as many as before"), (0, 9, "100 % fewer than before"),
            (1_000, 10, "100 times as many as before"), (1_001, 1_000, "as many as before"),
        ])
    func amounts(now: Int, then: Int, words: String) {
        #expect(Comparison.amounts(now, then) == words)
    }

    @Test("Times are told beside those before")
    func times() {
        #expect(Comparison.times(nil, 4) == "nothing measured")
        #expect(Comparison.times(4, nil) == "nothing to compare with")
        #expect(Comparison.times(4, 0) == "nothing to compare with")
        #expect(Comparison.times(4.4, 4) == "10 % slower than before")
        #expect(Comparison.times(3, 4) == "25 % faster than before")
        #expect(Comparison.times(4, 4) == "as fast as before")
        #expect(Comparison.times(4e30, 4) == "1\u{202f}000\u{202f}000\u{202f}000 times as slow as before")
    }

    @Test("The part that succeeded is told in points")
    func rates() {
        #expect(Comparison.rates(tally(0), tally(5)) == "no requests")
        #expect(Comparison.rates(tally(10, failed: 1), tally(0)) == "1 failed")
        #expect(Comparison.rates(tally(10, failed: 1), tally(20, failed: 2)) == "1 failed, as before")
        #expect(Comparison.rates(tally(1_000, failed: 3), tally(1_000, failed: 8)) == "0.5 points better than before")
        #expect(Comparison.rates(tally(10_000, failed: 9), tally(10_000, failed: 2)) == "0.07 points worse than before")
        #expect(Comparison.rates(tally(10, failed: 10), tally(10)) == "100 points worse than before")
    }

    @Test(
        "Bytes are told in the unit that a person would say",
        arguments: [
            (0, "0 B"), (999, "999 B"), (1_000, "1 kB"), (1_234, "1.2 kB"), (9_960, "10 kB"), (12_345, "12 kB"),
            (999_499, "999 kB"), (1_000_000, "1 MB"), (4_321_000_000, "4.3 GB"),
        ])
    func bytes(count: Int, words: String) {
        #expect(bytesInWords(count) == words)
    }

    @Test("Every status has a sentence, and the tone of its class")
    func statuses() {
        for status in 100...599 {
            var request = LogEntry.sample.request
            request.status = status
            #expect(request.meaning.hasSuffix("."))
            guard case .object(let state) = request.state() else { continue }
            let tone = status < 300 ? "good" : status < 400 ? "off" : status < 500 ? "warn" : "bad"
            #expect(state == ["tone": .text(tone), "word": .text("\(status)")])
        }
        #expect(LogEntry.sample.request.state(inFull: true) == ["tone": "warn", "word": "422 Unprocessable Content"])
    }

    @Test("Many hours are drawn as spans of several hours that begin at midnight; nothing is lost by it")
    func spans() {
        let start = Timestamp(seconds: 1_800_003_600)
        let hours = (0..<169).map { UsageFigures.Point(at: start + .hours($0), tally: tally($0 % 5, failed: $0 % 2)) }
        let figures = UsageFigures(
            since: start, until: start + .hours(169), unit: .hour, total: Tally(), series: hours, byDay: [],
            byEndpoint: [], bySubject: [], byStatus: [])
        let spans = UsageSpans(figures)
        #expect(spans.times.span == .hours(6) && spans.times.start.seconds % 21_600 == 0)
        #expect(spans.tallies.map(\.requests).reduce(0, +) == hours.map(\.tally.requests).reduce(0, +))
        #expect(spans.tallies.count <= 30 && spans.times.moment(spans.tallies.count) >= start + .hours(169))
        let few = UsageSpans(.sample)
        #expect(few.times.span == .hours(1) && few.tallies.count == 2)
    }
}
