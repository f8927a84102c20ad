import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Reading what services say of themselves: shop and plan, workspace and bot, quota, team (seed 3).
extension Connections {
    /// What came of it.
    struct SyncOutcome: Sendable {
        /// What could not be read; nil when all could.
        let error: String?
    }

    /// Reads the facts of a connection's service and keeps them. Never called inside a transaction.
    ///
    /// - Throws: as ``live(_:by:forced:)``, and `Problem` 409 `nothing_to_sync` and 429 `synced_just_now`.
    func sync(_ view: ConnectionView, by scope: OrganizationScope) throws -> SyncOutcome {
        try Self.requireUsable(view)
        guard let provider = view.provider, !provider.sync.isEmpty else {
            throw Problem(409, "nothing_to_sync", "\(view.serviceName) has nothing to be read.")
        }
        guard try store(scope).claimSync(of: view.record.id) else {
            throw Problem(
                429, "synced_just_now", "This was read a moment ago. Try again in a few seconds.",
                headers: ["retry-after": "5"])
        }
        let start = ContinuousClock.now
        let result = try read(provider, view, scope)
        let duration = start.duration(to: .now)
        try database.transaction { transaction in
            guard let now = try store(scope).lock(view.record.id, in: transaction) else { throw Problem.notFound }
            // Facts of another set-up, or of somebody else's sign-in, say nothing of this one.
            guard now.setup == view.record.setup, now.grant.authorizedAt == view.record.grant.authorizedAt else {
                return
            }
            let failures = try store(scope).syncFailures(of: view.record.id, in: transaction)
            let metadata = now.metadata.replacing(["synced": .array(result.facts)])
            let wait = result.error == nil ? Duration.minutes(60) : .minutes(1 << min(failures, 5))
            let dueAt = world.now() + wait * (1 + 0.1 * jitter)
            try store(scope).recordSync(
                view.record.id, metadata: metadata, failure: result.error, dueAt: dueAt,
                isNews: metadata != now.metadata || result.error != now.syncError, in: transaction)
            try checks(scope).record(.sync, view.record.id, result.error, duration, in: transaction)
        }
        return SyncOutcome(error: result.error)
    }

    /// Calls what the provider file names. What one call fails to tell stays as it was told before.
    private func read(
        _ provider: Provider, _ view: ConnectionView, _ scope: OrganizationScope
    ) throws -> (facts: [JSON], error: String?) {
        var view = view
        var facts: [JSON] = []
        var error: String?
        let before = view.record.metadata["synced"]?.elements ?? []
        do {
            view = try live(view, by: scope)
        } catch let problem as Problem {
            return (before, Self.shortened(problem.detail))
        }
        var mayRenew = view.provider?.oauth != nil
        for step in provider.sync where step.call.isComplete(view.values) {
            do {
                facts += try read(step, provider, &view, scope, &mayRenew)
            } catch let failure as TestFailure {
                error = error ?? Self.shortened(failure.sentence)
                facts += before.filter { old in step.facts.contains { $0.label == old["label"]?.text } }
            }
        }
        return (facts, error)
    }

    /// Makes one call, with new tokens once if the old ones are refused.
    private func read(
        _ step: ProviderSync, _ provider: Provider, _ view: inout ConnectionView, _ scope: OrganizationScope,
        _ mayRenew: inout Bool
    ) throws -> [JSON] {
        let calls = serviceClient(view.record.id, of: scope.organization, provider.name)
        let tester = Tester(calls: calls, now: world.now)
        let answer: Tester.Answer
        do throws(TestFailure) {
            answer = try tester.http(step.call, provider, view.values)
        } catch {
            guard error.isUnauthorized, mayRenew else { throw error }
            mayRenew = false
            do {
                view = try live(view, by: scope, forced: true)
            } catch let problem as Problem {
                throw TestFailure(sentence: problem.detail)
            }
            answer = try tester.http(step.call, provider, view.values)
        }
        let conceal = Concealing(provider, view.values)
        return step.facts.compactMap { fact in
            fact.words(of: answer.body, status: answer.status).map {
                ["label": .string(fact.label), "value": .string(conceal($0))]
            }
        }
    }

    /// A sentence as it fits its column.
    static func shortened(_ sentence: String) -> String { String(sentence.unicodeScalars.prefix(500)) }

    /// Reads the facts of a connection when it is due.
    func syncDue(_ item: DueStore.Item) throws {
        let scope = Self.scope(of: item.organization)
        let view = try find(.id(item.id), scope)
        do {
            _ = try sync(view, by: scope)
        } catch let problem as Problem {
            // A provider without facts, or nobody signed in: the next sign-in or test makes it due again.
            let isOver = problem.code == "nothing_to_sync" || problem.code == "not_connected"
            try store(scope).postpone(.sync, of: item.id, to: isOver ? nil : world.now() + .minutes(60))
        }
    }
}
