import CipherKit
import ClientKit
import Domain
import HTTPKit
import LogKit
import ThreadKit
import TimeKit

/// Keys at an address, kept as long as their issuer says, and longer while the issuer is away.
///
/// Calls are made on a thread of their own, one at a time. A request waits for one only while there are no keys at all or
/// its token names one that is not known, and no more than a few requests wait at once: the others are told to come again.
final class KeyAddress: SiteKeys {
    /// How long requests wait for a call, at most.
    private static let patience = Duration.seconds(3)
    /// How many requests wait at once.
    private static let mostWaiting = 4

    private struct State {
        var cache = KeyCache()
        var isFetching = false
        var waiting = 0
    }

    private let url: String
    private let client: Client
    private let world: World
    private let log: Log
    private let state = Lock(State())

    /// Keys at an https address, not fetched before ``prepare()`` or the first token.
    init(url: String, client: Client, world: World, log: Log) {
        self.url = url
        self.client = client
        self.world = world
        self.log = log
    }

    func prepare() {
        let mustFetch = state.withLock { state in
            let must = !state.isFetching && state.cache.order(knowing: true, at: world.now()) != .use
            if must { state.isFetching = true }
            return must
        }
        if mustFetch { fetch() }
    }

    func key(for token: CompactJWS) throws -> VerificationKey? {
        let deadline = ContinuousClock.now + Self.patience
        var isWaiting = false
        defer { if isWaiting { state.withLock { $0.waiting -= 1 } } }
        while true {
            switch look(for: token, &isWaiting) {
            case .found(let key): return key
            case .mustFetch(let key):
                fetch()
                if let key { return key }
            case .away: throw Problem.keysAway
            case .wait: break
            }
            guard ContinuousClock.now < deadline else { throw Problem.keysAway }
            WorkerThread.rest(for: .milliseconds(10))
        }
    }

    private enum Look: Sendable {
        /// The answer, be it that there is no such key.
        case found(VerificationKey?)
        /// The caller is to begin a call; a key that is there already is good meanwhile.
        case mustFetch(VerificationKey?)
        /// A call is under way, whose end the caller awaits.
        case wait
        /// Nothing can be had now.
        case away
    }

    private func look(for token: CompactJWS, _ isWaiting: inout Bool) -> Look {
        var waits = isWaiting
        defer { isWaiting = waits }
        let (look, joins): (Look, Bool) = state.withLock { [waits] state in
            let key = state.cache.keys(at: world.now())?.key(for: token)
            if state.isFetching {
                if let key { return (.found(key), false) }
                if waits { return (.wait, false) }
                guard state.waiting < Self.mostWaiting else { return (.away, false) }
                state.waiting += 1
                return (.wait, true)
            }
            switch state.cache.order(knowing: key != nil, at: world.now()) {
            case .use: return (.found(key), false)
            case .giveUp: return (.away, false)
            case .fetch:
                state.isFetching = true
                return (.mustFetch(key), false)
            }
        }
        if joins { waits = true }
        return look
    }

    /// Makes one call on a thread of its own; `isFetching` has been set by the caller.
    private func fetch() {
        let etag = state.withLock { $0.cache.etag }
        do {
            _ = try WorkerThread(name: "site keys") { [self] in
                let outcome = ask(etag)
                state.withLock { state in
                    state.cache.take(outcome, at: world.now())
                    state.isFetching = false
                }
            }
        } catch {
            log.error("no thread for the site's keys", ["error": .init(error.description)])
            state.withLock { state in
                state.cache.take(.failed, at: world.now())
                state.isFetching = false
            }
        }
    }

    private func ask(_ etag: String?) -> KeyCache.Outcome {
        do {
            let (outcome, skipped) = try Self.ask(url, client, etag)
            for key in skipped where key.refusal.isDangerous {
                log.warning(
                    "a key of the site is not used", ["key": .init(key.name), "cause": .init(key.refusal.description)])
            }
            return outcome
        } catch {
            log.error("the site's keys could not be fetched", ["cause": .init(error.description)])
            return .failed
        }
    }

    /// Asks an address for its keys once.
    static func ask(
        _ url: String, _ client: Client, _ etag: String? = nil
    ) throws(KeyPlaceError) -> (KeyCache.Outcome, [JSONWebKeySet.Skipped]) {
        var request = OutboundRequest(
            method: .get, url: url, headers: [("accept", "application/jwk-set+json, application/json")],
            deadline: .seconds(5), connectDeadline: .seconds(3), responseLimit: JSONWebKeySet.longest)
        if let etag { request.headers.append(("if-none-match", etag)) }
        let response: OutboundResponse
        do throws(ClientError) {
            response = try client.send(request)
        } catch {
            throw KeyPlaceError("names an address that does not answer: \(error.sentence)")
        }
        let freshness = KeyCache.freshness(response.headers.all("cache-control"))
        if response.status == 304, etag != nil { return (.unchanged(for: freshness), []) }
        guard response.status == 200 else {
            throw KeyPlaceError("names an address that answers \(response.status) instead of keys")
        }
        do throws(JSONWebKeySet.Failure) {
            let keys = try JSONWebKeySet(parsing: response.body, takesSecrets: false)
            return (.keys(keys, etag: response.headers["etag"], for: freshness), keys.skipped)
        } catch {
            throw KeyPlaceError("names an address whose answer cannot be used: \(error.description)")
        }
    }
}
