import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import ThreadKit
import TimeKit

/// Noting what came of a renewal.
extension Connections {
    // MARK: Success

    /// Stores renewed tokens before anybody uses them, and mends what their want had broken.
    ///
    /// They are stored over the version that they were renewed from even when the lease has run out meanwhile: what the
    /// service gave last is what it takes.
    func keep(
        _ renewal: Renewal, _ lease: RefreshLease, _ view: ConnectionView, _ oauth: ProviderOAuth, started: Timestamp,
        by scope: OrganizationScope, because reason: RefreshReason
    ) throws -> ConnectionView {
        let times = GrantTimes(
            renewal.answer, oauth, started: started, hasRefreshToken: renewal.tokens.refresh != nil,
            renewing: view.record.grant, jitter: jitter)
        let sealed = try seal(renewal.tokens, of: view, scope)
        let took = world.now() - started
        let isKept = try persistently {
            try database.transaction { transaction in
                guard let now = try store(scope).lock(lease.id, in: transaction) else { return false }
                // Stored by an attempt whose answer was lost on its way from the database.
                if now.grant.sealed == sealed { return true }
                guard now.grant.version == lease.version else { return false }
                let after = status(after: now, times, view)
                let isChange = after.status != now.storedStatus
                try store(scope).storeRenewed(
                    lease,
                    .init(
                        sealedTokens: sealed, times: times, scopes: renewal.answer.scopes, status: after.status,
                        detail: after.detail, isChange: isChange || after.detail != now.statusDetail,
                        rest: min(RefreshLease.rest, (renewal.answer.lifetime ?? .hours(1)) / 4)), in: transaction)
                try checks(scope).record(.refresh, lease.id, nil, took, in: transaction)
                if isChange || reason == .asked {
                    try recordChange("connection.refreshed", view, now.storedStatus, after.status, scope, transaction)
                }
                if isChange { try publish(after.status, after.detail, view, scope, in: transaction) }
                return true
            }
        }
        if !isKept { try revokeUnwanted(renewal.tokens, of: view, by: scope) }
        let after = try find(.id(lease.id), scope)
        try Self.requireUsable(after)
        return after
    }

    /// How a connection is once its tokens are renewed: what a failed renewal had said of it holds no more.
    private func status(
        after now: ConnectionRecord, _ times: GrantTimes, _ view: ConnectionView
    ) -> (status: ConnectionStatus, detail: String?) {
        let wasBroken =
            now.storedStatus == .needsReauth
            || (now.storedStatus == .error && now.statusDetail?.hasPrefix(RefreshVerdict.beginning) == true)
        guard wasBroken || now.storedStatus == .connected || now.storedStatus == .expiring else {
            return (now.storedStatus, now.statusDetail)
        }
        let warning = warning(view, grantEndsAt: times.endsAt)
        return warning.map { (.expiring, $0) } ?? (.connected, nil)
    }

    /// Repeats a transaction for as long as the service's answer is ours alone: a database that is away for seconds
    /// must not lose a token that cannot be had twice.
    private func persistently<Result>(_ change: () throws -> Result) throws -> Result {
        let end = ContinuousClock.now + .seconds(10)
        while true {
            do {
                return try change()
            } catch let error as DatabaseError where ContinuousClock.now < end {
                log.warning("Renewed tokens could not be stored yet", ["error": .init(error.description)])
                WorkerThread.rest(for: .milliseconds(200))
            }
        }
    }

    // MARK: Failure

