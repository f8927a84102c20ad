import TimeKit

/// The page on which children show that they live and the supervisor reads it.
///
/// The page holds a header, a few counters shared by all processes, and a slot for each child that can exist at a time:
///
///     header    8 words   layout's mark, slots, lanes, counters, supervisor's pid, drain, tick and boot deadline in ms
///     counters  n words   whatever their users agree upon
///     slot      8 words   pid, state, spawned at, last tick, requests served, generation, length of the last words,
///                         the first 8 bytes of its role's name
///               32 words  the last words of a child that could not boot, 256 bytes of UTF-8
///               3 × lanes when the lane's request began (0: idle) and the request's 128-bit id
///
/// Only the child writes its slot, but for the moment before it is spawned.
public struct Heartbeat: Sendable {
    /// How much there is room for: 8 bytes for each word, taken when the page is made.
    public struct Layout: Equatable, Sendable {
        /// Children at a time, those counted which are leaving while their successors serve.
        public let slots: Int
        /// Lanes of a child.
        public let lanes: Int
        /// Shared counters.
        public let counters: Int

        /// Room for 256 children of 128 lanes and 64 counters, 870 kB, unless told otherwise.
        public init(slots: Int = 256, lanes: Int = 128, counters: Int = 64) {
            (self.slots, self.lanes, self.counters) = (slots, lanes, counters)
        }

        /// Where a lane's words stand among those of its slot. Lanes that are at work at the same time have neighbouring
        /// numbers, and a cache line that several write travels between the cores: so they stand eight places apart.
        func place(ofLane lane: Int) -> Int {
            let columns = max(lanes / 8, 1)
            return lane < columns * 8 ? lane % columns * 8 + lane / columns : lane
        }

        var slotWords: Int { Heartbeat.fixedWords + Heartbeat.lastWordsWords + Heartbeat.laneWords * lanes }
        var words: Int { Heartbeat.headerWords + counters + slots * slotWords }
    }

    /// What a child says of itself.
    public enum State: UInt64, Sendable {
        /// Its slot is not in use.
        case absent = 0
        /// It boots.
        case starting = 1
        /// It serves.
        case ready = 2
        /// It finishes what it has and leaves.
        case draining = 3
    }

    /// The layout the page was made with.
    public let layout: Layout
    let page: SharedPage

    static let headerWords = 8
    static let fixedWords = 8
    static let lastWordsWords = 32
    static let laneWords = 3
    private static let mark: UInt64 = 0x6865_6172_7462_3031

    /// A new page, for the process that supervises.
    public init(layout: Layout = Layout(), supervisor pid: Int32) throws(ProcessError) {
        self.layout = layout
        page = try SharedPage(words: layout.words)
        page[1] = UInt64(layout.slots)
        page[2] = UInt64(layout.lanes)
        page[3] = UInt64(layout.counters)
        page[4] = UInt64(pid)
        page[0] = Self.mark
    }

    /// The page handed over as this descriptor, for a child.
    public init(inherited descriptor: Int32) throws(ProcessError) {
        page = try SharedPage(inherited: descriptor)
        guard page.count >= Self.headerWords, page[0] == Self.mark, page[1] <= 65_536, page[2] <= 65_536,
            page[3] <= 65_536
        else { throw ProcessError(.notInherited, "descriptor \(descriptor) is no heartbeat page") }
        layout = Layout(slots: Int(page[1]), lanes: Int(page[2]), counters: Int(page[3]))
        guard page.count >= layout.words else {
            throw ProcessError(.notInherited, "descriptor \(descriptor) is a heartbeat page cut short")
        }
    }

    /// A counter seen by all processes of this host; all begin at zero when the supervisor starts.
    public func counter(_ index: Int) -> SharedCounter {
        precondition((0..<layout.counters).contains(index), "there is no shared counter \(index)")
        return SharedCounter(page: page, word: Self.headerWords + index)
    }

    /// What every child said last, absent ones left out, for a page or a line of status.
    public func pulses() -> [Pulse] {
        (0..<layout.slots).map(pulse).filter { $0.state != .absent }
    }

