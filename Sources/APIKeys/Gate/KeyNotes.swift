import ProcessKit

/// Keys about which all processes of a host know something: that the database did not know them a moment ago, or that it
/// knew them not long ago.
///
/// A row of words that never grows: a flood of other keys pushes the oldest out. Each word holds 32 bits of the digest,
/// whose other bits chose the place, and the millisecond. To pass for a key that was noted takes a digest of which 46 bits
/// are alike, and helps nobody: one that was just refused is refused, and one that was known is looked up.
struct KeyNotes: Sendable {
    /// For so long an unknown key is not asked for again, in milliseconds.
    static let unknownMemory: UInt32 = 1_000
    /// For so long a key that was found may be looked up by any process, whatever else its address does: a day.
    static let metMemory: UInt32 = 86_400_000
    /// How many words one digest may stand in.
    private static let ways = 4
    /// 512 KiB.
    static let words = 65_536

    private let page: SharedPage
    private let memory: UInt32
    private let clock: @Sendable () -> MonotonicTime

    /// A table on a page of ``words`` that remembers for so many milliseconds.
    init(_ page: SharedPage, memory: UInt32 = unknownMemory, clock: @escaping @Sendable () -> MonotonicTime) {
        precondition(page.count >= Self.words, "a table of keys has no room on its page")
        (self.page, self.memory, self.clock) = (page, memory, clock)
    }

    /// Whether this was noted lately.
    func contains(_ digest: KeyDigest) -> Bool {
        let (first, mark) = place(digest)
        let now = UInt32(truncatingIfNeeded: clock().milliseconds)
        return (first..<first + Self.ways).contains { index in
            let word = page[index]
            return word >> 32 == mark && now &- UInt32(truncatingIfNeeded: word) < memory
        }
    }

    /// Notes this, in the place of the oldest note.
    func note(_ digest: KeyDigest) {
        let (first, mark) = place(digest)
        let now = UInt32(truncatingIfNeeded: clock().milliseconds)
        var chosen = first
        var oldest: UInt32 = 0
        for index in first..<first + Self.ways {
            let word = page[index]
            if word >> 32 == mark {
                chosen = index
                break
            }
            let age = word == 0 ? .max : now &- UInt32(truncatingIfNeeded: word)
            if age >= oldest { (chosen, oldest) = (index, age) }
        }
        page[chosen] = mark << 32 | UInt64(now)
    }

    private func place(_ digest: KeyDigest) -> (first: Int, mark: UInt64) {
        let sets = UInt64(Self.words / Self.ways)
        return (Int(digest.words[1] % sets) * Self.ways, digest.words[2] >> 32)
    }
}
