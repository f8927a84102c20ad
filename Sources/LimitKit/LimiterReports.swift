import Synchronization
import TimeKit

/// What one process of each host does once a second, for the hosts to count as one; see `HostTicker`.
extension Limiter {
    /// What changed since it was last told, at most so many subjects; what is more is told next time.
    ///
    /// Every call is followed by ``reported(isDone:)``.
    public func reports(atMost most: Int, at moment: Timestamp) -> [LimitReport] {
        var found: [LimitReport] = []
        let first = nextSet.load(ordering: .relaxed) % layout.sets
        for number in 0..<layout.sets where found.count < most {
            let index = (first + number) % layout.sets
            nextSet.store(index, ordering: .relaxed)
            _ = withSet(index) { set in
                for way in 0..<LimitSet.ways where found.count < most && set.changed & 1 << UInt64(way) != 0 {
                    let bit = UInt64(1) << UInt64(way)
                    set.changed &= ~bit
                    guard set.isUsed(way) else { continue }
                    set.sending |= bit
                    let slot = set.slot(way)
                    _ = slot.advance(to: Self.sane(moment), clock: clock)
                    found.append(LimitReport(subject: slot.subject, counts: LimitCounts(slot).packed))
                }
            }
        }
        return found
    }

    /// Notes that the reports have been written, or that they must be made again. To be called with `false` by a process
    /// that takes over, since the one before may have been killed between the two.
    public func reported(isDone: Bool) {
        for number in 0..<layout.sets {
            _ = withSet(number) { set in
                if !isDone { set.changed |= set.sending }
                set.sending = 0
            }
        }
    }

    /// Counts for a subject what all other hosts together admitted, in place of what was adopted before.
    ///
    /// A subject without a slot gets one only if one is idle: others' callers press nobody out of here.
    ///
    /// - Parameter reports: one of each other host.
    /// - Returns: how many of them could not be read.
    @discardableResult
    public func adopt(_ reports: [[UInt8]], of subject: LimitSubject, at moment: Timestamp) -> Int {
        let read = reports.compactMap { LimitCounts($0) }
        let sum = read.reduce(into: LimitCounts()) { $0.add($1) }
        let now = Self.sane(moment)
        _ = withSet(of: subject) { set, tag in
            let found = set.find(subject, tag: tag)
            guard let way = found ?? set.takeIdle(subject, tag: tag, at: now / 1_000_000) else { return }
            let slot = set.slot(way)
            _ = slot.advance(to: now, clock: clock)
            sum.write(to: slot)
            let longest = LimitWindow.longest.seconds
            if slot.hasForeign { set.keep(way, until: now / 1_000_000 + Int64(longest + longest / 60 + 1)) }
        }
        return reports.count - read.count
    }
}
