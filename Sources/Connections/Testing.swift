import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Trying a connection, and noting how it went.
extension Connections {
    /// Tries a connection and notes how it went; the audit log hears of it when the outcome is another one than before.
    func test(_ view: ConnectionView, by scope: OrganizationScope) throws -> TestOutcome {
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
        guard try store(scope).claimTest(of: view.record.id, for: Tester.deadline + .seconds(5)) else {
            throw Problem(
                429, "tested_just_now",
                "This connection is being tested, or was a moment ago. Try again in a few seconds.",
                headers: ["retry-after": "2"])
        }
        let outcome = tester.test(provider, view.values)
        try record(outcome, view, scope)
        return outcome
    }

    /// Notes how a connection did elsewhere; nothing is written or told when that is what is known already.
    func recordOutcome(_ reason: String?, of view: ConnectionView, by scope: OrganizationScope) throws {
        let status: ConnectionStatus = reason == nil ? .connected : .error
        guard view.record.storedStatus != status || view.record.statusDetail != reason else { return }
        try record(
            TestOutcome(
                isSuccess: reason == nil, sentence: reason ?? "", duration: .zero, metadata: view.record.metadata),
            view, scope)
    }

    /// How long a service is left in peace between two tests of a connection.
    private static let restBetweenTests = Duration.seconds(1)

    private func record(_ outcome: TestOutcome, _ view: ConnectionView, _ scope: OrganizationScope) throws {
        // It works, but not for all that it was asked to do (A2-15).
        let objection = outcome.isSuccess ? view.scopeObjection : outcome.sentence
        let status: ConnectionStatus = objection == nil ? .connected : .error
        try database.transaction { transaction in
            let now = try locked(view.record.id, scope, in: transaction)
            // Another set-up was stored while this one was tried: the outcome says nothing of it.
            guard now.record.sealedSecrets == view.record.sealedSecrets, now.record.setup == view.record.setup,
                now.record.grant.authorizedAt == view.record.grant.authorizedAt
            else { return }
            let isChange = now.record.storedStatus != status
            let detail = objection.map { String($0.unicodeScalars.prefix(500)) }
            let metadata = outcome.isSuccess ? now.record.metadata.replacing(outcome.metadata) : now.record.metadata
            let isNews = isChange || detail != now.record.statusDetail || metadata != now.record.metadata
            try store(scope).recordTest(
                view.record.id, status: status, detail: detail, metadata: metadata, duration: outcome.duration,
                isChange: isChange, isNews: isNews, rest: Self.restBetweenTests, in: transaction)
            guard isChange else { return }
            try audit.record(
                "connection.tested", object(view),
                details: [
                    "status": ["from": .string(now.record.storedStatus.rawValue), "to": .string(status.rawValue)]
                ],
                by: scope, in: transaction)
        }
    }
}

extension JSON {
    /// The object with the members of another one in the place of its own; those that the other lacks stay.
    func replacing(_ other: JSON) -> JSON {
        let new = other.members ?? []
        return .object(new + (members ?? []).filter { member in !new.contains { $0.name == member.name } })
    }
}
