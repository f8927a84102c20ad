import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import TimeKit

/// Codes become tokens (RFC 6749 §4.1.3).
///
/// The code's row is locked, marked as redeemed and followed by what it gives in one transaction: whatever is killed in
/// between, a code is either unused and has given nothing, or used and has given all it will ever give.
extension OAuthServer {
    /// One sentence for all codes that open nothing: whoever guesses learns nothing of those that exist.
    private static let opensNothing = OAuthError(
        .invalidGrant, "The code is not known, has ended, was used, or was given to another client.")

    func redeemCode(of app: AppRecord, _ form: OAuthForm, _ call: Call) throws -> Response {
        let sent = TokenText(try form.required("code"))
        guard let verifier = form["code_verifier"] else {
            throw OAuthError(.invalidGrant, "code_verifier is missing: every code is bound to a verifier here (PKCE).")
        }
        guard let sent, sent.kind == .code else { throw Self.opensNothing }
        let resources = form.all("resource")
        return try settle(call, of: app, by: .authorizationCode) { transaction in
            let codes = CodeStore(world: world)
            // Another app's code is no business of this one, a used one neither: bringing it must end nothing.
            guard let code = try codes.locked(sent, in: transaction), code.app == app.id else {
                return .refused(Self.opensNothing)
            }
            if code.isRedeemed { return try replayed(code, app, call, in: transaction) }
            do throws(OAuthError) {
                try check(code, redirectURI: form["redirect_uri"], verifier)
            } catch {
                return .refused(error)
            }
            let narrowed: [String]
            do throws(OAuthError) {
                narrowed = try ResourceIndicator.narrowed(resources, within: code.resources, at: site.origin)
            } catch {
                return .refused(error)
            }
            let given = try give(
                to: app, user: code.user, organization: code.organization, scopes: code.scopes,
                resources: code.resources, narrowedTo: narrowed, in: transaction)
            try codes.redeem(code, for: given.grant, in: transaction)
            return .given(given.tokens)
        }
    }

    /// > ensure that the authorization code was issued to the authenticated confidential client, or if the client is public,
    /// > ensure that the code was issued to "client_id" in the request; verify that the authorization code is valid; and
    /// > ensure that the "redirect_uri" parameter is present if [it] was included in the initial authorization request …,
    /// > and if included ensure that their values are identical.     RFC 6749 §4.1.3
    ///
    /// Who leaves `redirect_uri` out is a client of OAuth 2.1, where the verifier does what it was for.
    private func check(_ code: CodeRecord, redirectURI: String?, _ verifier: String) throws(OAuthError) {
        guard code.expiresAt > world.now() else { throw Self.opensNothing }
        guard redirectURI ?? code.redirectURI == code.redirectURI else {
            throw OAuthError(.invalidGrant, "redirect_uri is not the one that the code was asked for with.")
        }
        guard code.challenge.isAnswered(by: verifier) else {
            throw OAuthError(.invalidGrant, "code_verifier does not belong to the code_challenge of the request.")
        }
    }

    /// Somebody has brought a code a second time: one of the two has stolen it, so what it gave counts no more.
    ///
    /// > If an authorization code is used more than once, the authorization server MUST deny the request and SHOULD revoke
    /// > (when possible) all tokens previously issued based on that authorization code.     RFC 6749 §4.1.2
    private func replayed(
        _ code: CodeRecord, _ app: AppRecord, _ call: Call, in transaction: Transaction
    ) throws -> GrantOutcome {
        guard let grant = code.grant, try end(grant, because: .codeReuse, by: app, call, in: transaction) else {
            return .refused(Self.opensNothing)
        }
        return .revoked(Self.opensNothing, of: code.user)
    }
}
