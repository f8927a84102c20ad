import DatabaseKit
import LogKit
import ProcessKit
import Synchronization
import ThreadKit
import TimeKit

/// The keys that this process has met, resolved, so that a request costs no question to the database.
///
/// A key stands here until anything that keys are resolved with is changed: what is kept is compared with the host's
/// ``SharedGeneration``, which was read before the database was. On this host a change is seen at once, since whoever
/// makes it says so after its commit and before the answer; of another host's changes a process of this one learns by
/// looking up the count each second.
///
/// While the database is away what stands here still opens doors, but no longer than ``trust``: after that a revocation
/// made elsewhere could have been missed for too long, and every key is refused with 503.
final class KeyCache: Sendable {
    /// How long keys are taken without the count of changes having been looked up.
    static let trust = Duration.seconds(60)
    /// After how long without a look somebody who needs a key looks, in case that the ticker does not.
    private static let patience = Duration.seconds(3)
    /// For how long the database is not asked after it was away.
    private static let pause = Duration.seconds(1)
    /// How many keys are kept at most: twice this number in each part.
    private static let room = 512
    private static let parts = 16

    /// A part of the keys: those met since it was last full, and those met before.
    ///
    /// When the first half is full it becomes the second one, which is forgotten. So what is used stays, what is not goes,
    /// and finding a key writes nothing.
    private struct Part {
        var recent: [KeyDigest: ResolvedKey] = [:]
        var earlier: [KeyDigest: ResolvedKey] = [:]

        mutating func key(_ digest: KeyDigest) -> ResolvedKey? {
            if let key = recent[digest] { return key }
            guard let key = earlier[digest] else { return nil }
            keep(key, digest)
            return key
        }

        mutating func keep(_ key: ResolvedKey, _ digest: KeyDigest) {
            if recent.count >= KeyCache.room, recent[digest] == nil { (earlier, recent) = (recent, [:]) }
            recent[digest] = key
        }

        mutating func drop(_ digest: KeyDigest) {
            recent[digest] = nil
            earlier[digest] = nil
        }
    }

    private let reader: KeyReader
    private let generation: KeyGeneration
    private let unknown: KeyNotes
    private let met: KeyNotes
    private let clock: @Sendable () -> MonotonicTime
    private let kept = (0..<parts).map { _ in Lock(Part()) }
    /// One lane at a time reads keys of a kind, so that of many who need the same one the first one reads it.
    private let reading = (0..<64).map { _ in Lock(false) }
    /// One lane at a time looks whether anything was changed elsewhere: those who cannot go on without wait for it.
    private let looking = Lock(false)
    private let isLooking = Atomic<Bool>(false)
    private let outage = Lock<Outage?>(nil)

    private struct Outage {
        let moment: MonotonicTime
        let error: DatabaseError
    }

    init(
        _ database: Database, _ shared: SharedGeneration, unknown: SharedPage, met: SharedPage,
        clock: @escaping @Sendable () -> MonotonicTime
    ) {
        reader = KeyReader(database: database)
        generation = KeyGeneration(database: database, shared: shared, clock: clock)
        self.unknown = KeyNotes(unknown, clock: clock)
        self.met = KeyNotes(met, memory: KeyNotes.metMemory, clock: clock)
        self.clock = clock
    }

    /// How many keys are kept now.
    var count: Int { kept.reduce(0) { sum, part in sum + part.withLock { $0.recent.count + $0.earlier.count } } }

    /// The key that somebody sent; nil when there is none.
    ///
    /// - Parameter look: called with a closure that reads the key of a digest not met on this host within a day; throws
    ///   instead of calling it when whoever sent it may not have the database asked. What was met is read without that.
    /// - Throws: `DatabaseError` when the key is not known here, or no longer for sure, and the database is away.
    func key(
        _ sent: Secret<String>, look: (() throws -> ResolvedKey?) throws -> ResolvedKey? = { try $0() }
    ) throws -> ResolvedKey? {
        // What is longer than any key costs nothing, not even its digest.
        guard sent.reveal({ KeyText.lengths.contains($0.utf8.count) }) else { return nil }
        let digest = sent.reveal { KeyDigest(of: $0) }
        let current = try currentGeneration()
        if let key = standing(digest), key.generation == current { return key }
        guard sent.reveal({ KeyText.isKey($0) }), !unknown.contains(digest) else { return nil }
        return try met.contains(digest) ? readAlone(digest) : look { try readAlone(digest) }
    }

    private func readAlone(_ digest: KeyDigest) throws -> ResolvedKey? {
        try reading[Int(digest.words[3] % UInt64(reading.count))].withLock { _ in try read(digest) }
    }

    private func standing(_ digest: KeyDigest) -> ResolvedKey? {
        part(digest).withLock { $0.key(digest) }
    }

    private func read(_ digest: KeyDigest) throws -> ResolvedKey? {
        // Another lane may have read it meanwhile. The number is read before the key: a change that comes in between
        // makes what is kept old, and never the other way.
        let current = try currentGeneration()
        if let key = standing(digest), key.generation == current { return key }
        if unknown.contains(digest) { return nil }
        if let failure = failure(at: clock()) { throw failure }
        guard let found = try noting({ try reader.key(digest, generation: current) }) else {
            unknown.note(digest)
            part(digest).withLock { $0.drop(digest) }
            return nil
        }
        met.note(digest)
        keep(found, digest)
        return found
    }

    func keep(_ key: ResolvedKey, _ digest: KeyDigest) { part(digest).withLock { $0.keep(key, digest) } }

    private func part(_ digest: KeyDigest) -> Lock<Part> { kept[Int(digest.words[3] >> 32) % Self.parts] }

    // MARK: Being sure

    /// The host's number, once it is sure that no change elsewhere has been missed for long.
    private func currentGeneration() throws -> UInt64 {
        let now = clock()
        let age = generation.shared.age(at: now)
        if let age, age <= Self.patience { return generation.shared.number }
        if let age, age <= Self.trust {
            // One lane looks, and nobody waits for it: the server may be silent for as long as it likes.
            guard failure(at: now) == nil, !isLooking.exchange(true, ordering: .acquiringAndReleasing) else {
                return generation.shared.number
            }
            defer { isLooking.store(false, ordering: .releasing) }
            try? look()
            return generation.shared.number
        }
        try looking.withLock { _ in
            if let age = generation.shared.age(at: clock()), age <= Self.patience { return }
            if let failure = failure(at: clock()) { throw failure }
            try look()
        }
        return generation.shared.number
    }

    private func look() throws {
        try noting { try generation.lookUp() }
    }

    /// Asks the database something, and remembers when it was away.
    private func noting<Result>(_ ask: () throws -> Result) throws -> Result {
        do {
            return try ask()
        } catch let error as DatabaseError where error.code == .gone {
            outage.withLock { $0 = Outage(moment: clock(), error: error) }
            throw error
        }
    }

    /// Why the database was away within the last second: who asks again so soon is told the same without asking.
    private func failure(at now: MonotonicTime) -> DatabaseError? {
        guard let last = outage.withLock({ $0 }), last.moment <= now, now - last.moment < Self.pause else { return nil }
        return last.error
    }

    /// Looks up now whether another host has changed anything.
    func lookUp() throws { try generation.lookUp() }

    /// Something that keys are resolved with was changed by this process.
    func changed() { generation.shared.advance() }
}
