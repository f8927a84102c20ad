import APIKeys
import Accounts
import AdminShell
import CipherKit
import Domain
import HTTPKit
import LogKit
import OAuthServer
import Platforms
import SiteTokens

/// Somebody at the door, known or not.
struct Caller: Sendable {
    /// Who it is; nil for a stranger.
    let principal: Principal?
    /// Whose limits every request counts against; nil for a browser.
    var meter: Meter?
    /// What every form of this browser must carry.
    let csrfToken: String
    /// A cookie to set, so that a stranger's forms have a token too.
    let newFormCookie: SetCookie?

    /// A script without a credential.
    static let nobody = Caller(principal: nil, csrfToken: "", newFormCookie: nil)
}

/// Finds out who asks and for which organization, and whether a form was meant.
struct Doorkeeper: Sendable {
    let site: Site
    /// Whose browser sent a session cookie.
    let session: @Sendable (String) throws -> Principal?
    /// Whose key it is, and what a key may still do.
    let gatekeeper: Gatekeeper
    /// Who comes with the access token of an app.
    let oauthServer: OAuthServer
    /// Who comes with tokens of the existing site; nil when these do not count.
    let siteDoor: SiteDoor?
    /// Who comes with platform keys.
    let platformDoor: SiteDoor
    let answers: IdempotentAnswers

    private static let formCookie = "hub_form"

    // MARK: Who

    /// The person behind a session cookie, or a stranger whose forms are held together by a cookie of their own.
    func browser(_ request: Request) throws -> Caller {
        if let token = request.cookie(site.cookieName(Accounts.sessionCookie)), let principal = try session(token),
            let browser = principal.browser
        {
            return Caller(principal: principal, csrfToken: browser.csrfToken, newFormCookie: nil)
        }
        let known = request.cookie(site.cookieName(Self.formCookie)).flatMap { $0.utf8.count == 43 ? $0 : nil }
        let value = known ?? Random.token()
        let token = Base64URL.encode(HMAC.sha256(Array("form".utf8), key: Array(value.utf8)))
        return Caller(
            principal: nil, csrfToken: token, newFormCookie: known == nil ? site.cookie(Self.formCookie, value) : nil)
    }

    /// The script behind a key; or the browser behind a session cookie, which counts here only with its form token.
    func script(_ request: Request) throws -> Caller {
        // > Clients MUST NOT pass access tokens in a URI query parameter.     RFC 9700 §4.3.2
        if request.rawQuery.hasPrefix("access_token=") || request.rawQuery.contains("&access_token=") {
            throw Problem(400, "token_in_query", "Send the token as Authorization: Bearer, never in the address.")
        }
        switch Credential(request.headers) {
        case .missing: break
        case .ambiguous: throw Problem(400, "ambiguous_credential", "Send one credential, once.")
        case .malformed: throw gatekeeper.invalid(from: request.remoteAddress, requestID: request.id)
        case .sent(let sent) where sent.reveal({ SiteTokens.isToken($0) }):
            let principal = try bearer(sent, by: siteDoor, request)
            return Caller(
                principal: principal, meter: siteDoor?.meter(principal), csrfToken: "", newFormCookie: nil)
        case .sent(let sent) where sent.reveal({ PlatformKey.isKey($0) }):
            let principal = try bearer(sent, by: platformDoor, request)
            return Caller(
                principal: principal, meter: platformDoor.meter(principal), csrfToken: "", newFormCookie: nil)
        case .sent(let sent) where sent.reveal({ OAuthServer.isToken($0) }):
            let visit = try counting(request) {
                try oauthServer.visit(sent, at: request.path.text, from: request.remoteAddress)
            }
            let meter = Meter.bearer(
                .init(
                    subject: visit.subject, quotas: visit.quotas, limiter: oauthServer.limiter, moment: request.received
                ))
            return Caller(principal: visit.principal, meter: meter, csrfToken: "", newFormCookie: nil)
        case .sent(let sent):
            let visit = try gatekeeper.visit(sent, from: request.remoteAddress, requestID: request.id)
            return Caller(principal: visit.principal, meter: .key(visit), csrfToken: "", newFormCookie: nil)
        }
        let caller = try browser(request)
        guard caller.principal != nil else { return .nobody }
        let token = request.headers[CSRF.headerName] ?? ""
        guard equalInConstantTime(Array(token.utf8), Array(caller.csrfToken.utf8)),
            !CSRF.isCrossSite(request, origin: site.origin)
        else { return .nobody }
        return caller
    }

