import Testing

@testable import ThreadKit

@Suite struct MailboxTests {
    @Test("What is left is taken in order, and no more than was asked for")
    func order() {
        let box = Mailbox<Int>()
        box.put(1)
        box.put(contentsOf: [2, 3, 4])
        box.put(contentsOf: [])
        #expect(box.count == 4 && box.take(atMost: 3) == [1, 2, 3] && box.take() == [4] && box.take().isEmpty)
    }

    @Test("A wait ends when something comes, and by itself when nothing does")
    func waits() throws {
        let box = Mailbox<Int>()
        let begun = ContinuousClock.now
        #expect(box.take(waiting: .milliseconds(30)).isEmpty)
        #expect(ContinuousClock.now - begun >= .milliseconds(30))
        let thread = try WorkerThread(name: "puts") { box.put(7) }
        #expect(box.take(waiting: .seconds(60)) == [7])
        thread.join()
    }

    @Test("A closed mailbox lets nobody wait, and gives what is still in it")
    func closed() throws {
        let box = Mailbox<Int>()
        let thread = try WorkerThread(name: "closes") {
            box.put(1)
            box.close()
        }
        var taken: [Int] = []
        let begun = ContinuousClock.now
        while !(box.isClosed && box.count == 0) { taken += box.take(waiting: .seconds(60)) }
        thread.join()
        #expect(taken == [1] && box.take(waiting: .seconds(60)).isEmpty)
        #expect(ContinuousClock.now - begun < .seconds(50))
    }

    @Test("Of many that leave and many that take, each thing is taken once")
    func many() throws {
        let box = Mailbox<Int>()
        let taken = Lock<[Int]>([])
        let takers = try (0..<3).map { number in
            try WorkerThread(name: "takes \(number)") {
                while !(box.isClosed && box.count == 0) {
                    let some = box.take(atMost: 7, waiting: .milliseconds(20))
                    taken.withLock { $0 += some }
                }
            }
        }
        let putters = try (0..<4).map { part in
            try WorkerThread(name: "puts \(part)") { for number in 0..<500 { box.put(part * 500 + number) } }
        }
        putters.forEach { $0.join() }
        box.close()
        takers.forEach { $0.join() }
        #expect(taken.withLock { $0.sorted() } == Array(0..<2_000))
    }
}
