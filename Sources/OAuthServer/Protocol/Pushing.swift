import AdminShell
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Clients push their requests before they send anybody (RFC 9126), so that nothing of them stands in an address.
extension OAuthServer {
    /// What stands before the random name of a pushed request (RFC 9126 §2.2).
    private static let prefix = "urn:ietf:params:oauth:request_uri:"

    /// The pushed authorization request endpoint: the request is checked now as it will be when it is used.
    ///
    /// > The authorization server MUST … reject the request if the "request_uri" authorization request parameter is provided
    /// >     RFC 9126 §2.1
    func push(_ call: Call) throws -> Response {
        let form = try OAuthForm(call.request)
        let app = try client(call, form)
        try admitStranger(call, as: app)
        guard form["request_uri"] == nil else {
            throw OAuthError(.invalidRequest, "request_uri cannot itself be pushed.")
        }
        guard form["client_id"] ?? app.clientID == app.clientID else {
            throw OAuthError(.invalidRequest, "client_id is not the client that has proved itself.")
        }
        guard let redirectURI = form["redirect_uri"], app.redirectURI(matching: redirectURI) != nil else {
            throw OAuthError(.invalidRequest, "redirect_uri must be sent exactly as it is registered for this app.")
        }
        let back = AuthorizationReturn(redirectURI: redirectURI, state: form["state"])
        _ = try AuthorizationReader.request(form, of: app, back, at: site.origin)
        var kept = form.kept(AuthorizationReader.names)
        if kept["client_id"] == nil { kept = Form(pairs: kept.pairs + [(name: "client_id", value: app.clientID)]) }
        let name = try RequestStore(world: world).keep(
            kept, .pushed, of: app.id, for: .seconds(settings.pushedSeconds), in: database)
        return Response.json(
            [
                "request_uri": .string(Self.prefix + name), "expires_in": .integer(Int64(settings.pushedSeconds)),
            ], status: 201
        ).neverStored()
    }

    /// Takes out what an app has pushed under a name; nil when it is not its own, is used or has ended.
    ///
    /// > the authorization server … MUST … ensure … request_uri values are bound to the client that posted [it].
    /// >     RFC 9126 §2.2, §4
    func takePushed(_ requestURI: String, of app: AppRecord) throws -> Form? {
        guard requestURI.hasPrefix(Self.prefix) else { return nil }
        let name = String(requestURI.dropFirst(Self.prefix.count))
        let store = RequestStore(world: world)
        guard let kept = try store.find(name, .pushed, in: database), kept.app == app.id,
            try store.take(name, .pushed, in: database)
        else { return nil }
        return kept.parameters
    }
}
