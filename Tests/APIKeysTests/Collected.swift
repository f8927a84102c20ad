import ThreadKit

/// What several threads returned.
final class Collected<Value: Sendable>: Sendable {
    private let results = Lock<[Result<Value, any Error>]>([])

    func add(_ result: Result<Value, any Error>) { results.withLock { $0.append(result) } }

    func all() throws -> [Value] { try results.withLock { $0 }.map { try $0.get() } }
}
