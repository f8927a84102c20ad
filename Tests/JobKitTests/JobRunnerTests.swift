import DatabaseKit
import Testing
import TimeKit

@testable import JobKit

@Suite struct JobRunnerTests {
    let house: House

    init() throws { house = try House() }

    @Test("A job that is done leaves the queue; one that fails waits, and is parked after its last attempt")
    func attempts() throws {
        let attempts = Locked<[Int]>([])
        let runner = house.runner(
            JobHandler("good") { _ in },
            JobHandler("bad", policy: RetryPolicy(first: .seconds(10))) { run in
                attempts.with { $0.append(run.job.attempt) }
                throw Broken()
            })
        try house.queue.enqueue(NewJob("good"), in: house.database)
        try house.queue.enqueue(NewJob("bad", maxAttempts: 3), in: house.database)
        #expect(try runner.runOne() && runner.runOne() && !runner.runOne())
        for _ in 0..<3 {
            house.pass(.seconds(40))
            while try runner.runOne() {}
        }
        #expect(attempts.with { $0 } == [1, 2, 3])
        #expect(try house.column("kind") == ["bad"])
        #expect(try house.column("state") == ["parked"])
        #expect(try house.column("last_error") == ["it is broken"])
    }

    @Test("Effect and finish in one transaction happen both or neither")
    func finishing() throws {
        let isFirst = Locked(true)
        let runner = house.runner(
            JobHandler("pay") { [house] run in
                try house.database.transaction { transaction in
                    try house.queue.enqueue(NewJob("receipt"), in: transaction)
                    try run.finish(in: transaction)
                    if isFirst.with({ first in
                        defer { first = false }; return first
                    }) {
                        throw Broken()
                    }
                }
            })
        try house.queue.enqueue(NewJob("pay"), in: house.database)
        #expect(try runner.runOne())
        #expect(try house.column("kind") == ["pay"])
        house.pass(.minutes(1))
        #expect(try runner.runOne())
        #expect(try house.column("kind") == ["receipt"])
    }

    @Test("A job whose worker died comes back after its lease, and a job that kills every worker is parked")
    func poison() throws {
        let runner = house.runner(JobHandler("deadly", deadline: .seconds(30)) { _ in })
        try house.queue.enqueue(NewJob("deadly", maxAttempts: 2), in: house.database)
        for attempt in 1...2 {
            // As a worker does that dies before it can note anything.
            let job = try #require(try house.queue.claim(["deadly": .seconds(60)]).first)
            #expect(job.attempt == attempt)
            #expect(try !runner.runOne())
            house.pass(.seconds(61))
            if attempt == 1 {
                #expect(try !runner.runOne())
                house.pass(.seconds(61))
            }
        }
        #expect(try !runner.runOne())
        #expect(try house.column("state") == ["parked"])
        #expect(try house.column("last_error") == ["its worker was lost"])
    }

    @Test("A recurring job is done once per turn by whoever comes first, and a failure does not end it")
    func recurring() throws {
        let turns = Locked(0)
        let handler = JobHandler("sweep", every: .minutes(10)) { _ in
            if turns.with({
                $0 += 1; return $0
            }) == 2 {
                throw JobFailure.park(because: "not today")
            }
        }
        let runners = (0..<3).map { _ in house.runner(handler) }
        for turn in 1...4 {
            for runner in runners { while try runner.runOne() {} }
            #expect(turns.with { $0 } == turn)
            #expect(try house.column("last_error", as: String?.self) == [turn == 2 ? "not today" : nil])
            house.pass(.minutes(10))
        }
        #expect(try house.column("kind") == ["sweep"])
    }

    @Test("A job that outlived its lease is done by another, and the slow one changes nothing")
    func tooSlow() throws {
        let turns = Locked(0)
        let fast = house.runner(JobHandler("slow") { _ in turns.with { $0 += 1 } })
        let slow = house.runner(
            JobHandler("slow") { [house] _ in
                house.pass(.minutes(5))
                // The first look finds the lost lease, and what was lost waits a little.
                let early = try fast.runOne()
                house.pass(.minutes(5))
                let late = try fast.runOne()
                #expect(!early && late)
            })
        try house.queue.enqueue(NewJob("slow"), in: house.database)
        #expect(try slow.runOne())
        #expect(turns.with { $0 } == 1)
        #expect(try house.column("id", as: Int.self).isEmpty)
    }

    @Test("Threads do what is due, finish the job in hand when told to stop, and take no other")
    func threads() throws {
        let begun = Locked(0)
        let done = Locked(0)
        let runner = house.runner(
            JobHandler("long") { run in
                begun.with { $0 += 1 }
                try waitUntil { run.isStopping }
                done.with { $0 += 1 }
            }, threads: 3)
        for _ in 0..<10 { try house.queue.enqueue(NewJob("long"), in: house.database) }
        runner.start()
        try waitUntil { begun.with { $0 } == 3 }
        runner.stop()
        runner.wait()
        #expect(done.with { $0 } == 3)
        #expect(try house.queue.counts() == (waiting: 7, running: 0, parked: 0))
        #expect(try house.column("attempts") == Array(repeating: 0, count: 7))
    }

    @Test("A resting runner stops at once")
    func restingStop() throws {
        let runner = JobRunner(house.queue, [JobHandler("none") { _ in }], threads: 4, rest: .seconds(60))
        runner.start()
        let start = ContinuousClock.now
        runner.stop()
        runner.wait()
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test("A handler is told how much time is left")
    func remaining() throws {
        let left = Locked<Duration>(.zero)
        let runner = house.runner(JobHandler("k", deadline: .seconds(90)) { run in left.with { $0 = run.remaining } })
        try house.queue.enqueue(NewJob("k"), in: house.database)
        #expect(try runner.runOne())
        #expect(left.with { $0 } > .seconds(80) && left.with { $0 } <= .seconds(90))
    }
}
