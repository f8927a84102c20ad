import ThreadKit

/// Numbers that several threads leave behind.
final class Collected: Sendable {
    private let kept = Lock<[Int]>([])

    var all: [Int] { kept.withLock { $0 } }

    func add(_ number: Int) { kept.withLock { $0.append(number) } }
}
