import Synchronization

/// Sixty-four slots under one lock. A subject has one set where its slot may be, so nothing is ever moved.
///
/// Three quarters of the slots are for what was authenticated, one quarter for addresses.
@safe struct LimitSet {
    static let ways = 64
    /// The first way of an address.
    static let firstAddressWay = 48
    /// The lock, which slots changed, which are being told of, six spare words, then for each way 32 bits of its subject's
    /// number (0: no subject) and the second after which nothing of it counts.
    static let words = 80
    private static let changedWord = RobustMutex.words
    private static let sendingWord = RobustMutex.words + 1
    private static let tagsWord = 16
    private static let endsWord = 48

    private let head: UnsafeMutablePointer<UInt64>
    private let slots: UnsafeMutablePointer<UInt64>
    private let foreign: UnsafeMutablePointer<UInt64>

    init(
        head: UnsafeMutablePointer<UInt64>, slots: UnsafeMutablePointer<UInt64>,
        foreign: UnsafeMutablePointer<UInt64>
    ) {
        unsafe (self.head, self.slots, self.foreign) = (head, slots, foreign)
    }

    /// Its lock.
    var mutex: RobustMutex { unsafe RobustMutex(at: head) }

    /// A slot.
    func slot(_ way: Int) -> LimitSlot {
        unsafe LimitSlot(own: slots + way * LimitSlot.words, foreign: foreign + way * LimitSlot.foreignWords)
    }

    /// Which slots other hosts have not been told of, a bit each.
    var changed: UInt64 {
        get { unsafe head[Self.changedWord] }
        nonmutating set { unsafe head[Self.changedWord] = newValue }
    }

    /// Which slots others are being told of.
    var sending: UInt64 {
        get { unsafe head[Self.sendingWord] }
        nonmutating set { unsafe head[Self.sendingWord] = newValue }
    }

    private var tags: UnsafeMutablePointer<UInt32> {
        unsafe UnsafeMutableRawPointer(head + Self.tagsWord).assumingMemoryBound(to: UInt32.self)
    }

    private var ends: UnsafeMutablePointer<UInt32> {
        unsafe UnsafeMutableRawPointer(head + Self.endsWord).assumingMemoryBound(to: UInt32.self)
    }

    /// Whether a way has a subject.
    func isUsed(_ way: Int) -> Bool { unsafe tags[way] != 0 }

    /// Says that a slot counts until a second of the wall clock.
    func keep(_ way: Int, until second: Int64) {
        unsafe ends[way] = max(ends[way], UInt32(clamping: second))
    }

    private static func ways(of subject: LimitSubject) -> Range<Int> {
        subject.isAddress ? firstAddressWay..<ways : 0..<firstAddressWay
    }

    /// Where a subject's slot is; nil when it has none.
    func find(_ subject: LimitSubject, tag: UInt32) -> Int? {
        for way in Self.ways(of: subject) where unsafe tags[way] == tag {
            if slot(way).subject == subject { return way }
        }
        return nil
    }

    /// A slot that nobody needs, emptied for a subject; nil when all of its class are live.
    func takeIdle(_ subject: LimitSubject, tag: UInt32, at second: Int64) -> Int? {
        for way in Self.ways(of: subject) where unsafe tags[way] == 0 || Int64(ends[way]) < second {
            settle(way, tag) { slot(way).begin(subject) }
            unsafe ends[way] = 0
            return way
        }
        return nil
    }

    /// The slot of the least used subject of its class, handed to another with all its counts.
    ///
    /// Counting a little too much is the point: were the counts forgotten, whoever comes with many subjects could have
    /// those of one forgotten. So a subject that lost its slot finds at least as much counted when it returns, as in
    /// "Efficient Computation of Frequent and Top-k Elements in Data Streams" (Metwally, Agrawal, El Abbadi 2005).
    func takeOver(_ subject: LimitSubject, tag: UInt32, at moment: Int64, clock: () -> Int64) -> Int {
        var (least, fewest) = (Self.ways(of: subject).lowerBound, UInt64.max)
        for way in Self.ways(of: subject) {
            let slot = slot(way)
            _ = slot.advance(to: moment, clock: clock)
            let used = LimitWindow.allCases.reduce(0) { $0 + slot.admitted($1).total }
            if used < fewest { (least, fewest) = (way, used) }
        }
        settle(least, tag) { slot(least).subject = subject }
        return least
    }

    /// The tag goes first and comes last, so that a process killed in between leaves a free slot, not a wrong one.
    private func settle(_ way: Int, _ tag: UInt32, _ change: () -> Void) {
        unsafe tags[way] = 0
        atomicMemoryFence(ordering: .acquiringAndReleasing)
        change()
        changed &= ~(1 << UInt64(way))
        sending &= ~(1 << UInt64(way))
        atomicMemoryFence(ordering: .acquiringAndReleasing)
        unsafe tags[way] = tag
    }

    /// Mends what a killed process left half done.
    func mend() {
        for way in 0..<Self.ways where isUsed(way) { slot(way).mend() }
    }
}
