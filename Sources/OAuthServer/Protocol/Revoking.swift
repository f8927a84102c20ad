import AdminShell
import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Tokens are given back (RFC 7009), and grants ended.
extension OAuthServer {
    /// The revocation endpoint. What is not known is answered like what was revoked: the aim is reached.
    ///
    /// > The authorization server responds with HTTP status code 200 if the token has been revoked successfully or if the
    /// > client submitted an invalid token.     RFC 7009 §2.2
    func revoke(_ call: Call) throws -> Response {
        let form = try OAuthForm(call.request)
        let app = try client(call, form)
        // `token_type_hint` only says where to look first, and a token's text says that better.
        guard let sent = TokenText(try form.required("token")) else { return Self.revoked }
        switch sent.kind {
        case .refreshToken: try revoke(refresh: sent, app, call)
        case .accessToken: try revoke(access: sent, app, call)
        case .code, .deviceCode: break
        }
        return Self.revoked
    }

    private static let revoked = Response(status: 200, headers: ["pragma": "no-cache"]).neverStored()

    /// > the authorization server first validates the client credentials … and then verifies whether the token was issued to
    /// > the client making the revocation request. If this validation fails, the request is refused and the client is
    /// > informed of the error.     RFC 7009 §2.1
    private static let foreign = OAuthError(.invalidGrant, "The token was given to another client.")

    /// > If the particular token is a refresh token and the authorization server supports the revocation of access tokens,
    /// > then the authorization server SHOULD also invalidate all access tokens based on the same authorization grant.
    /// >     RFC 7009 §2.1
    private func revoke(refresh sent: TokenText, _ app: AppRecord, _ call: Call) throws {
        let store = TokenStore(world: world)
        guard let record = try store.refresh(sent, in: database),
            let grant = try store.grant(record.grant, in: database)
        else { return }
        guard grant.app == app.id else { throw Self.foreign }
        // What had ended before changes nothing: nobody's memory grows old of it.
        let isEnded = try telling {
            try database.transaction { transaction in
                try end(grant.id, because: .client, by: app, call, in: transaction)
            }
        } when: {
            $0
        }
        if isEnded { note("an OAuth grant was given back", app, .refreshToken, call, user: grant.user.text) }
    }

    private func revoke(access sent: TokenText, _ app: AppRecord, _ call: Call) throws {
        let store = TokenStore(world: world)
        guard let kept = try store.access(sent.id, in: database), equalInConstantTime(kept.digest, sent.digest) else {
            return
        }
        guard kept.app == app.id else { throw Self.foreign }
        try change { try store.removeAccess(sent.id, in: $0) }
        note("an access token was given back", app, nil, call, user: kept.user?.text ?? "")
    }

    // MARK: Ending grants

    /// Ends a grant with all of its tokens, writes it down and tells of it; false when it had ended.
    ///
    /// - Precondition: the caller tells the memory once the transaction was committed.
    func end(
        _ grant: Identifier<OAuthGrant>, because reason: RevocationReason, by app: AppRecord, _ call: Call,
        in transaction: Transaction
    ) throws -> Bool {
        let store = TokenStore(world: world)
        guard try store.revokeGrant(grant, because: reason, in: transaction),
            let record = try store.grant(grant, in: transaction)
        else { return false }
        let actor = Actor(kind: .oauthApp, id: app.id.bytes, name: app.name, user: record.user)
        let principal = Principal(
            actor: actor,
            memberships: [
                .init(organization: record.organization, name: record.organizationName, role: record.role ?? .support)
            ])
        if let scope = OrganizationScope(
            of: principal, in: record.organization, remoteAddress: call.request.remoteAddress,
            requestID: call.request.id)
        {
            try audit.record(
                "oauth_grant.revoked", .init("oauth_app", app.id, name: app.name),
                details: [
                    "reason": .string(reason.rawValue), "grant_id": .string(grant.text),
                    "user_id": .string(record.user.text), "user": .string(record.userEmail),
                ], by: scope, in: transaction)
        }
        try events.publish(
            reason.isReuse ? .appTokenReused : .appAccessRevoked, about: app.id,
            [
                "oauth_app_id": .string(app.id.text), "name": .string(app.name), "grant_id": .string(grant.text),
                "user_id": .string(record.user.text), "user": .string(record.userEmail),
                "reason": .string(reason.rawValue),
            ], for: record.organization, in: transaction)
        try Generations.bump(Generations.oauth, in: transaction)
        return true
    }

    /// Ends grants, and the codes that would have become such; how many grants there were.
    ///
    /// The codes go first: one that is being redeemed just now is waited for, and its grant then ends with the others. A
    /// consent that goes with them must have gone before, lest a code be given in between.
    ///
    /// - Precondition: called inside ``change(isolation:_:)``, or where grants that ended are told of.
    func revokeGrants(
        _ which: GrantSelection, because reason: RevocationReason, in transaction: Transaction
    ) throws -> Int {
        try CodeStore(world: world).removeOpen(which, life: .seconds(settings.codeSeconds), in: transaction)
        try DeviceStore(world: world).removeOpen(which, life: .seconds(settings.deviceSeconds), in: transaction)
        return try TokenStore(world: world).revokeGrants(which, because: reason, in: transaction)
    }

    /// Ends everything that apps may do for a person, or could by a code of theirs, since somebody else may have had their
    /// password.
    ///
    /// The caller tells the memory (`OAuthMemory.changed`) once the transaction was committed.
    ///
    /// > Authorization servers MAY revoke refresh tokens automatically in case of a security event, such as: password
    /// > change.     RFC 9700 §4.14.2
    public func passwordChanged(of user: Identifier<User>, in transaction: Transaction) throws {
        let ended = try revokeGrants(.person(user), because: .passwordChange, in: transaction)
        if ended > 0 { try Generations.bump(Generations.oauth, in: transaction) }
    }
}

extension RevocationReason {
    /// Whether something came again that can be used once.
    var isReuse: Bool { self == .codeReuse || self == .refreshReuse }
}
