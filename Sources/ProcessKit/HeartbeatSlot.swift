/// The child's side of its slot: what it says of itself.
public struct HeartbeatSlot: Sendable {
    let heartbeat: Heartbeat
    /// Which slot.
    public let number: Int

    /// One lane's line in the slot; belongs to one thread, and is an object so that no other counts it.
    public final class Lane: Sendable {
        private let page: SharedPage
        private let word: Int
        private let served: Int

        fileprivate init(page: SharedPage, word: Int, served: Int) {
            self.page = page
            self.word = word
            self.served = served
        }

        /// A request begins. Its number is logged should the process be lost meanwhile.
        public func began(request id: UInt128 = 0) {
            page[word + 1] = UInt64(truncatingIfNeeded: id >> 64)
            page[word + 2] = UInt64(truncatingIfNeeded: id)
            page[word] = MonotonicTime.lately().milliseconds
        }

        /// The request takes long but moves on, as a large body does: what it took so far is forgotten.
        public func moved() {
            page[word] = MonotonicTime.lately().milliseconds
        }

        /// The request has been answered.
        public func ended() {
            page[word] = 0
            page.add(1, to: served)
        }
    }

    /// The child serves from now on.
    public func ready() {
        tick()
        page[base + 1] = Heartbeat.State.ready.rawValue
    }

    /// The child takes no more and leaves soon; its replacement is started meanwhile.
    public func draining() {
        page[base + 1] = Heartbeat.State.draining.rawValue
    }

    /// The main thread is alive.
    public func tick() {
        page[base + 3] = MonotonicTime.now().milliseconds
    }

    /// The line of a lane, counted from 0 to the page's number of lanes.
    public func lane(_ index: Int) -> Lane {
        precondition((0..<heartbeat.layout.lanes).contains(index), "the heartbeat page has no lane \(index)")
        let place = heartbeat.layout.place(ofLane: index)
        let word = base + Heartbeat.fixedWords + Heartbeat.lastWordsWords + place * Heartbeat.laneWords
        return Lane(page: page, word: word, served: base + 4)
    }

    /// What the child itself has said, as others see it.
    public var pulse: Pulse { heartbeat.pulse(number) }

    func introduce(pid: Int32) {
        page[base] = UInt64(pid)
    }

    /// Leaves a sentence for the supervisor; what exceeds 256 bytes is cut.
    func leave(lastWords: String) {
        var words = [UInt64](repeating: 0, count: Heartbeat.lastWordsWords)
        let bytes = Array(lastWords.utf8.prefix(words.count * 8))
        for (index, byte) in bytes.enumerated() { words[index / 8] |= UInt64(byte) << UInt64(index % 8 * 8) }
        for (index, word) in words.enumerated() { page[base + Heartbeat.fixedWords + index] = word }
        page[base + 6] = UInt64(bytes.count)
    }

    private var page: SharedPage { heartbeat.page }
    private var base: Int { heartbeat.base(of: number) }
}
