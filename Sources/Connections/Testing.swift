import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Trying a connection, and noting how it went.
extension Connections {
    /// Tries a connection and notes how it went; the audit log hears of it when the outcome is another one than before.
    ///
    /// - Parameter kind: why it is tried.
    func test(
        _ view: ConnectionView, as kind: CheckStore.Kind = .test, by scope: OrganizationScope
    ) throws -> TestOutcome {
        try Self.requireReadable(view)
        guard view.record.isEnabled else {
            throw Problem(409, "connection_disabled", "This connection is disabled. Enable it before you test it.")
        }
        guard let provider = view.provider else { throw Problem.withoutProvider(view) }
        let missing = provider.missing(view.signInValues)
        guard missing.isEmpty else {
            throw Problem(
                409, "setup_incomplete", "Enter \(missing.map(\.label).joined(separator: ", ")) first.")
        }
        guard !view.needsSignIn else {
            throw Problem(
                409, "sign_in_needed", "Nobody has signed in at \(provider.name) yet. Connect it, then test it.")
        }
        // Taken by a committed row, since many may ask at once, and none holds a connection while the service answers.
        guard try store(scope).claimTest(of: view.record.id, for: Self.longestTest) else {
            throw Problem(
                429, "tested_just_now",
                "This connection is being tested, or was a moment ago. Try again in a few seconds.",
                headers: ["retry-after": "2"])
        }
        let outcome = try ask(provider, view, scope)
        try record(outcome, view, kind, scope)
        return outcome
    }

    /// Notes how a connection did elsewhere; nothing is written or told when that is what is known already.
    func recordOutcome(_ reason: String?, of view: ConnectionView, by scope: OrganizationScope) throws {
        let outcome = TestOutcome(
            isSuccess: reason == nil, sentence: reason ?? "", duration: .zero, metadata: view.record.metadata)
        let (status, detail) = status(after: outcome, view)
        guard view.record.storedStatus != status || view.record.statusDetail != detail else { return }
        try record(outcome, view, .test, scope)
    }

    /// How long a test may take with tokens that are renewed before it, and it made again with others.
    private static let longestTest = Tester.deadline * 2 + TokenEndpoint.deadline * 2 + .seconds(5)

    /// Asks the service: with live tokens, and once more with new ones when it refuses these (A2-22).
    private func ask(
        _ provider: Provider, _ view: ConnectionView, _ scope: OrganizationScope
    ) throws -> TestOutcome {
        let calls = serviceClient(view.record.id, of: scope.organization, provider.name, isTrial: true)
        let tester = Tester(calls: calls, now: world.now)
        let outcome = try ask(tester, provider, view, scope)
        if outcome.isSuccess { refusals.forgive(calls.caller) }
        return outcome
    }

    private func ask(
        _ tester: Tester, _ provider: Provider, _ view: ConnectionView, _ scope: OrganizationScope
    ) throws -> TestOutcome {
        guard provider.oauth != nil, case .open = view.tokens else { return tester.test(provider, view.values) }
        do {
            let live = try live(view, by: scope)
            let first = tester.test(provider, live.values)
            guard first.isUnauthorized else { return first }
            let renewed = try self.live(live, by: scope, forced: true)
            guard renewed.record.grant.version != live.record.grant.version else { return first.needingReauth }
            let second = tester.test(provider, renewed.values)
            return second.isUnauthorized ? second.needingReauth : second
        } catch let problem as Problem where problem.code == "needs_reauth" || problem.status.code >= 500 {
            return TestOutcome(
                isSuccess: false, sentence: problem.detail, duration: .zero, metadata: [:],
                needsReauth: problem.code == "needs_reauth")
        }
    }

    /// How long a service is left in peace between two tests of a connection.
    private static let restBetweenTests = Duration.seconds(1)

    private func record(
        _ outcome: TestOutcome, _ view: ConnectionView, _ kind: CheckStore.Kind, _ scope: OrganizationScope
    ) throws {
        try database.transaction { transaction in
            let now = try locked(view.record.id, scope, in: transaction)
            // Another set-up, or another grant, was stored while this one was tried: the outcome says nothing of it.
            guard now.record.sealedSecrets == view.record.sealedSecrets, now.record.setup == view.record.setup,
                now.record.grant.authorizedAt == view.record.grant.authorizedAt
            else { return }
            let (status, detail) = status(after: outcome, now)
            let isChange = now.record.storedStatus != status
            let metadata = outcome.isSuccess ? now.record.metadata.replacing(outcome.metadata) : now.record.metadata
            let isNews = isChange || detail != now.record.statusDetail || metadata != now.record.metadata
            try store(scope).recordTest(
                view.record.id, status: status, detail: detail, metadata: metadata, duration: outcome.duration,
                isChange: isChange, isNews: isNews, rest: Self.restBetweenTests, probeDueAt: nextProbe,
                syncsNow: outcome.isSuccess && view.provider?.sync.isEmpty == false, in: transaction)
            try checks(scope).record(
                kind, view.record.id, outcome.isSuccess ? nil : Self.shortened(outcome.sentence), outcome.duration,
                in: transaction)
            guard isChange else { return }
            try publish(status, detail, now, scope, in: transaction)
            try audit.record(
                "connection.tested", object(view),
                details: [
                    "status": ["from": .string(now.record.storedStatus.rawValue), "to": .string(status.rawValue)]
                ],
                by: scope, in: transaction)
        }
    }

    /// How a connection is after a test: near ends are told while it works still.
    private func status(
        after outcome: TestOutcome, _ view: ConnectionView
    ) -> (status: ConnectionStatus, detail: String?) {
        guard outcome.isSuccess else {
            return (outcome.needsReauth ? .needsReauth : .error, Self.shortened(outcome.sentence))
        }
        // It works, but not for all that it was asked to do (A2-15).
        if let objection = view.scopeObjection { return (.error, Self.shortened(objection)) }
        return warning(view, grantEndsAt: view.record.grant.endsAt).map { (.expiring, $0) } ?? (.connected, nil)
    }
}

extension TestOutcome {
    /// The same, since a person must sign in again.
    fileprivate var needingReauth: TestOutcome {
        var outcome = self
        outcome.needsReauth = true
        return outcome
    }
}

extension JSON {
    /// The object with the members of another one in the place of its own; those that the other lacks stay.
    func replacing(_ other: JSON) -> JSON {
        let new = other.members ?? []
        return .object(new + (members ?? []).filter { member in !new.contains { $0.name == member.name } })
    }
}
