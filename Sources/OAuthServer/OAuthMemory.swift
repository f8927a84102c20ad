import CipherKit
import DatabaseKit
import Domain
import ProcessKit
import Synchronization
import ThreadKit
import TimeKit

/// The apps and access tokens that this process has met, so that a request with one costs no question to the database.
///
/// Each counts until anything that they are resolved with was changed: apps, grants, tokens that were revoked, and users,
/// memberships and organizations. What is kept is compared with the host's `SharedGeneration`, which was read before the
/// database was. On this host a revocation is seen by every process at once, since whoever revokes says so after the commit
/// and before the answer; another host's is seen by the count that is looked up each second.
///
/// While the database is away what stands here still opens doors, but no longer than ``trust``.
public final class OAuthMemory: Sendable {
    /// How long what is kept is taken without the count of changes having been looked up.
    static let trust = Duration.seconds(60)
    /// After how long without a look somebody who needs it looks, in case that the ticker does not.
    private static let patience = Duration.seconds(3)
    /// For how long the database is not asked after it was away.
    private static let pause = Duration.seconds(1)

    private let database: Database
    private let shared: SharedGeneration
    private let clock: @Sendable () -> MonotonicTime
    private let tokens = Remembered<ResolvedToken>(parts: 16, room: 512)
    private let apps = Remembered<AppRecord>(parts: 4, room: 512)
    /// The apps of those who have proved who they are, by the digest of the header that proved it.
    private let clients = Remembered<AppRecord>(parts: 4, room: 512)
    /// One lane at a time looks whether anything was changed elsewhere: those who cannot go on without wait for it.
    private let looking = Lock(false)
    private let isLooking = Atomic<Bool>(false)
    private let outage = Lock<Outage?>(nil)

    private struct Outage {
        let moment: MonotonicTime
        let error: DatabaseError
    }

    /// A memory that all processes of a host keep in step by a file in a folder, made when missing.
    public convenience init(_ database: Database, folder: String) throws {
        self.init(database, try SharedGeneration(file: "\(folder)/oauth-generation"))
    }

    /// A memory of this process alone, for tests and single commands.
    convenience init(_ database: Database, clock: @escaping @Sendable () -> MonotonicTime = { .now() }) throws {
        self.init(database, try SharedGeneration(), clock: clock)
    }

    init(
        _ database: Database, _ shared: SharedGeneration, clock: @escaping @Sendable () -> MonotonicTime = { .now() }
    ) {
        self.database = database
        self.shared = shared
        self.clock = clock
    }

    // MARK: What others must tell

    /// Something that apps and tokens are resolved with was changed and committed.
    ///
    /// To be called before the change is answered; from then on no process of this host takes what it had in memory.
    public func changed() { shared.advance() }

    /// Looks up whether another host has changed anything; to be called each second by one process of a host.
    ///
    /// - Throws: `DatabaseError`; nothing is learnt then, and what is kept counts for no longer than ``trust``.
    public func lookUp() throws {
        let moment = clock()
        let row = try database.row(
            """
            SELECT CAST(SUM(value) AS SIGNED) AS value
              FROM generations
             WHERE name IN (\(Generations.oauth), \(Generations.apiKeys))
            """)
        let count: Int64 = try row?.get("value", as: Int64?.self) ?? 0
        shared.saw(UInt64(clamping: count), at: moment)
    }

    // MARK: What is kept

    /// The app of a client id; nil when there is none.
    func app(clientID: String) throws -> AppRecord? { try ClientID(clientID).flatMap { try app($0.id) } }

    /// The app of an id; nil when there is none.
    func app(_ id: Identifier<OAuthApp>) throws -> AppRecord? {
        try apps.value(id.bytes, at: currentGeneration()) {
            try read { try AppReader.find(id, in: database) }
        }
    }

    /// The app that an Authorization header proves, as it did before or is found to do now.
    ///
    /// Only what is right and lasts is kept, as the digest of 256 random bits and more: nothing that could be guessed by
    /// how long a look takes.
    func client(_ header: String, prove: () throws -> ClientAuthentication.Client) throws -> AppRecord {
        let (key, generation) = (SHA256.digest(header.utf8), try currentGeneration())
        if let app = clients.known(key, at: generation) { return app }
        let client = try prove()
        if client.isLasting { clients.keep(client.app, for: key, at: generation) }
        return client.app
    }

    /// The access token that somebody sent, whatever its state; nil when there is none.
    ///
    /// One that is known by the digest of its whole text was read before, so it need not be taken apart again.
    func token(_ sent: String) throws -> ResolvedToken? {
        guard TokenText.kind(of: sent) == .accessToken else { return nil }
        let (digest, generation) = (SHA256.digest(sent.utf8), try currentGeneration())
        if let known = tokens.known(digest, at: generation) { return known }
        guard let text = TokenText(sent) else { return nil }
        return try tokens.value(digest, at: generation) {
            try read { try TokenReader(database: database).token(text) { try app($0) } }
        }
    }

    /// Reads what is not kept, unless the database was away a moment ago.
    private func read<Value>(_ ask: () throws -> Value?) throws -> Value? {
        if let failure = failure(at: clock()) { throw failure }
        return try noting(ask)
    }

    // MARK: Being sure

    /// The host's number, once it is sure that no change elsewhere has been missed for long.
    private func currentGeneration() throws -> UInt64 {
        let now = clock()
        let age = shared.age(at: now)
        if let age, age <= Self.patience { return shared.number }
        if let age, age <= Self.trust {
            // One lane looks, and nobody waits for it: the server may be silent for as long as it likes.
            guard failure(at: now) == nil, !isLooking.exchange(true, ordering: .acquiringAndReleasing) else {
                return shared.number
            }
            defer { isLooking.store(false, ordering: .releasing) }
            try? noting { try lookUp() }
            return shared.number
        }
        try looking.withLock { _ in
            if let age = shared.age(at: clock()), age <= Self.patience { return }
            if let failure = failure(at: clock()) { throw failure }
            try noting { try lookUp() }
        }
        return shared.number
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
}
