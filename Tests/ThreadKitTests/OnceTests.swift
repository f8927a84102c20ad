import Synchronization
import Testing
import ThreadKit

@Suite struct OnceTests {
    /// Counts how often it was called.
    private final class Maker: Sendable {
        let calls = Atomic<Int>(0)

        func make() -> String { "made \(calls.wrappingAdd(1, ordering: .relaxed).newValue)" }
    }

    @Test("Nothing is made before it is asked for")
    func isLazy() {
        let maker = Maker()
        let once = Once { maker.make() }
        #expect(maker.calls.load(ordering: .relaxed) == 0)
        #expect(once.value == "made 1")
    }

    @Test("Many threads that ask at once get the same value, which is made once")
    func madeOnce() throws {
        let maker = Maker()
        let once = Once { maker.make() }
        let found = Lock<[String]>([])
        let threads = try (0..<8).map { number in
            try WorkerThread(name: "asker \(number)") {
                let value = once.value
                found.withLock { $0.append(value) }
            }
        }
        for thread in threads { thread.join() }
        #expect(found.withLock { $0 } == Array(repeating: "made 1", count: 8))
    }
}