    /// Notes that a renewal failed. When somebody stored other tokens meanwhile these are what counts (A2-19).
    func note(
        _ failure: TokenFailure, _ lease: RefreshLease, _ view: ConnectionView, by scope: OrganizationScope,
        because reason: RefreshReason
    ) throws -> ConnectionView {
        let verdict = RefreshVerdict(failure, of: view.record.grant, because: reason, at: world.now())
        let isNoted = try database.transaction { transaction in
            guard let now = try store(scope).lock(lease.id, in: transaction), now.grant.version == lease.version else {
                return false
            }
            let isChange = verdict.status.map { $0 != now.storedStatus } ?? false
            let isNews = isChange || (verdict.status != nil && verdict.detail != now.statusDetail)
            try store(scope).storeFailure(lease, verdict, isChange: isChange, isNews: isNews, in: transaction)
            try checks(scope).record(.refresh, lease.id, verdict.detail, nil, in: transaction)
            if isChange, let status = verdict.status {
                try recordChange("connection.refresh_failed", view, now.storedStatus, status, scope, transaction)
                try publish(status, verdict.detail, view, scope, in: transaction)
            }
            if verdict.isAlarm {
                try publish(
                    .connectionRefreshFailed, view, scope, more: ["failures": .integer(Int64(verdict.failures))],
                    detail: verdict.detail, in: transaction)
            }
            return true
        }
        guard isNoted else { return try settledElsewhere(lease, scope) }
        alert(verdict, view)
        throw problem(verdict)
    }

    private func settledElsewhere(_ lease: RefreshLease, _ scope: OrganizationScope) throws -> ConnectionView {
        let now = try find(.id(lease.id), scope)
        try Self.requireUsable(now)
        return now
    }

    /// Tells the operator's log of what goes on failing, or needs a person.
    private func alert(_ verdict: RefreshVerdict, _ view: ConnectionView) {
        let log = log.with([
            "connection": .init(view.record.id.text), "provider": .init(view.record.provider),
            "failures": .init(verdict.failures),
        ])
        if verdict.isAlarm {
            log.error("Tokens could not be renewed three times in a row")
        } else if verdict.status == .needsReauth {
            log.warning("A connection needs somebody to sign in again")
        }
    }

    // MARK: Problems

    private func problem(_ verdict: RefreshVerdict) -> Problem {
        verdict.status == .needsReauth
            ? .needsReauth(verdict.detail) : .refreshFailed(verdict.detail, until: verdict.dueAt, now: world.now())
    }

    /// Why a connection cannot be used, of what is stored of it.
    func problem(of view: ConnectionView) -> Problem {
        let said = view.record.statusDetail ?? "\(RefreshVerdict.beginning)\(view.serviceName) gave no new tokens."
        return view.record.storedStatus == .needsReauth
            ? .needsReauth(said) : .refreshFailed(said, until: view.record.grant.refreshDueAt, now: world.now())
    }

    // MARK: -

    func seal(_ tokens: Tokens, of view: ConnectionView, _ scope: OrganizationScope) throws -> [UInt8] {
        try vault.seal(
            tokens.bytes, at: Tokens.place(view.record.id), for: scope.organization, in: database)
    }

    /// From 0 to 1, so that what falls due together does not stay together.
    var jitter: Double { Double(world.randomBytes(1).first ?? 0) / 255 }

    private func recordChange(
        _ action: String, _ view: ConnectionView, _ before: ConnectionStatus, _ after: ConnectionStatus,
        _ scope: OrganizationScope, _ transaction: Transaction
    ) throws {
        let details: JSON =
            before == after
            ? [:] : ["status": ["from": .string(before.rawValue), "to": .string(after.rawValue)]]
        try audit.record(action, object(view), details: details, by: scope, in: transaction)
    }
}

extension Problem {
    /// Only a person can mend it.
    static func needsReauth(_ detail: String) -> Problem { Problem(409, "needs_reauth", detail) }

    /// The service gave no new tokens; it is asked again at a time that is known.
    static func refreshFailed(_ detail: String, until next: Timestamp?, now: Timestamp) -> Problem {
        let seconds = next.map { max(1, (($0 - now).milliseconds + 999) / 1_000) }
        return Problem(502, "refresh_failed", detail, headers: seconds.map { ["retry-after": String($0)] } ?? [:])
    }

    /// Another process is at it, and the service is slow.
    static func refreshInProgress(_ view: ConnectionView) -> Problem {
        Problem(
            503, "refresh_in_progress",
            "\(view.serviceName) takes its time to renew this connection. Try again in a few seconds.",
            headers: ["retry-after": "5"])
    }
}
