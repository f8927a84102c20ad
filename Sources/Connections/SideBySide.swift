import Synchronization
import ThreadKit

/// Does work of many services at once, so that a slow one delays no other.
final class SideBySide<Item: Sendable>: Sendable {
    /// How many threads work for all services, and how many of them for one.
    static var threads: Int { 12 }
    static var threadsForOne: Int { 3 }

    private struct State: Sendable {
        var waiting: [String: [Item]]
        var busy: [String: Int] = [:]
    }

    private let state: Lock<State>
    private let isStopped = Atomic(false)

    /// - Parameter items: what is to be done, and for which service.
    init(_ items: [(service: String, item: Item)]) {
        // The last of a list is taken first.
        state = Lock(State(waiting: Dictionary(grouping: items.reversed(), by: \.service).mapValues { $0.map(\.item) }))
    }

    /// Works until nothing is left, until the time is over, or until told to stop; then only ends what it has begun.
    func run(
        until end: ContinuousClock.Instant, stopping isStopping: () -> Bool, _ body: @escaping @Sendable (Item) -> Void
    ) {
        let count = state.withLock { state in
            min(Self.threads, state.waiting.values.reduce(0) { $0 + min($1.count, Self.threadsForOne) })
        }
        let threads = (0..<count).compactMap { number in
            try? WorkerThread(name: "service \(number)") {
                while ContinuousClock.now < end, let (service, item) = self.take() {
                    body(item)
                    self.state.withLock { $0.busy[service, default: 1] -= 1 }
                }
            }
        }
        for thread in threads {
            while !thread.join(before: .now + .milliseconds(100)) {
                if isStopping() { isStopped.store(true, ordering: .releasing) }
            }
        }
    }

    /// The next thing to do, for the service that has the fewest threads at work; nil when those at work will do the rest.
    private func take() -> (service: String, item: Item)? {
        guard !isStopped.load(ordering: .acquiring) else { return nil }
        return state.withLock { state in
            let free = state.waiting.keys.filter { state.busy[$0, default: 0] < Self.threadsForOne }
            guard let service = free.min(by: { state.busy[$0, default: 0] < state.busy[$1, default: 0] }),
                let item = state.waiting[service]?.popLast()
            else { return nil }
            if state.waiting[service]?.isEmpty == true { state.waiting[service] = nil }
            state.busy[service, default: 0] += 1
            return (service, item)
        }
    }
}
