import Domain
import HTTPKit
import JSONKit
import LogKit
import ThreadKit
import TimeKit

/// Renewing what services granted: one call to the service, however many processes and hosts ask at once.
///
/// Who renews has claimed it by a committed lease; no transaction is open and no lock held while the service answers
/// (A2-16, A2-17). The others wait until the version of the tokens moves, or the lease is given back.
extension Connections {
    /// How long somebody waits for a renewal that another one is at.
    private static let longestWait = Duration.seconds(12)

    /// The connection with credentials that can be used now: renewed first when they end soon.
    ///
    /// Never called inside a transaction: it may call the service. The version of ``Grant`` tells whether the tokens are
    /// others than before.
    ///
    /// - Parameter forced: whether the service refused the tokens of this very view (401). However many say so of the
    ///   same tokens, these are renewed once; a refusal of tokens that are a few seconds old changes nothing.
    /// - Throws: `Problem` 409 `undecryptable`, `connection_disabled`, `not_connected` or `needs_reauth`, which a person
    ///   must mend; 502 `refresh_failed` and 503 `refresh_in_progress`, which pass.
    func live(_ view: ConnectionView, by scope: OrganizationScope, forced: Bool = false) throws -> ConnectionView {
        try Self.requireUsable(view)
        guard view.provider?.oauth != nil, case .open = view.tokens else { return view }
        let now = world.now()
        guard forced || view.record.grant.isEnding(at: now) else { return view }
        let isNeeded = forced || !view.record.grant.isValid(at: now)
        // Where the last attempt failed the service is left in peace until the next one is due.
        if view.record.storedStatus == .needsReauth || view.record.grant.isBackingOff(at: now) {
            if isNeeded { throw problem(of: view) }
            return view
        }
        do {
            return try renew(view, by: scope, because: forced ? .refused : .expiring)
        } catch let problem as Problem where !isNeeded && problem.status.code >= 500 {
            // It may have ended while it was waited for another.
            guard view.record.grant.isValid(at: world.now()) else { throw problem }
            return view
        }
    }

    /// Renews a connection's tokens now.
    ///
    /// - Throws: as ``live(_:by:forced:)``, and `Problem` 409 `not_refreshable` where there is nothing to renew, or not yet.
    func refresh(_ view: ConnectionView, by scope: OrganizationScope) throws -> ConnectionView {
        try Self.requireUsable(view)
        guard let oauth = view.provider?.oauth, case .open(let tokens) = view.tokens,
            oauth.exchange == .longLived || tokens.refresh != nil
        else {
            throw Problem(
                409, "not_refreshable",
                "There is nothing to renew: \(view.serviceName) gave no refresh token. What it gave is valid until it ends or is revoked there."
            )
        }
        // Asked too soon a service refuses, and what works would be taken for broken.
        let given = view.record.grant.refreshedAt ?? view.record.grant.authorizedAt
        if let given, let age = oauth.minimumAge, world.now() < given + age {
            throw Problem(
                409, "not_refreshable",
                "\(view.serviceName) renews no token that is so young. Renew it from \((given + age).rfc3339) on.")
        }
        return try renew(view, by: scope, because: .asked)
    }

    /// Refuses what cannot be used before a person has done something.
    static func requireUsable(_ view: ConnectionView) throws(Problem) {
        try requireReadable(view)
        guard view.record.isEnabled else {
            throw Problem(409, "connection_disabled", "This connection is disabled. Enable it to use it.")
        }
        guard view.provider?.oauth != nil else { return try requireKey(view) }
        guard !view.needsSignIn else {
            throw Problem(
                409, "not_connected",
                "Nobody has signed in to \(view.serviceName) yet, or it was disconnected. Connect it first.")
        }
    }

    /// Refuses a connection that lacks the key that it cannot do without.
    private static func requireKey(_ view: ConnectionView) throws(Problem) {
        let missing = view.provider?.missing(view.values) ?? []
        guard missing.contains(where: { $0.kind == .secret }) else { return }
        throw Problem(
            409, "not_connected", "The secrets of this connection were dropped. Enter them again to connect it.")
    }