    /// Who came with a token of the existing site or a platform key; one that opens nothing counts as a guess, like a key.
    private func bearer(_ token: Secret<String>, by door: SiteDoor?, _ request: Request) throws -> Principal {
        try counting(request) {
            guard let door else {
                throw Problem.unauthorized("invalid_credential", "Tokens of another server open nothing here.")
            }
            return try door.principal(token)
        }
    }

    /// Counts a credential that opens nothing as a guess of its address, whatever it is.
    private func counting<Result>(_ request: Request, _ look: () throws -> Result) throws -> Result {
        do {
            return try look()
        } catch let problem as Problem where problem.status == 401 {
            let guess = gatekeeper.invalid(from: request.remoteAddress, requestID: request.id)
            throw guess.status == 429 ? guess : problem
        }
    }

    // MARK: For which organization

    /// The organization that a request is about: the one that `X-Org-ID` names, the only one, or the one that the
    /// browser shows.
    ///
    /// - Throws: `Problem` 404 for an organization that the caller does not belong to, 400 when the choice is open.
    func organization(of caller: Caller, _ request: Request, isScript: Bool) throws(Problem) -> OrganizationScope? {
        guard let principal = caller.principal,
            let chosen = isScript ? try named(request, principal) : principal.browser?.organization
        else { return nil }
        guard
            let scope = OrganizationScope(
                of: principal, in: chosen, remoteAddress: request.remoteAddress, requestID: request.id)
        else { throw Problem(404, "organization_not_found", "There is no such organization.") }
        return scope
    }

    private func named(_ request: Request, _ principal: Principal) throws(Problem) -> Identifier<Organization>? {
        guard let header = request.headers["x-org-id"] else {
            return principal.memberships.count == 1 ? principal.memberships[0].organization : nil
        }
        guard let named = Identifier<Organization>(header) else {
            throw Problem(400, "invalid_organization", "X-Org-ID is no id.")
        }
        return named
    }

    // MARK: Whether it was meant

    /// Refuses a form that another site sent, or that does not carry this browser's token.
    func checkForm(_ request: Request, _ caller: Caller) throws(Problem) {
        var given = request.headers[CSRF.headerName] ?? ""
        if given.isEmpty { given = try request.form()[CSRF.fieldName] ?? "" }
        guard !CSRF.isCrossSite(request, origin: site.origin), caller.newFormCookie == nil,
            equalInConstantTime(Array(given.utf8), Array(caller.csrfToken.utf8))
        else {
            throw Problem(
                403, "form_expired",
                "This form has ended, perhaps because you signed in or out meanwhile. Open the page again and repeat it."
            )
        }
    }

    /// Performs a request that says how to recognise its repetition once only.
    func once(_ call: Call, isScript: Bool, _ perform: (Call) throws -> Response) throws -> Response {
        guard call.request.method == .post, let scope = call.organization, let principal = call.principal else {
            return try perform(call)
        }
        let key =
            isScript ? try call.request.idempotencyKey() : try? call.request.form()[FormNonce.fieldName]
        guard let key else { return try perform(call) }
        guard (1...255).contains(key.utf8.count) else {
            throw Problem(400, "invalid_form_nonce", "The number of this form is none of ours.")
        }
        return try answers.once(key: key, call, by: principal.actor, scope, isScript: isScript) { try perform(call) }
    }
}
