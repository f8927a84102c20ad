import Synchronization

/// The counts of one window: a ring of 61 buckets, each a sixtieth of the window long.
///
/// A bucket is 32 bits: 26 for the count and 6 for when its last unit was taken, in 64ths of the bucket, rounded down. It
/// counts in full until that 64th has left the window, so the sum is never too low, and a burst comes free again no later
/// than a 64th of a bucket after its window. 61, because a window that ends within a bucket begins within one.
@safe struct LimitRing {
    static let buckets = 61
    /// The most that one bucket holds; beyond it everything is refused.
    static let fullest = UInt64(1) << 26 - 1
    /// How long a bucket is, by window, in microseconds.
    static func length(_ window: LimitWindow) -> Int64 {
        switch window {
        case .minute: 1_000_000
        case .hour: 60_000_000
        case .day: 1_440_000_000
        }
    }

    private let entries: UnsafeMutablePointer<UInt32>
    private let sum: UnsafeMutablePointer<UInt64>

    init(entries: UnsafeMutablePointer<UInt32>, sum: UnsafeMutablePointer<UInt64>) {
        unsafe (self.entries, self.sum) = (entries, sum)
    }

    /// What all its buckets hold.
    var total: UInt64 {
        get { unsafe sum.pointee }
        nonmutating set { unsafe sum.pointee = newValue }
    }

    private func index(_ bucket: Int64) -> Int { Int(bucket % Int64(Self.buckets)) }

    /// What a bucket holds.
    func count(_ bucket: Int64) -> UInt64 { UInt64(unsafe entries[index(bucket)] >> 6) }

    /// In which 64th of a bucket the last of it was taken.
    func lastUnit(_ bucket: Int64) -> Int64 { Int64(unsafe entries[index(bucket)] & 63) }

    /// Makes room for the buckets after one up to another, forgetting those that have left.
    func turn(from old: Int64, to new: Int64) {
        guard new > old, total > 0 else { return }
        guard new - old < Int64(Self.buckets) else { return clear() }
        for bucket in (old + 1)...new {
            let place = index(bucket)
            let left = unsafe UInt64(entries[place] >> 6)
            guard left > 0 else { continue }
            unsafe entries[place] = 0
            total = total >= left ? total - left : 0
        }
    }

    /// Adds to a bucket what is known to fit.
    func add(_ amount: UInt64, to bucket: Int64, unit: Int64) {
        let place = index(bucket)
        let entry = unsafe entries[place]
        let count = min(UInt64(entry >> 6) + amount, Self.fullest)
        unsafe entries[place] = UInt32(count) << 6 | max(entry & 63, UInt32(unit))
        total += count - UInt64(entry >> 6)
    }

    /// Takes from a bucket what it was given before, if it still has it.
    func takeBack(_ amount: UInt64, from bucket: Int64) {
        let place = index(bucket)
        let entry = unsafe entries[place]
        let back = min(UInt64(entry >> 6), amount)
        unsafe entries[place] = back == entry >> 6 ? 0 : entry - UInt32(back) << 6
        total = total >= back ? total - back : 0
    }

    /// Forgets everything.
    func clear() {
        for place in 0..<Self.buckets { unsafe entries[place] = 0 }
        total = 0
    }

    /// Adds up the buckets again: a process may have been killed between a bucket and the sum.
    func sumUp() {
        total = (0..<Self.buckets).reduce(0) { unsafe $0 + UInt64(entries[$1] >> 6) }
    }
}

/// One subject's counts: the time they have come to, a ring for each window of what this host admitted, and one for each
/// of what others did. Touched by who holds the lock of its set.
///
/// The slot has a time of its own, in microseconds, which never goes back: the wall clock plus a shift. When the wall clock
/// is set back, the shift grows by as much, and every count keeps its age.
@safe struct LimitSlot {
    /// key, key, latest, shift, flags, three sums, then 3 × 61 half words, rounded up to whole lines of the cache.
    static let words = 104
    /// Three sums, a spare word, then 3 × 61 half words.
    static let foreignWords = 96
    private static let rings = 8
    private static let foreignRings = 4

    private let own: UnsafeMutablePointer<UInt64>
    private let foreign: UnsafeMutablePointer<UInt64>

