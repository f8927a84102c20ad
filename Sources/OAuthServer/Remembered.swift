import ThreadKit

/// Things that were looked up, by what they were asked for with, each good while the number of changes stays.
///
/// Each part has two halves: what was met since it was last full, and what was met before. When the first is full it becomes
/// the second, which is forgotten: what is used stays, what is not goes, and finding something writes nothing.
///
/// Keys are digests and ids: bytes that differ at their ends.
final class Remembered<Value: Sendable>: Sendable {
    /// Bytes that are hashed by their last eight at once: an array's are one after the other.
    private struct Key: Hashable {
        let bytes: [UInt8]

        func hash(into hasher: inout Hasher) {
            hasher.combine(bytes.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        }
    }

    private struct Kept {
        let value: Value
        let generation: UInt64
    }

    private struct Part {
        var recent: [Key: Kept] = [:]
        var earlier: [Key: Kept] = [:]
    }

    private let room: Int
    private let parts: [Lock<Part>]

    /// So many parts, with at most twice `room` things in each.
    init(parts count: Int, room: Int) {
        self.room = room
        parts = (0..<count).map { _ in Lock(Part()) }
    }

    /// What is kept for a key since nothing was changed, or else what `read` finds now.
    ///
    /// - Parameter generation: the number of changes, read before this is called: what comes in between makes what is kept
    ///   old, and never the other way.
    func value(_ bytes: [UInt8], at generation: UInt64, read: () throws -> Value?) rethrows -> Value? {
        if let known = known(bytes, at: generation) { return known }
        guard let value = try read() else {
            drop(Key(bytes: bytes))
            return nil
        }
        keep(value, for: bytes, at: generation)
        return value
    }

    /// What is kept for a key since nothing was changed.
    func known(_ bytes: [UInt8], at generation: UInt64) -> Value? {
        guard let kept = standing(Key(bytes: bytes)), kept.generation == generation else { return nil }
        return kept.value
    }

    /// Keeps what was found after the number of changes was read.
    func keep(_ value: Value, for bytes: [UInt8], at generation: UInt64) {
        let (key, kept) = (Key(bytes: bytes), Kept(value: value, generation: generation))
        part(key).withLock { store(kept, key, in: &$0) }
    }

    private func standing(_ key: Key) -> Kept? {
        part(key).withLock { part in
            if let kept = part.recent[key] { return kept }
            guard let kept = part.earlier[key] else { return nil }
            store(kept, key, in: &part)
            return kept
        }
    }

    private func store(_ kept: Kept, _ key: Key, in part: inout Part) {
        if part.recent.count >= room, part.recent[key] == nil { (part.earlier, part.recent) = (part.recent, [:]) }
        part.recent[key] = kept
    }

    private func drop(_ key: Key) {
        part(key).withLock { part in
            part.recent[key] = nil
            part.earlier[key] = nil
        }
    }

    private func part(_ key: Key) -> Lock<Part> { parts[Int(key.bytes.last ?? 0) % parts.count] }
}
