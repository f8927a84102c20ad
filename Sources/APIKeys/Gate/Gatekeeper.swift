import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import LimitKit
import LogKit
import ProcessKit
import TimeKit

/// Where keys come in, to the hub's own interface and to sites that nginx guards with it.
///
/// One for a process, shared by its lanes. A key that was met before is judged from memory alone: its state, the address,
/// the right, the limits. The order is the same everywhere, and only what is let in counts against the limits.
public final class Gatekeeper: Sendable {
    /// What a gatekeeper shares with the other processes of its host.
    public struct Memory: Sendable {
        let generation: SharedGeneration
        let unknown: SharedPage
        let met: SharedPage
        let limiter: Limiter

        /// Files in a folder, made when missing; limits are counted by this limiter.
        public init(folder: String, limiter: Limiter) throws {
            generation = try SharedGeneration(file: "\(folder)/key-generation")
            unknown = try SharedPage(file: "\(folder)/unknown-keys", words: KeyNotes.words)
            met = try SharedPage(file: "\(folder)/met-keys", words: KeyNotes.words)
            self.limiter = limiter
        }

        /// What nobody else sees, for tests.
        public init(limiter: Limiter) throws {
            generation = try SharedGeneration()
            unknown = try SharedPage(words: KeyNotes.words)
            met = try SharedPage(words: KeyNotes.words)
            self.limiter = limiter
        }
    }

    /// How many credentials of one address that open nothing are answered like the first, in a minute.
    public static let standardGuesses = 60

    let cache: KeyCache
    let limiter: Limiter
    let world: World
    private let database: Database
    private let guesses: Guesses
    private let uses = LastUses()
    private let audit: AuditTrail
    private let log: Log

    /// A gatekeeper with nothing in memory yet.
    ///
    /// - Parameter clock: the machine's clock, by which it is judged how old memory is; another one serves tests.
    public init(
        _ database: Database, world: World, memory: Memory, guessesPerMinute: Int = standardGuesses, log: Log = Log(),
        clock: @escaping @Sendable () -> MonotonicTime = { .now() }
    ) {
        self.database = database
        self.world = world
        self.log = log
        limiter = memory.limiter
        cache = KeyCache(database, memory.generation, unknown: memory.unknown, met: memory.met, clock: clock)
        guesses = Guesses(memory.limiter, limit: guessesPerMinute)
        audit = AuditTrail(world: world)
    }

    // MARK: What others must tell

    /// Something that keys are resolved with was changed and committed: a key, a user, a membership, an organization.
    ///
    /// To be called before the change is answered; from then on no process of this host takes what it had in memory.
    public func changed() { cache.changed() }

    /// Looks up whether another host has changed anything; to be called each second by one process of a host.
    ///
    /// While the database is away nothing is learnt, and keys in memory are trusted for no longer than ``KeyCache/trust``.
    public func lookUp() {
        do {
            try cache.lookUp()
        } catch {
            log.debug("it cannot be told whether keys were changed", ["error": .init(String(reflecting: error))])
        }
    }

    /// Writes what was noted in memory, last uses and guesses; to be called each second, and before the process leaves.
    ///
    /// What cannot be written is kept for the next time.
    public func flush(isLast: Bool = false) {
        do {
            try uses.flush(to: database, at: world.now(), isLast: isLast)
            try guesses.flush(to: database, audit, log: log)
        } catch {
            log.debug("what the gate has noted waits to be written", ["error": .init(String(reflecting: error))])
        }
    }

    // MARK: Judging

    /// Whose key somebody sent, whatever its state; nil when there is none.
    func find(_ sent: Secret<String>) throws -> ResolvedKey? { try cache.key(sent) }

    /// The same for a stranger; throws ``Guesses/Exhausted`` when it would have to be looked up and their address has
    /// guessed too often for that.
    func find(_ sent: Secret<String>, from address: String, at now: Timestamp) throws -> ResolvedKey? {
        try cache.key(sent) { read in try guesses.look(for: address, at: now, read) }
    }

