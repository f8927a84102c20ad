import DatabaseKit
import Domain
import ProcessKit
import Synchronization
import ThreadKit
import TimeKit

/// A source as requests are checked with it.
struct OpenSource: Sendable {
    let source: InboundSource
    let scheme: SchemeName
    /// The sender's own way of signing, for `hmac`.
    let recipe: Recipe?
    let bodyLimit: Int
    let perMinute: Int
    /// When the address by which it was found ends, since another one took its place.
    let endsAt: Timestamp?
    /// Whether its secrets are there and cannot be opened; then nothing is known and nothing is refused for good.
    let isLocked: Bool
}

/// The sources that this process has met, so that a request costs no question to the database but its own storing.
///
/// What is kept counts as long as the host's ``SharedGeneration`` does, which was read before the database was. A change on
/// this host is seen at once; one of another host within a second or two, since the count of all hosts is looked up again
/// when it is older than that.
final class SourceCache: Sendable {
    /// For how long the count of all hosts is believed without a look, and how long while somebody else looks.
    private static let fresh = Duration.seconds(1)
    private static let patience = Duration.seconds(5)
    /// How many addresses are kept: what nobody asks for is forgotten with its half of them.
    private static let room = 4_096

    private struct Entry: Sendable {
        let generation: UInt64
        let source: OpenSource?
    }

    /// Addresses met since it was last full, and those met before.
    private struct Kept: Sendable {
        var recent: [Identifier<InboundAddress>: Entry] = [:]
        var earlier: [Identifier<InboundAddress>: Entry] = [:]
    }

    private let database: Database
    private let generation: SharedGeneration
    private let find: @Sendable (Identifier<InboundAddress>) throws -> OpenSource?
    private let clock: @Sendable () -> MonotonicTime
    private let kept = Lock(Kept())
    private let isLooking = Atomic<Bool>(false)
    private let looking = Lock(false)

    init(
        _ database: Database, _ generation: SharedGeneration,
        clock: @escaping @Sendable () -> MonotonicTime = { .now() },
        find: @escaping @Sendable (Identifier<InboundAddress>) throws -> OpenSource?
    ) {
        self.database = database
        self.generation = generation
        self.find = find
        self.clock = clock
    }

    /// The source at an address; nil when there is none.
    ///
    /// - Parameter ask: what looks up an address at which there was none yet; it may refuse to.
    /// - Throws: `DatabaseError` when it is not known here, or no longer for sure, and the database is away.
    func source(
        at address: Identifier<InboundAddress>,
        unmet ask: (_ find: () throws -> OpenSource?) throws -> OpenSource?
    ) throws -> OpenSource? {
        let current = try currentGeneration()
        let met = entry(address)
        if let met, met.generation == current { return met.source }
        // The number is read before the source: a change in between makes what is kept old, never the other way.
        let found = try met?.source == nil ? ask { try find(address) } : find(address)
        keep(Entry(generation: current, source: found), address)
        return found
    }

    /// Something was changed by this process.
    func changed() { generation.advance() }

    private func entry(_ address: Identifier<InboundAddress>) -> Entry? {
        kept.withLock { kept in
            if let entry = kept.recent[address] { return entry }
            guard let entry = kept.earlier[address] else { return nil }
            kept.recent[address] = entry
            return entry
        }
    }

    private func keep(_ entry: Entry, _ address: Identifier<InboundAddress>) {
        kept.withLock { kept in
            if kept.recent.count >= Self.room { (kept.earlier, kept.recent) = (kept.recent, [:]) }
            kept.recent[address] = entry
        }
    }

    private func currentGeneration() throws -> UInt64 {
        let age = generation.age(at: clock())
        if let age, age <= Self.fresh { return generation.number }
        if let age, age <= Self.patience {
            // One lane looks; the others go on.
            guard !isLooking.exchange(true, ordering: .acquiringAndReleasing) else { return generation.number }
            defer { isLooking.store(false, ordering: .releasing) }
            try look()
            return generation.number
        }
        try looking.withLock { _ in
            if let age = generation.age(at: clock()), age <= Self.fresh { return }
            try look()
        }
        return generation.number
    }

    private func look() throws {
        let began = clock()
        generation.saw(
            UInt64(bitPattern: try Generations.value(of: Generations.inboundSources, in: database)), at: began)
    }
}
