import DatabaseKit
import Foundation
import Testing
import TimeKit

@testable import JobKit

@Suite struct JobQueueTests {
    let house: House
    private let leases: [String: Duration] = ["mail": .seconds(60)]

    init() throws { house = try House() }

    @Test("A job exists exactly when the transaction that made it is committed")
    func enqueueing() throws {
        #expect(throws: Broken.self) {
            try house.database.transaction { transaction in
                try house.queue.enqueue(NewJob("mail"), in: transaction)
                throw Broken()
            }
        }
        #expect(try house.queue.claim(leases).isEmpty)
        try house.database.transaction { try house.queue.enqueue(NewJob("mail", payload: #"{"to":"🦊"}"#), in: $0) }
        let job = try #require(try house.queue.claim(leases).first)
        #expect(job.payload == #"{"to":"🦊"}"#)
        #expect(job.attempt == 1)
        #expect(job.leaseUntil == house.now + .seconds(60))
    }

    @Test("A payload that is no JSON, or is too large, is refused")
    func payloads() throws {
        for payload in ["", "{", "\"" + String(repeating: "x", count: 65_535) + "\""] {
            #expect(throws: DatabaseError.self) {
                try house.queue.enqueue(NewJob("mail", payload: payload), in: house.database)
            }
        }
    }

    @Test("A unique key is in the queue once, until its job is done")
    func uniqueKey() throws {
        let job = NewJob("mail", uniqueKey: "daily")
        #expect(try house.queue.enqueue(job, in: house.database))
        #expect(try !house.queue.enqueue(job, in: house.database))
        try house.queue.finish(#require(try house.queue.claim(leases).first))
        #expect(try house.queue.enqueue(job, in: house.database))
    }

    @Test("Jobs come when they are due, the longest due first, and only to those who know their kind")
    func order() throws {
        for (payload, wait) in [("1", 20), ("2", 10), ("3", 500)] {
            let job = NewJob("mail", payload: payload, runAt: house.now + .seconds(wait))
            try house.queue.enqueue(job, in: house.database)
        }
        try house.queue.enqueue(NewJob("other"), in: house.database)
        #expect(try house.queue.claim(leases, limit: 9).isEmpty)
        house.pass(.seconds(20))
        #expect(try house.queue.claim(leases, limit: 9).map(\.payload) == ["2", "1"])
        #expect(try house.queue.claim(leases, limit: 9).isEmpty)
        #expect(try house.queue.counts() == (waiting: 2, running: 2, parked: 0))
    }

    @Test("While a job runs no lock is held and no transaction is open")
    func noLock() throws {
        try house.queue.enqueue(NewJob("mail"), in: house.database)
        let job = try #require(try house.queue.claim(leases).first)
        try house.database.execute("SET innodb_lock_wait_timeout = 1")
        #expect(try house.database.execute("UPDATE jobs SET last_error = 'x' WHERE id = \(job.id)").affectedRows == 1)
    }

    @Test("Who has lost the lease can neither finish, retry, park nor release the job")
    func lostLease() throws {
        try house.queue.enqueue(NewJob("mail"), in: house.database)
        let slow = try #require(try house.queue.claim(leases).first)
        house.pass(.seconds(61))
        let expired = try #require(try house.queue.expired(["mail"]).first)
        #expect(expired.id == slow.id)
        try house.queue.retry(expired, after: .zero, because: "its worker was lost")
        let successor = try #require(try house.queue.claim(leases).first)
        #expect(successor.attempt == 2)
        #expect(throws: LeaseLost()) { try house.queue.finish(slow) }
        #expect(throws: LeaseLost()) { try house.queue.retry(slow, after: .zero, because: "") }
        #expect(throws: LeaseLost()) { try house.queue.park(slow, because: "") }
        #expect(throws: LeaseLost()) { try house.queue.release(slow) }
        try house.queue.finish(successor)
        #expect(try house.column("id", as: Int.self).isEmpty)
    }

    @Test("A job is retried when its wait is over, released without counting, and parked for good")
    func givingBack() throws {
        try house.queue.enqueue(NewJob("mail"), in: house.database)
        try house.queue.retry(#require(try house.queue.claim(leases).first), after: .seconds(5), because: "busy")
        #expect(try house.column("last_error") == ["busy"])
        #expect(try house.queue.claim(leases).isEmpty)
        house.pass(.seconds(5))
        try house.queue.release(#require(try house.queue.claim(leases).first))
        let job = try #require(try house.queue.claim(leases).first)
        #expect(job.attempt == 2)
        try house.queue.park(job, because: String(repeating: "🦊", count: 600))
        #expect(try house.queue.claim(leases).isEmpty)
        #expect(try house.column("state") == ["parked"])
        #expect(try house.column("last_error") == [String(repeating: "🦊", count: 500)])
    }

    @Test("Eight threads claim sixteen thousand jobs, each once")
    func eachOnce() throws {
        let count = 16_000
        try house.database.execute(
            """
            INSERT INTO jobs (kind, payload, state, run_at, max_attempts, created_at)
            WITH RECURSIVE numbers (number) AS (
                SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number < 999
            )
            SELECT 'mail', high.number * 1000 + low.number, 'waiting', \(house.now), 3, \(house.now)
              FROM numbers AS high, numbers AS low WHERE high.number < \(count / 1_000)
            """)
        let seen = Locked<[String]>([])
        let failures = Locked<[String]>([])
        let group = DispatchGroup()
        for _ in 0..<8 {
            group.enter()
            Thread.detachNewThread { [house, leases] in
                defer { group.leave() }
                do {
                    while case let jobs = try house.queue.claim(leases, limit: 10), !jobs.isEmpty {
                        seen.with { $0 += jobs.map(\.payload) }
                        for job in jobs { try house.queue.finish(job) }
                    }
                } catch { failures.with { $0.append("\(String(reflecting: error))") } }
            }
        }
        group.wait()
        #expect(failures.with { $0 } == [])
        #expect(seen.with { $0.count } == count)
        #expect(Set(seen.with { $0 }).count == count)
        #expect(try house.column("id", as: Int.self).isEmpty)
    }

    @Test("Looking for what is due reads the index alone, whatever lies in the table")
    func index() throws {
        let plan = try #require(
            try house.database.row(
                """
                EXPLAIN SELECT id FROM jobs
                 WHERE state = 'waiting' AND run_at <= \(house.now) AND kind IN ('mail')
                 ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
                """))
        #expect(try plan.get("key") == "due")
        #expect(try !plan.get("Extra", as: String.self).contains("filesort"))
    }
}