    /// What becomes of a key before its limits are asked: its state, the address, the right.
    ///
    /// - Returns: nil when what is asked for is no right.
    func judge(_ key: ResolvedKey, from address: String, right: String?, at now: Timestamp) -> KeyVerdict? {
        let verdict = key.verdict(at: now, from: address)
        guard verdict == .valid, let right else { return verdict }
        return key.holds(right).map { $0 ? .valid : .insufficientScope }
    }

    /// Counts so many requests of a key; none only looks.
    func take(_ cost: Int, of key: ResolvedKey, at now: Timestamp) -> LimitVerdict {
        cost == 0
            ? limiter.peek(0, from: key.quotas, of: key.subject, at: now)
            : limiter.take(cost, from: key.quotas, of: key.subject, at: now)
    }

    /// Notes that a key was let in.
    func note(_ key: ResolvedKey, from address: String, at now: Timestamp) {
        if key.isToBeNoted(at: now) { uses.note(key.id, at: now, from: address) }
    }

    /// Notes a credential that opens nothing; tells after how many seconds to come back when there were too many.
    func guessed(from address: String, requestID: String, at now: Timestamp) -> Int? {
        guesses.note(from: address, requestID: requestID, at: now)
    }

    // MARK: The gate of a site

    /// The most that one request may count as.
    private static let highestCost = 1_000_000

    /// Answers what nginx asks before it lets a request of a site through.
    public func answer(_ question: GateQuestion) -> [UInt8] {
        let now = world.now()
        do {
            switch question.credential {
            case .sent(let sent): return try answer(question, sent, at: now)
            case .missing: return GateAnswer.unauthorized
            case .malformed: return refuse(.notFound, nil, question, at: now)
            case .ambiguous: return GateAnswer.ambiguous
            }
        } catch let spent as Guesses.Exhausted {
            _ = guessed(from: question.remoteAddress, requestID: question.requestID, at: now)
            return GateAnswer.guessing(by: "", retryAfter: spent.retryAfter)
        } catch {
            log.with(["request_id": .init(question.requestID)]).error(
                "the gate could not tell whose key it was", ["error": .init(String(reflecting: error))])
            return GateAnswer.unavailable
        }
    }

    private func answer(_ question: GateQuestion, _ sent: Secret<String>, at now: Timestamp) throws -> [UInt8] {
        guard let key = try find(sent, from: question.remoteAddress, at: now),
            question.organization.isEmpty || question.organization == key.organization.text
        else { return refuse(.notFound, nil, question, at: now) }
        guard let verdict = judge(key, from: question.remoteAddress, right: question.scope, at: now),
            let cost = question.cost.isEmpty ? 1 : Int(question.cost), (0...Self.highestCost).contains(cost)
        else { return misconfigured(question) }
        guard verdict == .valid else { return refuse(verdict, key, question, at: now) }
        let limits = take(cost, of: key, at: now)
        note(key, from: question.remoteAddress, at: now)
        return limits.isAllowed
            ? GateAnswer.admitted(key.lines, key.tally, limits) : GateAnswer.limited(by: key.refusal, key.tally, limits)
    }

    private func refuse(
        _ verdict: KeyVerdict, _ key: ResolvedKey?, _ question: GateQuestion, at now: Timestamp
    ) -> [UInt8] {
        switch verdict {
        case .notFound, .revoked, .expired:
            guard let seconds = guessed(from: question.remoteAddress, requestID: question.requestID, at: now) else {
                return GateAnswer.refused(verdict.rawValue, isUnknown: true, by: key?.refusal ?? "")
            }
            return GateAnswer.guessing(by: key?.refusal ?? "", retryAfter: seconds)
        case .disabled, .ipNotAllowed, .insufficientScope, .rateLimited, .valid:
            return GateAnswer.refused(verdict.rawValue, isUnknown: false, by: key?.refusal ?? "")
        }
    }

    private func misconfigured(_ question: GateQuestion) -> [UInt8] {
        log.with(["request_id": .init(question.requestID)]).error(
            "a site asks the gate for what is no right; see $hub_scope and $hub_cost in its configuration",
            ["scope": .init(question.scope), "cost": .init(question.cost)])
        return GateAnswer.misconfigured
    }
}
