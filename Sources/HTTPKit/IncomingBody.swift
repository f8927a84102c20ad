/// The body of a request that is passed on: read while it is used, never held as a whole.
///
/// It can be read once, by the thread that serves the request, until the answer has been written.
public final class IncomingBody: Sendable {
    /// Where the bytes come from.
    public protocol Source: Sendable {
        /// The next bytes as soon as there are some, at most this many; none at the end.
        ///
        /// - Throws: `Problem` 400 for a body that breaks off, 413 for one that goes on beyond the limit.
        func read(atMost count: Int) throws(Problem) -> [UInt8]
        /// Whether the one who sends has hung up, so that nobody waits for an answer any more.
        var isAbandoned: Bool { get }
    }

    /// How many bytes were announced; nil when the end is told by the end alone.
    public let length: Int?
    private let source: any Source

    /// A body of a source.
    public init(length: Int?, from source: any Source) {
        self.length = length
        self.source = source
    }

    /// The next bytes as soon as there are some, at most this many; none at the end.
    ///
    /// - Throws: `Problem` 400 for a body that breaks off, 413 for one that goes on beyond the limit.
    public func read(atMost count: Int) throws(Problem) -> [UInt8] { try source.read(atMost: count) }

    /// Whether the one who sends has hung up, so that nobody waits for an answer any more.
    public var isAbandoned: Bool { source.isAbandoned }
}
