import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import RequestLogs

@Suite struct UsageTests {
    let archive: Archive

    init() throws { archive = try Archive() }

    @Test("Figures tell what the log holds: counts, rates, times, endpoints, days and keys")
    func figures() throws {
        let (one, two) = (try archive.key("one"), try archive.key("two"))
        var requests = (0..<90).map { archive.request(Int64($0), key: one, milliseconds: $0 + 10) }
        requests += (0..<10).map {
            archive.request(
                -86_400 + Int64($0), key: two, method: "POST", status: $0 < 4 ? 500 : 201, milliseconds: 200)
        }
        try archive.log(requests)
        try IngestingTests.expectEqual(archive)
        let body = try archive.json("/api/v1/usage", "start_date=2027-01-01&end_date=2027-01-15")
        #expect(body["total_requests"] == 100 && body["successful_requests"] == 96 && body["failed_requests"] == 4)
        #expect(body["success_rate"] == .number(96))
        let mean = Double((0..<90).reduce(0) { $0 + $1 + 10 } + 10 * 200) / 100
        #expect(body["average_response_time"] == .number((mean * 100).rounded() / 100))
        for (name, truth) in [("p50", 59.0), ("p95", 200), ("p99", 200)] {
            guard case .number(let read)? = body[name] else {
                Issue.record("\(name) is missing")
                continue
            }
            #expect(abs(read - truth) / truth < 0.05, "\(name): \(read)")
        }
        let days = body["requests_by_day"]?.elements ?? []
        #expect(days.count == 15 && days[13]["date"] == "2027-01-14" && days[13]["requests"] == 10)
        #expect(days[14]["requests"] == 90 && days[0]["requests"] == 0 && days[0]["success_rate"] == .null)
        let endpoints = body["requests_by_endpoint"]?.elements ?? []
        #expect(endpoints.map { $0["endpoint"]?.text } == ["GET /api/v1/connections", "POST /api/v1/connections"])
        #expect(endpoints[1]["failed_requests"] == 4)
        let keys = body["top_keys"]?.elements ?? []
        #expect(keys.map { $0["name"]?.text } == ["one", "two"] && keys[0]["requests"] == 90)
        #expect(body["requests_by_status"] == ["2xx": 96, "5xx": 4])
        let alone = try archive.json("/api/v1/usage", "start_date=2027-01-01&end_date=2027-01-15&api_key_id=\(two)")
        #expect(alone["total_requests"] == 10 && alone["top_keys"]?.elements?.count == 1)
        #expect(alone["requests_by_endpoint"]?.elements?.count == 1)
    }

    @Test("Whatever the range, the figures are those of the log within it")
    func ranges() throws {
        let offsets: [Int64] = [-86_400 * 40, -86_400 * 5, -86_400, -7_200, -3_661, -3_600, -59, 0, 1, 59, 60, 3_599]
        try archive.log(offsets.map { archive.request($0) })
        for since in offsets.indices {
            for until in offsets.indices where until > since {
                let range = (archive.start + .seconds(offsets[since]), archive.start + .seconds(offsets[until]))
                let figures = try archive.room.figures(
                    UsageQuestion(since: range.0, until: range.1), by: archive.house.scope(of: archive.ana))
                #expect(figures.since <= range.0 && figures.until >= range.1)
                let truth = try archive.count(
                    "SELECT COUNT(*) AS n FROM request_logs WHERE at >= \(figures.since) AND at < \(figures.until)")
                #expect(figures.total.requests == truth, "\(offsets[since]) to \(offsets[until])")
                #expect(figures.series.reduce(0) { $0 + $1.tally.requests } == truth)
                #expect(figures.byDay.reduce(0) { $0 + $1.tally.requests } == truth)
                #expect(figures.byEndpoint.reduce(0) { $0 + $1.tally.requests } == truth)
                #expect(figures.bySubject.reduce(0) { $0 + $1.tally.requests } == truth)
            }
        }
    }

    @Test("Nothing at all has figures too")
    func empty() throws {
        let body = try archive.json("/api/v1/usage")
        #expect(body["total_requests"] == 0 && body["success_rate"] == .null && body["p99"] == .null)
        #expect(body["requests_by_day"]?.elements?.count == 31)
    }

    @Test("Figures can be had as tables")
    func tables() throws {
        try archive.log([archive.request(), archive.request(status: 500)])
        for (table, head) in [
            ("", "at,"), ("&table=days", "date,"), ("&table=endpoints", "method,route,"),
            ("&table=keys", "kind,id,name,"),
        ] {
            let answer = try archive.door.send(.get, "/api/v1/usage", as: archive.ana, query: "format=csv" + table)
            let lines = try answer.text().split(separator: "\r\n")
            #expect(lines[0].hasPrefix(head) && lines.count >= 2, "\(table)")
        }
        #expect(try archive.door.send(.get, "/api/v1/usage", as: archive.ana, query: "table=rows").status == 422)
        #expect(
            try archive.door.send(.get, "/api/v1/usage", as: archive.ana, query: "start_date=2020-01-01").status == 422)
    }

    @Test("A plan reads the coarsest roll-ups that fit, without gap or overlap")
    func plans() {
        let start = Timestamp(seconds: 1_800_000_000)
        for length in [1, 59, 61, 3_600, 10_800, 10_801, 90_000, 300_000, 2_600_000, 31_000_000] as [Int64] {
            for shift in [0, 1, 61, 3_601, 86_399] as [Int64] {
                let since = start + .seconds(shift)
                let plan = UsagePlan(
                    UsageQuestion(since: since, until: since + .seconds(length)),
                    minutesSince: start - .days(1), hoursSince: start - .days(30))
                #expect(plan.stretches.first?.since == plan.since && plan.stretches.last?.until == plan.until)
                for (one, next) in zip(plan.stretches, plan.stretches.dropFirst()) { #expect(one.until == next.since) }
                for one in plan.stretches {
                    #expect(one.unit.floor(one.since) == one.since && one.unit.floor(one.until) == one.until)
                    #expect(one.unit.seconds <= plan.unit.seconds)
                }
                #expect(plan.stretches.count <= 5, "\(length) from \(shift): \(plan.stretches)")
            }
        }
    }
}