    /// What the child of a slot said last.
    public func pulse(_ slot: Int) -> Pulse {
        let base = base(of: slot)
        let lanes = base + Self.fixedWords + Self.lastWordsWords
        let busy = (0..<layout.lanes).compactMap { lane -> Pulse.Request? in
            let word = lanes + layout.place(ofLane: lane) * Self.laneWords
            let since = page[word]
            guard since != 0 else { return nil }
            return Pulse.Request(
                lane: lane, since: MonotonicTime(milliseconds: since),
                id: UInt128(page[word + 1]) << 64 | UInt128(page[word + 2]))
        }
        return Pulse(
            slot: slot, pid: Int32(truncatingIfNeeded: page[base]), state: State(rawValue: page[base + 1]) ?? .absent,
            spawned: MonotonicTime(milliseconds: page[base + 2]), tick: MonotonicTime(milliseconds: page[base + 3]),
            served: page[base + 4], generation: page[base + 5], role: Self.word(page[base + 7]), busy: busy)
    }

    /// Text of at most 8 bytes as a word holds it, filled up with zeros.
    private static func word(_ word: UInt64) -> String {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The sentence with which the child of a slot gave up, if it did.
    func lastWords(_ slot: Int) -> String? {
        let base = base(of: slot)
        let length = min(Int(clamping: page[base + 6]), Self.lastWordsWords * 8)
        guard length > 0 else { return nil }
        let bytes = (0..<length).map { index in
            UInt8(truncatingIfNeeded: page[base + Self.fixedWords + index / 8] >> UInt64(index % 8 * 8))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Makes a slot ready for a child about to be spawned.
    func prepare(_ slot: Int, role: String = "", generation: UInt64, at now: MonotonicTime) {
        clear(slot)
        let base = base(of: slot)
        page[base + 7] = role.utf8.prefix(8).enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64($1.offset * 8) }
        page[base + 2] = now.milliseconds
        page[base + 3] = now.milliseconds
        page[base + 5] = generation
        page[base + 1] = State.starting.rawValue
    }

    /// Empties a slot whose child has been reaped.
    func clear(_ slot: Int) {
        let base = base(of: slot)
        for word in base..<(base + layout.slotWords) where page[word] != 0 { page[word] = 0 }
    }

    /// The pid of the process that made the page.
    var supervisor: Int32 { Int32(truncatingIfNeeded: page[4]) }

    /// The supervisor's patience, as far as children must know it for their own last resort.
    var patience: (drain: Duration, tick: Duration, boot: Duration) {
        get { (.milliseconds(page[5]), .milliseconds(page[6]), .milliseconds(page[7])) }
        nonmutating set {
            page[5] = UInt64(clamping: newValue.drain.milliseconds)
            page[6] = UInt64(clamping: newValue.tick.milliseconds)
            page[7] = UInt64(clamping: newValue.boot.milliseconds)
        }
    }

    func base(of slot: Int) -> Int {
        precondition((0..<layout.slots).contains(slot), "there is no slot \(slot)")
        return Self.headerWords + layout.counters + slot * layout.slotWords
    }
}

/// What a child said last of itself.
public struct Pulse: Equatable, Sendable {
    /// A request that a lane is at.
    public struct Request: Equatable, Sendable {
        /// Which lane.
        public let lane: Int
        /// When it began.
        public let since: MonotonicTime
        /// The request's number, 0 when it has none.
        public let id: UInt128
    }

    /// Its slot on the page.
    public let slot: Int
    /// Its process, 0 before it has introduced itself.
    public let pid: Int32
    /// How far it is.
    public let state: Heartbeat.State
    /// When it was spawned.
    public let spawned: MonotonicTime
    /// The last sign of life of its main thread.
    public let tick: MonotonicTime
    /// Requests answered.
    public let served: UInt64
    /// Which reload it belongs to, counted from 1.
    public let generation: UInt64
    /// The first 8 bytes of its role's name in the plan; empty without a supervisor.
    public let role: String
    /// The lanes that are at a request.
    public let busy: [Request]
}

/// One number seen by all processes of a host.
public struct SharedCounter: Sendable {
    let page: SharedPage
    let word: Int

    /// The number now.
    public var value: UInt64 { page[word] }

    /// Counts one further and returns the new number.
    @discardableResult
    public func advance() -> UInt64 { page.add(1, to: word) }
}
