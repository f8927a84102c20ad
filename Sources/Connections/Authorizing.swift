import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Beginning a sign-in at a service (seed 0's `authorization_url`).
extension Connections {
    /// How a sign-in is to go.
    struct Beginning: Sendable {
        /// Where the service sends the browser back to: registered there, and one per service, or per connection whose
        /// set-up names the server.
        let redirectURI: String
        /// Who alone may end it.
        let owner: FlowOwner
        /// The path of this site where the browser goes in the end; nil for the connection's own page.
        var returnTo: String?
        /// The tenant to sign in at, where it is another one than the set-up names: the set-up gets it, and what was granted
        /// before ends, once somebody has.
        var tenant: String?
        /// What is asked for; nil for what was asked for before, or else what the provider file says.
        var scopes: [String]?
    }

    /// A sign-in that has begun.
    struct Begun: Sendable {
        /// Where the browser goes.
        let url: Secret<String>
        let state: Secret<String>
        let expiresAt: Timestamp
    }

    /// Begins a sign-in.
    ///
    /// - Throws: `Problem` 409 when the set-up is not complete, or the service takes no sign-in.
    func begin(_ view: ConnectionView, _ how: Beginning, by scope: OrganizationScope) throws -> Begun {
        try Self.requireReadable(view)
        let (provider, oauth) = try Self.requireSignIn(view)
        let values = view.signInValues(at: how.tenant)
        let missing = provider.missingToSignIn(values)
        guard missing.isEmpty else {
            throw Problem(409, "setup_incomplete", "Enter \(missing.map(\.label).joined(separator: ", ")) first.")
        }
        let state = FlowState(world)
        let verifier = AuthorizationRequest.verifier(oauth, world)
        let scopes = how.scopes ?? view.scopesToAsk
        let request = AuthorizationRequest(
            provider: provider, oauth: oauth, values: values, redirectURI: how.redirectURI, scopes: scopes,
            state: state.text, verifier: verifier)
        let url = try Self.asProblem { () throws(AddressProblem) in try request.url() }
        let sealed = try verifier.map { verifier in
            try vault.seal(
                verifier.reveal { Array($0.utf8) }, at: AuthorizationFlow.place(state.digest), for: scope.organization,
                in: database)
        }
        let end = world.now() + AuthorizationStore.life
        try flows.insert(
            AuthorizationFlow(
                state: state.digest, organization: scope.organization, connection: view.record.id,
                owner: how.owner.digest,
                setUp: view.setUpDigest, provider: provider.key, redirectURI: how.redirectURI, returnTo: how.returnTo,
                tenant: how.tenant, requestedScopes: scopes, sealedVerifier: sealed, expiresAt: end, usedAt: nil))
        return Begun(url: url, state: state.text, expiresAt: end)
    }

    /// The service and how people sign in there.
    static func requireSignIn(_ view: ConnectionView) throws(Problem) -> (Provider, ProviderOAuth) {
        guard let provider = view.provider else { throw Problem.withoutProvider(view) }
        guard let oauth = provider.oauth else {
            throw Problem(
                409, "no_sign_in", "\(provider.name) is connected by its credentials: nobody signs in there for it.")
        }
        return (provider, oauth)
    }

    private static func asProblem<Result>(_ body: () throws(AddressProblem) -> Result) throws(Problem) -> Result {
        do throws(AddressProblem) {
            return try body()
        } catch {
            throw Problem(409, "setup_incomplete", error.sentence)
        }
    }
}

extension ConnectionView {
    /// What a sign-in asks for when nobody says otherwise: the same as before, or what the provider file says.
    var scopesToAsk: [String] {
        let before = record.grant.requestedScopes
        return before.isEmpty ? provider?.oauth?.scopes(signInValues) ?? [] : before
    }

    /// What was asked for and not granted.
    var missingScopes: [String] {
        provider?.oauth?.missing(of: record.grant.requestedScopes, granted: record.grant.grantedScopes) ?? []
    }

    /// What is wrong with the granted scopes, in the seed's words; nil when nothing is.
    var scopeObjection: String? { Self.objection(toMissing: missingScopes, at: serviceName) }

    /// The seed's words for scopes that were not granted; nil when none is missing.
    static func objection(toMissing missing: [String], at service: String) -> String? {
        guard !missing.isEmpty else { return nil }
        let some = missing.prefix(5).joined(separator: ", ") + (missing.count > 5 ? " and more" : "")
        return
            "Insufficient scope: \(service) did not grant \(some). Connect again and allow it, or ask for less."
    }

    /// Whether the access comes from somebody's sign-in, and not from a token that was entered.
    var signsIn: Bool {
        guard let oauth = provider?.oauth else { return false }
        return oauth.ownToken.flatMap { values[$0] } == nil
    }

    /// Whether somebody must sign in at the service before anything works: no token, and no key by which a test is made
    /// without one either.
    var needsSignIn: Bool {
        let values = values
        guard let provider, provider.oauth != nil, values["access_token"] == nil else { return false }
        return credential == nil || provider.test(for: values).holes.contains("access_token")
    }

    /// Whether a sign-in is offered: not where a key was given and the client left out.
    ///
    /// - Parameter values: the set-up, with or without the client that the hub's settings give.
    func takesSignIn(_ values: [String: String]) -> Bool {
        guard let provider, provider.oauth != nil else { return false }
        return needsSignIn || record.grant.sealed != nil || provider.missingToSignIn(values).isEmpty
    }

    /// Tells one set-up from another, without opening what is sealed: a set-up is sealed anew when it changes.
    var setUpDigest: [UInt8] {
        let open =
            "\(provider?.oauth?.authorizeURL ?? "")\n\(provider?.oauth?.tokenURL ?? "")\n\(signInValues["client_id"] ?? "")\n"
        return SHA256.digest(Array(open.utf8) + record.setup.bytes + [0] + (record.sealedSecrets ?? []))
    }
}

extension Provider {
    /// The fields that must be entered before anybody can sign in: the client too, which a token of its own would replace.
    func missingToSignIn(_ values: [String: String]) -> [ProviderField] {
        let client = fields.filter { ["client_id", "client_secret"].contains($0.name) && values[$0.name] == nil }
        let needed = client.filter { $0.isRequired || $0.name == "client_id" }
        let others = missing(values).filter { field in
            field.name != oauth?.ownToken && !needed.contains { $0.name == field.name }
        }
        return needed + others
    }
}
