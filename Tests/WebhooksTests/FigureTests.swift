import AdminShell
import ClientKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Webhooks

@Suite("Figures of a webhook")
struct FigureTests {
    private static let no = "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    @Test("Every attempt is counted in its hour, and hours add up to what the log holds")
    func counted() throws {
        let isWell = Lock(true)
        let post = try Post { _ in isWell.withLock { $0 } ? Post.ok : Self.no }
        let webhook = try post.webhook().record.id
        let start = post.house.world.now()
        for hour in 0..<3 {
            isWell.withLock { $0 = hour != 1 }
            _ = try post.take((0..<(5 + hour)).map { _ in try post.event() })
            try post.dispatchAll()
            post.house.pass(.hours(1))
        }
        let figures = try post.room.figures(of: webhook, since: start)
        let attempts = try #require(
            try post.house.database.row(
                "SELECT COUNT(*) AS n, COUNT(error) AS failed FROM delivery_attempts"))
        #expect(try figures.total.failed == attempts.get("failed"))
        #expect(try figures.total.delivered + figures.total.failed == attempts.get("n"))
        #expect(figures.spans.count == 4 && figures.spans[0].delivered == 5 && figures.spans[0].failed == 0)
        #expect(figures.spans[1].delivered == 0 && figures.spans[1].failed >= 6 && figures.spans[3].median == nil)
        let (median, p95) = (try #require(figures.total.median), try #require(figures.total.p95))
        #expect(median > .zero && median <= p95)
        let long = try post.room.figures(of: webhook, since: start - .days(29))
        #expect(long.times.span == .days(1) && long.total.delivered == figures.total.delivered)
        let totals = try post.room.totals(of: [webhook, Identifier(post.house.world)], since: start)
        #expect(totals.keys.map { $0 } == [webhook])
    }

    @Test("What is noted twice is counted once, and what was appended to an hour is summed up")
    func once() throws {
        let post = try Post()
        let record = try post.webhook().record
        let event = try post.event()
        let parcel = Parcel(
            delivery: Identifier(post.house.world), event: event.id, token: [], leaseEnds: post.house.world.now(),
            attempts: 0, tries: 0, cause: .schedule, givesUpAfter: nil,
            destination: try post.room.destination(record, in: post.house.database),
            body: event.body)
        let error = try #require(throws: ClientError.self) { try OutboundURL("nowhere") }
        let start = post.house.world.now()
        for number in 0..<600 {
            var attempts = [Attempted.failed(parcel, at: start + .milliseconds(number), error)]
            if number % 60 == 0 { attempts.append(.failed(parcel, at: start + .milliseconds(number + 2_000), error)) }
            try OutcomeStore(room: post.room).note(attempts)
            if number % 200 == 0 { try OutcomeStore(room: post.room).note(attempts) }
        }
        let row = try #require(
            try post.house.database.row("SELECT attempts, LENGTH(latency) AS length, latency FROM webhook_hours"))
        #expect(try row.get("attempts") == 610)
        #expect(try row.get("length", as: Int.self) < 2_100)
        #expect(try LatencyHistogram(stored: row.get("latency")).total == 610)
    }

    @Test("Scripts read them by range, the holder alone")
    func json() throws {
        let post = try Post()
        let webhook = try post.webhook().record.id
        _ = try post.take((0..<3).map { _ in try post.event() })
        try post.dispatchAll()
        let door = try Door(post.house, post.room.routes, templates: [:])
        let path = WebhookRoute.statsJSON(webhook).path
        for (range, points, seconds) in [("24h", 25, 3_600), ("7d", 29, 21_600), ("30d", 31, 86_400)] {
            let answer = try JSON(
                parsing: Array(door.send(.get, path, as: post.admin, query: "range=\(range)").text().utf8))
            #expect(answer["total"]?["delivered"] == 3 && answer["total"]?["failed"] == 0)
            #expect(
                answer["series"]?.elements?.count == points && answer["span_seconds"]?.wholeNumber == Int64(seconds))
            #expect(answer["series"]?.elements?.last?["attempts"] == 3)
        }
        #expect(try door.send(.get, path, as: post.admin, query: "range=1y").status == 422)
        let stranger = try post.house.person(.member, in: post.organization)
        #expect(try door.send(.get, path, as: stranger).status == 404)
    }

    @Test("The owner is told once that nothing went through for an hour, and anew after it has worked between")
    func failing() throws {
        let isWell = Lock(false)
        let post = try Post { _ in isWell.withLock { $0 } ? Post.ok : Self.no }
        try post.webhook()
        func told() throws -> Int {
            try post.house.database.rows("SELECT id FROM domain_events WHERE type = 'webhook.failing' LIMIT 10").count
        }
        try post.take()
        try post.dispatch()
        #expect(try told() == 0)
        for _ in 0..<2 {
            post.house.pass(.minutes(61))
            try post.dispatch()
            #expect(try told() == 1)
        }
        isWell.withLock { $0 = true }
        try post.take()
        try post.dispatchAll()
        isWell.withLock { $0 = false }
        try post.take()
        try post.dispatch()
        post.house.pass(.minutes(61))
        try post.dispatch()
        #expect(try told() == 2)
    }
}

extension Attempted {
    /// An attempt that failed.
    fileprivate static func failed(_ parcel: Parcel, at startedAt: Timestamp, _ error: ClientError) -> Attempted {
        Attempted(
            parcel: parcel, startedAt: startedAt, elapsed: .milliseconds(Int.random(in: 1...900)),
            result: .failure(error),
            judgement: Judgement(.failure(error), attempts: 1, profile: .standard, chance: 0, now: startedAt))
    }
}
