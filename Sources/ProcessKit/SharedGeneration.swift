import Synchronization

/// A number by which all processes of a host know whether what they keep in memory has grown old.
///
/// Whoever keeps something reads ``number`` first and the thing then; as long as the number stays, so does the thing. It
/// moves on when a process of this host has changed something (``advance()``), and when another host has, which is seen
/// by a count that all hosts share and that somebody looks up from time to time (``saw(_:at:)``).
///
///     word 0   the number
///     word 1   the count of all hosts when it was last looked up
///     word 2   when that was, in ms of the machine's clock; 0 for never
public final class SharedGeneration: Sendable {
    private let page: SharedPage

    /// A generation kept in a file, made when missing, for all processes of the host.
    public init(file path: String) throws(ProcessError) {
        page = try SharedPage(file: path, words: 3)
    }

    /// A generation that only this process knows, for tests and single commands.
    public init() throws(ProcessError) {
        page = try SharedPage(words: 3)
    }

    /// The number now.
    public var number: UInt64 { page[0] }

    /// Something was changed here: everything that is kept is old.
    public func advance() {
        page.add(1, to: 0)
    }

    /// Notes the count of all hosts as somebody found it; when it has moved, everything that is kept is old.
    ///
    /// - Parameter moment: when the count began to be looked up, not when the answer came.
    public func saw(_ count: UInt64, at moment: MonotonicTime) {
        let known = page.withWord(1) { $0.exchange(count, ordering: .acquiringAndReleasing) }
        if known != count { advance() }
        page[2] = moment.milliseconds
    }

    /// How long ago the count of all hosts was looked up; nil when it never was since the machine started.
    public func age(at now: MonotonicTime) -> Duration? {
        let seen = page[2]
        // A file outlives the machine's clock: what was seen before the last start lies ahead of it, or tells nothing.
        guard seen != 0, seen <= now.milliseconds + 1_000 else { return nil }
        return now - MonotonicTime(milliseconds: seen)
    }
}
