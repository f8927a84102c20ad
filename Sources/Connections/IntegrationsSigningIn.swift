import Domain
import HTTPKit
import LogKit
import TimeKit

/// Signing in at services, for programs that are built with the hub.
extension Integrations {
    /// Where a person signs in, and what comes back from there.
    public struct Authorization: Sendable {
        /// Where the browser goes.
        public let url: Secret<String>
        /// What the service sends back with the code: ``exchangeCode(_:_:state:redirectURI:for:)`` wants it.
        public let state: Secret<String>
        /// Until when the sign-in may be ended.
        public let expiresAt: Timestamp
    }

    /// Begins a sign-in at a service.
    ///
    /// The hub makes `state` and the proof of possession of the code itself: PhoenixKit leaves `state` to the caller, and a
    /// caller who forgets it lets strangers connect accounts of theirs.
    ///
    /// - Parameters:
    ///   - redirectURI: where the service sends the browser back to, registered there.
    ///   - extraScopes: what is asked for besides what the provider file says.
    ///   - principal: who begins it, and alone may end it.
    /// - Throws: ``IntegrationsError/refused(_:)`` with `setup_incomplete` where the client is missing, `no_sign_in` where
    ///   nobody signs in.
    public func authorizationURL(
        _ providerKey: String, redirectURI: String, extraScopes: [String] = [], for principal: Principal
    ) throws(IntegrationsError) -> Authorization {
        try asked {
            let view = try find(providerKey)
            let scopes = view.scopesToAsk + extraScopes.filter { !view.scopesToAsk.contains($0) }
            let begun = try room.begin(
                view,
                .init(
                    redirectURI: redirectURI, owner: FlowOwner(principal), returnTo: nil,
                    scopes: extraScopes.isEmpty ? nil : scopes), by: scope)
            return Authorization(url: begun.url, state: begun.state, expiresAt: begun.expiresAt)
        }
    }

    /// Exchanges the code that came back for tokens and stores them.
    ///
    /// - Throws: ``IntegrationsError/invalid(_:)`` with the reason when the code or the state is refused.
    @discardableResult
    public func exchangeCode(
        _ providerKey: String, _ code: Secret<String>, state: Secret<String>, redirectURI: String,
        for principal: Principal
    ) throws(IntegrationsError) -> Integration {
        try asked {
            let view = try find(providerKey)
            let query = Form(pairs: [("code", code.reveal { $0 }), ("state", state.reveal { $0 })])
            let failure: AuthorizationFailure?
            do {
                failure = try room.complete(
                    Callback(query: query, redirectURI: redirectURI), by: FlowOwner(principal), about: view.record.id
                ) { _ in scope }.failure
            } catch let refused as AuthorizationFailure {
                failure = refused
            }
            if let failure { throw IntegrationsError.invalid(failure.sentence) }
            return Integration(try find(providerKey))
        }
    }
}

extension Integrations {
    /// Calls a service with a connection's credentials added, and once more with renewed ones when it answers 401.
    ///
    /// - Parameters:
    ///   - target: the path at the service and perhaps a query: `/drive/v3/about?fields=user`. Where it goes is the provider
    ///     file's affair, so that no credential leaves for another host.
    ///   - body: what is sent; nil for nothing.
    /// - Returns: Whatever the service answers, errors included; its body is handed on while it comes.
    /// - Throws: ``IntegrationsError/refused(_:)`` when the call cannot be made or gets no answer.
    public func authenticatedRequest(
        _ providerKey: String, _ method: HTTPKit.Method, _ target: String, headers: Headers = [:],
        body: IncomingBody? = nil
    ) throws(IntegrationsError) -> Connections.PassedAnswer {
        try asked {
            try room.request(providerKey, method, target, headers: headers, body: body, by: scope, log: room.log)
        }
    }
}
