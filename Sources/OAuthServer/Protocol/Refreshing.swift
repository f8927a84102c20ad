import AdminShell
import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import LogKit
import TimeKit

/// Refresh tokens are renewed at each use (RFC 6749 §6, RFC 9700 §4.14.2).
///
/// A used one that comes again within the grace is answered with the very same pair: an answer may be lost on its way, and
/// fifty lanes of one client may ask at once. One that comes later was stolen, from the client or by it: the grant ends.
///
/// The pair is not kept to be given again. Its random part is made of the used token, which only its holder has, and of a
/// key of the hub's own, which only the hub has; so it can be made again from both, and from no dump.
extension OAuthServer {
    private static let opensNothing = OAuthError(
        .invalidGrant, "The refresh token is not known, has ended, was revoked, or was given to another client.")

    func refresh(of app: AppRecord, _ form: OAuthForm, _ call: Call) throws -> Response {
        let text = try form.required("refresh_token")
        let scopes = try Scope.asked(form["scope"])
        let resources = form.all("resource")
        guard let sent = TokenText(text), sent.kind == .refreshToken else { throw Self.opensNothing }
        let keys = successorKeys()
        return try settle(call, of: app, by: .refreshToken) { transaction in
            let store = TokenStore(world: world)
            guard let record = try store.locked(sent, in: transaction),
                let grant = try store.grant(record.grant, in: transaction), grant.app == app.id, !grant.isRevoked,
                grant.role != nil
            else { return .refused(Self.opensNothing) }
            let now = world.now()
            if let usedAt = record.usedAt {
                let isForgiven = now - usedAt <= .seconds(settings.refreshGraceSeconds)
                if isForgiven, let pair = try successor(of: record, sent, keys, grant.user, in: transaction) {
                    return .given(pair)
                }
                guard !isForgiven, try end(grant.id, because: .refreshReuse, by: app, call, in: transaction) else {
                    return .refused(Self.opensNothing)
                }
                return .revoked(Self.opensNothing, of: grant.user)
            }
            guard record.expiresAt > now, grant.expiresAt > now else { return .refused(Self.opensNothing) }
            let wanted: (scopes: [Scope], resources: [String])
            do throws(OAuthError) {
                wanted = (
                    try Self.narrowed(scopes, within: grant.scopes),
                    try ResourceIndicator.narrowed(resources, within: grant.resources, at: site.origin)
                )
            } catch {
                return .refused(error)
            }
            return .given(try renew(record, sent, keys, grant, wanted.scopes, wanted.resources, in: transaction))
        }
    }

    /// > The requested scope MUST NOT include any scope not originally granted by the resource owner, and if omitted is
    /// > treated as equal to the scope originally granted by the resource owner.     RFC 6749 §6
    private static func narrowed(_ wanted: [Scope]?, within granted: [Scope]) throws(OAuthError) -> [Scope] {
        guard let wanted else { return granted }
        guard wanted.areCovered(by: granted) else {
            throw OAuthError(.invalidScope, "A scope is asked for that was not granted.")
        }
        return wanted
    }

    /// The new pair; its refresh token keeps all that was granted, and never outlives the grant.
    private func renew(
        _ record: RefreshRecord, _ sent: TokenText, _ keys: [SymmetricKey], _ grant: GrantRecord, _ scopes: [Scope],
        _ resources: [String], in transaction: Transaction
    ) throws -> IssuedTokens {
        guard let key = keys.first else { preconditionFailure("a room without a key for successors") }
        let store = TokenStore(world: world)
        let now = world.now()
        let next = (
            refresh: Identifier<OAuthToken>(world).bytes, access: Identifier<OAuthToken>(world).bytes
        )
        let access = Self.successor(.accessToken, next.access, of: sent, key)
        let refresh = Self.successor(.refreshToken, next.refresh, of: sent, key)
        let life = Duration.seconds(settings.accessSeconds)
        try store.insert(
            NewAccessToken(
                text: access, app: grant.app, grant: grant.id, scopes: scopes, resources: resources,
                expiresAt: now + life),
            in: transaction)
        let end = min(now + .seconds(settings.refreshSeconds), grant.expiresAt)
        try store.insert(refresh, of: grant.id, expiresAt: end, in: transaction)
        try store.use(record, giving: next, in: transaction)
        return IssuedTokens(access: access, life: life, refresh: refresh, scopes: scopes, user: grant.user)
    }

    /// The pair that a used token gave; nil when it is gone, or was made with a key that is.
    private func successor(
        of record: RefreshRecord, _ sent: TokenText, _ keys: [SymmetricKey], _ user: Identifier<User>,
        in transaction: Transaction
    ) throws -> IssuedTokens? {
        let store = TokenStore(world: world)
        guard let next = record.next, let kept = try store.access(next.access, in: transaction),
            let digest = try store.refreshDigest(next.refresh, in: transaction)
        else { return nil }
        for key in keys {
            let access = Self.successor(.accessToken, next.access, of: sent, key)
            let refresh = Self.successor(.refreshToken, next.refresh, of: sent, key)
            guard equalInConstantTime(access.digest, kept.digest), equalInConstantTime(refresh.digest, digest) else {
                continue
            }
            return IssuedTokens(
                access: access, life: kept.expiresAt - world.now(), refresh: refresh, scopes: kept.scopes, user: user)
        }
        return nil
    }

    private static func successor(
        _ kind: TokenText.Kind, _ id: [UInt8], of sent: TokenText, _ key: SymmetricKey
    ) -> TokenText {
        let message = sent.secret.reveal { Array(kind.rawValue.utf8) + id + Array($0.utf8) }
        return TokenText(kind, id: id, secretBytes: HMAC.sha256(message, key: key))
    }
}
