import Synchronization

/// How the words of the file are laid out.
///
///     header   512 words   mark, layout, sets, seed, host, host, checksum; word 64: the minute of the last complaint
///     sets     80 words each       lock, tags, ends
///     slots    64 × 104 words each what this host admitted
///     foreign  64 × 96 words each  what others did; untouched, and so no memory, while there are no others
struct LimitLayout {
    static let headerWords = 512
    private static let mark: UInt64 = 0x6875_626c_696d_6974
    /// To be counted up with every change of what the words mean.
    private static let version: UInt64 = 1
    private static let complaintWord = 64

    /// How many sets there are.
    let sets: Int

    init(subjects: Int) {
        sets = max(1, (subjects + LimitSet.ways - 1) / LimitSet.ways)
    }

    var words: Int {
        Self.headerWords + sets * (LimitSet.words + LimitSet.ways * (LimitSlot.words + LimitSlot.foreignWords))
    }

    func isKnown(_ words: MappedFile.Words) -> Bool {
        words[0] == Self.mark && words[1] == Self.version && words[2] == UInt64(sets) && words[6] == checksum(words)
    }

    /// Writes the header: the seed by which strangers cannot foretell the sets, and the host's name.
    func begin(_ words: MappedFile.Words) {
        words[1] = Self.version
        words[2] = UInt64(sets)
        for index in 3...5 { words[index] = .random(in: .min ... .max) }
        words[6] = checksum(words)
        atomicMemoryFence(ordering: .releasing)
        words[0] = Self.mark
    }

    /// Makes every lock anew, since nobody holds one, and adds up what may be half done.
    func mend(_ words: MappedFile.Words) {
        for number in 0..<sets {
            let set = set(number, words)
            set.mutex.make()
            set.mend()
        }
    }

    func host(_ words: MappedFile.Words) -> [UInt8] { LimitSubject(high: words[4], low: words[5]).bytes }

    /// A set.
    func set(_ number: Int, _ words: MappedFile.Words) -> LimitSet {
        precondition((0..<sets).contains(number), "there is no set \(number)")
        let heads = unsafe words.base + Self.headerWords
        let slots = unsafe heads + sets * LimitSet.words
        let foreign = unsafe slots + sets * LimitSet.ways * LimitSlot.words
        return unsafe LimitSet(
            head: heads + number * LimitSet.words, slots: slots + number * LimitSet.ways * LimitSlot.words,
            foreign: foreign + number * LimitSet.ways * LimitSlot.foreignWords)
    }

    /// Which set a subject belongs to, and the 32 bits, never 0, by which its slot is looked for there.
    func place(of subject: LimitSubject, _ words: MappedFile.Words) -> (set: Int, tag: UInt32) {
        var number = (subject.high ^ words[3]) &* 0x9e37_79b9_7f4a_7c15
        number = (number ^ (number >> 32) ^ subject.low) &* 0xbf58_476d_1ce4_e5b9
        number = (number ^ (number >> 29)) &* 0x94d0_49bb_1331_11eb
        number ^= number >> 32
        return (Int(((number >> 32) * UInt64(sets)) >> 32), UInt32(truncatingIfNeeded: number) | 1)
    }

    /// Whether nobody of this host has complained in this minute.
    func mayComplain(_ words: MappedFile.Words, at minute: Int64) -> Bool {
        let minute = UInt64(minute)
        return unsafe words.base.withMemoryRebound(to: Atomic<UInt64>.self, capacity: Self.headerWords) { atomics in
            unsafe atomics[Self.complaintWord].exchange(minute, ordering: .relaxed) != minute
        }
    }

    private func checksum(_ words: MappedFile.Words) -> UInt64 {
        (1...5).reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ words[$1]) &* 0x100_0000_01b3 }
    }
}