    init(own: UnsafeMutablePointer<UInt64>, foreign: UnsafeMutablePointer<UInt64>) {
        unsafe (self.own, self.foreign) = (own, foreign)
    }

    var subject: LimitSubject {
        get { unsafe LimitSubject(high: own[0], low: own[1]) }
        nonmutating set { unsafe (own[0], own[1]) = (newValue.high, newValue.low) }
    }

    /// The latest moment that anything happened at, in the slot's time.
    var latest: Int64 {
        get { unsafe Self.sane(own[2]) }
        nonmutating set { unsafe own[2] = UInt64(newValue) }
    }

    /// How far the slot's time is ahead of the wall clock.
    var shift: Int64 {
        get { unsafe Self.sane(own[3]) }
        nonmutating set { unsafe own[3] = UInt64(newValue) }
    }

    /// Whether other hosts have admitted anything; else their rings are not looked at, nor their memory touched.
    var hasForeign: Bool {
        get { unsafe own[4] & 1 == 1 }
        nonmutating set { unsafe own[4] = newValue ? 1 : 0 }
    }

    /// The year 38 000 is late enough; more is damage, and would overflow.
    static let lastMoment = Int64(1) << 60
    private static func sane(_ word: UInt64) -> Int64 { word > UInt64(lastMoment) ? 0 : Int64(word) }

    /// What this host has admitted.
    func admitted(_ window: LimitWindow) -> LimitRing {
        unsafe Self.ring(own, sums: 5, rings: Self.rings, window)
    }

    /// What others have.
    func reported(_ window: LimitWindow) -> LimitRing {
        unsafe Self.ring(foreign, sums: 0, rings: Self.foreignRings, window)
    }

    private static func ring(
        _ base: UnsafeMutablePointer<UInt64>, sums: Int, rings: Int, _ window: LimitWindow
    ) -> LimitRing {
        let entries = unsafe UnsafeMutableRawPointer(base + rings).assumingMemoryBound(to: UInt32.self)
        return unsafe LimitRing(
            entries: entries + window.rawValue * LimitRing.buckets, sum: base + sums + window.rawValue)
    }

    /// Empties it for a subject.
    func begin(_ subject: LimitSubject) {
        clear()
        (latest, shift) = (0, 0)
        self.subject = subject
    }

    /// Forgets all counts.
    func clear() {
        for window in LimitWindow.allCases { admitted(window).clear() }
        hasForeign = false
    }

    /// Mends what a killed process left half done. What it was about to admit may be counted; it admitted nothing.
    func mend() {
        for window in LimitWindow.allCases {
            admitted(window).sumUp()
            if hasForeign { reported(window).sumUp() }
        }
    }

    /// Whether nothing counts any more.
    var isEmpty: Bool {
        for window in LimitWindow.allCases {
            if admitted(window).total > 0 || hasForeign && reported(window).total > 0 { return false }
        }
        return true
    }

    /// Moves on to a moment of the wall clock and returns it in the slot's time.
    ///
    /// A moment before the latest counts as the latest: threads reach the lock in another order than they read the clock.
    /// One more than a second before may mean that the clock was set back, so the clock is read once more, and if that is
    /// so, the slot's time goes on from where it stood.
    func advance(to moment: Int64, clock: () -> Int64) -> Int64 {
        let before = latest
        var time = moment + shift
        if time < before {
            if before - time > 1_000_000 {
                let fresh = clock()
                if fresh + shift < before - 1_000_000 { shift = before - fresh }
            }
            time = before
        }
        guard time > before else { return time }
        for window in LimitWindow.allCases {
            let length = LimitRing.length(window)
            let (old, new) = (before / length, time / length)
            guard old < new else { continue }
            admitted(window).turn(from: old, to: new)
            if hasForeign { reported(window).turn(from: old, to: new) }
        }
        // What is forgotten had left by then, so a process killed before the next line has forgotten nothing too early.
        atomicMemoryFence(ordering: .releasing)
        latest = time
        guard shift > 0, isEmpty else { return time }
        // Nothing is left whose age would change.
        hasForeign = false
        (latest, shift) = (moment, 0)
        return moment
    }
}
