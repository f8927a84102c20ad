import ProcessKit

/// Keys that the database did not know a moment ago, seen by all processes of a host.
///
/// A row of words that never grows: a flood of other keys pushes the oldest out. Each word holds 32 bits of the digest,
/// whose other bits chose the place, and the millisecond. To pass for a key that was just refused takes a digest of which
/// 46 bits are alike, and helps nobody: it is refused.
struct UnknownKeys: Sendable {
    /// For so long an unknown key is not asked for again, in milliseconds.
    static let memory: UInt32 = 1_000
    /// How many words one digest may stand in.
    private static let ways = 4
    /// 512 KiB.
    static let words = 65_536

    private let page: SharedPage
    private let clock: @Sendable () -> MonotonicTime

    /// A table on a page of ``words``.
    init(_ page: SharedPage, clock: @escaping @Sendable () -> MonotonicTime) {
        precondition(page.count >= Self.words, "the table of unknown keys has no room on its page")
        self.page = page
        self.clock = clock
    }

    /// Whether this was found to be no key within the last second.
    func contains(_ digest: KeyDigest) -> Bool {
        let (first, mark) = place(digest)
        let now = UInt32(truncatingIfNeeded: clock().milliseconds)
        return (first..<first + Self.ways).contains { index in
            let word = page[index]
            return word >> 32 == mark && now &- UInt32(truncatingIfNeeded: word) < Self.memory
        }
    }

    /// Notes that this is no key, in the place of the oldest note.
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