    // MARK: Claiming and waiting

    /// Renews tokens, or waits for the one who does.
    func renew(
        _ view: ConnectionView, by scope: OrganizationScope, because reason: RefreshReason
    ) throws -> ConnectionView {
        let (id, version) = (view.record.id, view.record.grant.version)
        let end = ContinuousClock.now + Self.longestWait
        var pause = Duration.milliseconds(10)
        while true {
            if let lease = try store(scope).claimRefresh(of: id, version: version) {
                return try perform(lease, by: scope, because: reason)
            }
            while true {
                guard let state = try store(scope).refreshState(of: id) else { throw Problem.notFound }
                if state.isAbandoned { break }
                guard state.isHeld, state.version == version else {
                    return try settled(find(.id(id), scope), since: version, reason)
                }
                guard ContinuousClock.now < end else { throw Problem.refreshInProgress(view) }
                WorkerThread.rest(for: pause * .random(in: 0.75...1.25))
                pause = min(pause * 1.5, .milliseconds(200))
            }
            guard ContinuousClock.now < end else { throw Problem.refreshInProgress(view) }
        }
    }

    /// What came of the renewal that another one made, or made a moment ago.
    private func settled(
        _ view: ConnectionView, since version: Int64, _ reason: RefreshReason
    ) throws -> ConnectionView {
        try Self.requireUsable(view)
        let grant = view.record.grant
        guard grant.version == version, grant.refreshFailures > 0 else { return view }
        if reason == .expiring || reason == .due, grant.isValid(at: world.now()) { return view }
        throw problem(of: view)
    }

    // MARK: Renewing

    private func perform(
        _ lease: RefreshLease, by scope: OrganizationScope, because reason: RefreshReason
    ) throws -> ConnectionView {
        let view = try find(.id(lease.id), scope)
        guard view.record.grant.version == lease.version, let provider = view.provider, let oauth = provider.oauth,
            case .open(let tokens) = view.tokens
        else {
            // A key ring or a provider file may come back.
            try store(scope).release(lease, dueAt: view.record.grant.sealed.map { _ in world.now() + .hours(1) })
            try Self.requireUsable(view)
            return view
        }
        // What could not be stored must not be asked for: it may end what is there.
        _ = try seal(tokens, of: view, scope)
        let started = world.now()
        let endpoint = TokenEndpoint(
            calls: serviceClient(lease.id, of: scope.organization, provider.name), provider: provider, oauth: oauth,
            values: view.signInValues, now: world.now)
        let renewal: Renewal
        do throws(TokenFailure) {
            renewal = try self.renewal(of: tokens, at: endpoint) {
                (try? store(scope).refreshState(of: lease.id))?.version == lease.version
            }
        } catch {
            return try note(error, lease, view, by: scope, because: reason)
        }
        return try keep(renewal, lease, view, oauth, started: started, by: scope, because: reason)
    }

    /// New tokens, and what the service said of them.
    struct Renewal: Sendable {
        let answer: TokenAnswer
        let tokens: Tokens
    }

    /// Asks the service for new tokens; when it knows the refresh token no more, with the one before, since the answer
    /// that brought ours may not have been the last word (A2-18).
    ///
    /// - Parameter areCurrent: whether the tokens are still those that are stored (A2-19).
    private func renewal(
        of tokens: Tokens, at endpoint: TokenEndpoint, whereas areCurrent: () -> Bool
    ) throws(TokenFailure) -> Renewal {
        do throws(TokenFailure) {
            let answer = try endpoint.refresh(tokens, with: tokens.refresh)
            return Renewal(answer: answer, tokens: Tokens(answer, over: tokens, with: tokens.refresh))
        } catch {
            guard error.code == .grantEnded, let previous = tokens.previousRefresh, areCurrent() else { throw error }
            let answer = try endpoint.refresh(tokens, with: previous)
            return Renewal(answer: answer, tokens: Tokens(answer, over: tokens, with: previous))
        }
    }
}
