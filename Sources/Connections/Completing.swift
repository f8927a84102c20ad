import AdminShell
import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Ending a sign-in at a service (seed 0's `exchange_code`).
extension Connections {
    /// How a sign-in ended.
    struct Completion: Sendable {
        let organization: Identifier<Organization>
        let connection: Identifier<Connection>
        /// The connection by its name for people.
        let title: String
        /// The path of this site that the browser was to go to.
        let returnTo: String?
        /// Why it came to nothing; nil when it is connected.
        let failure: AuthorizationFailure?
        /// What is wrong with what was granted; nil when all of it was.
        let objection: String?
        /// How the connection's test went right after; nil when there was none.
        let test: TestOutcome?
    }

    /// Ends a sign-in: its state is used up in a transaction of its own, then the code is exchanged while none is open,
    /// and what was granted is stored if the set-up is still the same.
    ///
    /// - Parameters:
    ///   - owner: who asks, which must be who began it.
    ///   - expected: the connection that it must be about, where the caller named one.
    ///   - scopeIn: the caller's rights in the organization that the sign-in was begun in.
    /// - Throws: ``AuthorizationFailure`` for a state that cannot be used: then nothing was changed.
    func complete(
        _ callback: Callback, by owner: FlowOwner, about expected: Identifier<Connection>? = nil,
        scopeIn: (Identifier<Organization>) throws -> OrganizationScope
    ) throws -> Completion {
        let state = try callback.state()
        guard let flow = try flows.find(state) else { throw AuthorizationFailure.unknownState }
        let mine = expected ?? flow.connection
        guard flow.connection == mine else { throw AuthorizationFailure.unknownState }
        guard flow.usedAt == nil, try flows.claim(state, by: owner) else {
            throw AuthorizationFailure(unusable: try flows.find(state) ?? flow, by: owner)
        }
        let scope = try scopeIn(flow.organization)
        guard scope.allows(.write(.connections)) else { throw Problem.missing(.write(.connections)) }
        let before = try find(.id(flow.connection), scope)
        do {
            try exchange(callback, flow, before, scope)
        } catch let failure as AuthorizationFailure {
            try record(failure, before, scope)
            return completion(flow, before, failure: failure)
        }
        let test = try testGrant(flow.connection, scope)
        return completion(flow, before, objection: try find(.id(flow.connection), scope).scopeObjection, test: test)
    }

    private func completion(
        _ flow: AuthorizationFlow, _ view: ConnectionView, failure: AuthorizationFailure? = nil,
        objection: String? = nil, test: TestOutcome? = nil
    ) -> Completion {
        Completion(
            organization: flow.organization, connection: flow.connection, title: view.title, returnTo: flow.returnTo,
            failure: failure, objection: objection, test: test)
    }

    /// Exchanges the code, no transaction being open, and stores what was granted.
    private func exchange(
        _ callback: Callback, _ flow: AuthorizationFlow, _ view: ConnectionView, _ scope: OrganizationScope
    ) throws {
        try Self.requireReadable(view)
        let (provider, oauth) = try Self.requireSignIn(view)
        guard view.setUpDigest == flow.setUp else { throw AuthorizationFailure.changedMeanwhile }
        let values = view.signInValues(at: flow.tenant)
        let check = CallbackCheck(callback: callback, flow: flow, provider: provider, oauth: oauth, values: values)
        let code = TokenEndpoint.Code(
            code: try check.code(), redirectURI: flow.redirectURI, verifier: try verifier(of: flow))
        let calls = serviceClient(flow.connection, of: scope.organization, provider.name, isTrial: true)
        let endpoint = TokenEndpoint(
            calls: calls, provider: provider, oauth: oauth, values: values, now: world.now)
        let started = world.now()
        let answer: TokenAnswer
        do throws(TokenFailure) {
            answer = try endpoint.exchange(code)
        } catch {
            throw AuthorizationFailure(error)
        }
        let grant = GrantAnswer(
            answer, callback: callback.query, flow: flow, provider: provider, oauth: oauth, values: values)
        let times = GrantTimes(
            answer, oauth, started: started, hasRefreshToken: answer.refresh != nil, jitter: jitter)
        do {
            try store(grant, times, flow, scope)
        } catch {
            giveBack(grant.tokens, view, scope)
            throw error
        }
    }

    /// Gives back tokens that could not be stored: nobody has them now, so nobody else would.
    private func giveBack(_ tokens: Tokens, _ view: ConnectionView, _ scope: OrganizationScope) {
        do {
            try revokeUnwanted(tokens, of: view, by: scope)
        } catch {
            log.error(
                "what a sign-in granted could be neither stored nor given back",
                ["connection": .init(view.record.id.text), "error": .init(String(reflecting: error))])
        }
    }

    private func verifier(of flow: AuthorizationFlow) throws -> Secret<String>? {
        try flow.sealedVerifier.map { sealed in
            let place = AuthorizationFlow.place(flow.state)
            let bytes = try vault.open(sealed, at: place, for: flow.organization, in: database)
            return Secret(String(decoding: bytes, as: UTF8.self))
        }
    }

    private func store(
        _ grant: GrantAnswer, _ times: GrantTimes, _ flow: AuthorizationFlow, _ scope: OrganizationScope
    ) throws {
        try database.transaction { transaction in
            let now = try locked(flow.connection, scope, in: transaction)
            try Self.requireReadable(now)
            // A token of one client must not end up beside the secret of another.
            guard now.setUpDigest == flow.setUp else { throw AuthorizationFailure.changedMeanwhile }
            try move(now, to: flow.tenant, scope, in: transaction)
            let sealed = try vault.seal(
                grant.tokens.bytes, at: Tokens.place(flow.connection), for: scope.organization, in: transaction)
            try store(scope).storeGrant(
                flow.connection, sealedTokens: sealed, times: times, requested: flow.requestedScopes,
                granted: grant.answer.scopes, metadata: grant.metadata.stored,
                status: grant.objection == nil ? .connected : .error, detail: grant.objection, grantKey: grant.key(),
                in: transaction)
            let status: ConnectionStatus = grant.objection == nil ? .connected : .error
            if status != now.record.storedStatus { try publish(status, grant.objection, now, scope, in: transaction) }
            try audit.record(
                "connection.authorized", object(now), details: grant.auditDetails, by: scope, in: transaction)
        }
    }

    /// Stores the tenant that somebody has signed in at; what the one before granted, or a person entered for it, goes.
    private func move(
        _ view: ConnectionView, to tenant: String?, _ scope: OrganizationScope, in transaction: Transaction
    ) throws {
        guard let tenant, let field = view.provider?.oauth?.tenantField else { return }
        var change = Change(keeping: view)
        let open = change.setUp.open.merging([field: tenant]) { $1 }
        change.setUp = SetUp(open: open, secrets: change.setUp.secrets).withoutKeys(of: view.provider)
        try store(change, over: view, scope, in: transaction)
    }

    /// Tests what was just granted, so that its page says whose access it is; tells siblings by that where the token
    /// answer did not.
    private func testGrant(_ id: Identifier<Connection>, _ scope: OrganizationScope) throws -> TestOutcome? {
        let view = try find(.id(id), scope)
        let outcome: TestOutcome
        do {
            outcome = try test(view, by: scope)
        } catch is Problem {
            // Switched off, or somebody else is testing it this moment.
            return nil
        }
        try noteWhose(outcome, view, scope)
        return outcome
    }

    /// Tells siblings by what a test has said of whose grant it is, where no token answer does.
    func noteWhose(_ outcome: TestOutcome, _ view: ConnectionView, _ scope: OrganizationScope) throws {
        guard outcome.isSuccess, case .open = view.tokens, let provider = view.provider, let oauth = provider.oauth,
            oauth.account == nil, let account = outcome.metadata["access"]?.text,
            // What a test says by values of the set-up alone, such as the calendar's name, is nobody's account.
            Holes.names(in: provider.test(for: view.values).access).contains(where: { !$0.hasPrefix("setup.") })
        else { return }
        let key = GrantKey(provider, oauth, view.signInValues, account: account)
        try store(scope).setGrantKey(view.record.id, key, of: view.record.grant.version)
    }

    /// Notes why a sign-in came to nothing; the grant that there was before, if any, stays as it is.
    private func record(_ failure: AuthorizationFailure, _ view: ConnectionView, _ scope: OrganizationScope) throws {
        try database.transaction { transaction in
            try store(scope).noteFailedSignIn(view.record.id, failure.sentence, in: transaction)
            try audit.record(
                "connection.authorization_failed", object(view),
                details: ["error": .string(failure.code.rawValue), "detail": .string(failure.sentence)], by: scope,
                in: transaction)
        }
    }
}

extension AuthorizationFailure {
    /// The set-up is another one than the sign-in began with.
    static let changedMeanwhile = AuthorizationFailure(
        code: .changed, sentence: "Somebody changed the set-up while you signed in. Connect again.")
}
