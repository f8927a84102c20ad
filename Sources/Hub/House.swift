import APIKeys
import AdminShell
import CipherKit
import Connections
import DatabaseKit
import Domain
import FastCGIKit
import HTTPKit
import LimitKit
import LogKit
import OAuthServer
import Operations

/// The way of a request through the hub: route, principal, organization, form token, room, answer.
///
/// Errors become answers here and nowhere else: a problem document for scripts, a page for people.
struct House: Sendable {
    let signposts: Signposts
    let shell: Shell
    let doorkeeper: Doorkeeper
    let log: Log
    let journal: Journal
    let crossOrigin: CrossOrigin

    /// Every room, in the order in which they are asked.
    var rooms: [RoomRoutes] { signposts.rooms }

    /// Whether scripts call an address, by its first step; their errors are problem documents.
    private static func isForScripts(_ path: Path) -> Bool {
        switch path[0] {
        case "health", "metrics", "inbound", ".well-known": true
        case "api": !APIReferenceRoute.isForBrowsers(path)
        case "oauth": !OAuthEndpointRoute.isForBrowsers(path)
        case "functions": !IntegrationsHubRoute.isForBrowsers(path)
        default: false
        }
    }

    /// Answers a request, whatever happens.
    func respond(to request: Request) -> Response {
        let isScript = Self.isForScripts(request.path)
        var visit = Visit()
        var response: Response
        do {
            response = try answer(request, &visit, isScript: isScript)
        } catch {
            visit.problem = Problem(presenting: error, requestID: request.id).code
            response = present(error, request, visit, isScript: isScript)
        }
        finish(&response, request, visit, isScript: isScript)
        if isScript {
            crossOrigin.mark(&response, request)
            OAuthEndpointRoute.openToScripts(&response, request)
        }
        if request.path.rest == nil, let short = response.notModified(for: request) { response = short }
        if isScript { journal.note(request, visit, &response) }
        return response
    }

    /// Answers what never became a request.
    func refuse(_ refusal: Refusal) -> Response {
        var response = refusal.problem.response(requestID: refusal.requestID)
        if !refusal.gatewayFields.contains(.requestID) { response.headers.add("x-request-id", refusal.requestID) }
        response.headers.include(SecurityHeaders.script.fields(beside: refusal.gatewayFields))
        return response
    }

    /// What is learnt of a request on its way.
    struct Visit {
        var caller = Caller.nobody
        var organization: OrganizationScope?
        /// How the limits of a key stand once this request was counted.
        var limits: LimitVerdict?
        /// The address as documents write it; empty where there is nothing.
        var route = ""
        /// The code of what went wrong; empty when nothing did.
        var problem = ""
    }

    private func answer(_ request: Request, _ visit: inout Visit, isScript: Bool) throws -> Response {
        guard let match = signposts.match(request.path) else {
            // A stranger may see the frame of a page only once it is known who they are.
            if !isScript { visit = try recognise(request) }
            throw Problem.notFound
        }
        if isScript, let answer = crossOrigin.preflight(request, Self.methods(match.access)) { return answer }
        if request.method == .options, match.access[.options] == nil { return Self.options(match.access) }
        guard let access = match.access[request.method == .head ? .get : request.method] else {
            throw Problem.methodNotAllowed(Self.methods(match.access))
        }
        switch access {
        case .open:
            if !isScript { visit = try recognise(request) }
        case .person, .known, .right:
            visit.caller = try isScript ? doorkeeper.script(request) : doorkeeper.browser(request)
            if isScript { visit.route = match.template(of: request.path) }
            guard visit.caller.principal != nil else { return try turnAway(request, isScript: isScript) }
            visit.organization = try doorkeeper.organization(of: visit.caller, request, isScript: isScript)
            guard match.takesPlatformKeys || visit.caller.principal?.actor.kind != .platformKey else {
                throw Problem(403, "insufficient_scope", "A platform key opens its own integration and nothing else.")
            }
        }
        if !isScript, !request.method.isSafe { try doorkeeper.checkForm(request, visit.caller) }
        let call = call(request, visit)
        if case .right(let scope) = access {
            _ = try call.scope()
            try call.require(scope)
        }
        try count(&visit)
        // What is passed on is repeated or not as the one who gets it says.
        guard request.path.rest == nil else { return try match.respond(to: call) }
        return try doorkeeper.once(call, isScript: isScript, match.respond(to:))
    }

    /// Counts a script's request against its limits; what was refused before counts nowhere.
    private func count(_ visit: inout Visit) throws(Problem) {
        guard let meter = visit.caller.meter else { return }
        let limits = meter.take()
        visit.limits = limits
        guard limits.isAllowed else { throw .quotaExceeded(limits) }
    }

    /// Looks who a browser is, where it does not matter for the answer.
    private func recognise(_ request: Request) throws -> Visit {
        let caller = try doorkeeper.browser(request)
        return Visit(
            caller: caller, organization: try? doorkeeper.organization(of: caller, request, isScript: false))
    }

    private func call(_ request: Request, _ visit: Visit) -> Call {
        Call(
            request: request, principal: visit.caller.principal, organization: visit.organization, shell: shell,
            csrfToken: visit.caller.csrfToken, log: log)
    }

    /// A person is shown the door and brought back; a script is told what is missing.
    private func turnAway(_ request: Request, isScript: Bool) throws -> Response {
        guard !isScript else { throw Problem.unauthorized() }
        var target = "/" + request.path.segments.map { Percent.encode($0) }.joined(separator: "/")
        if !request.rawQuery.isEmpty { target += "?\(request.rawQuery)" }
        let next = request.method.isSafe ? "?next=\(Percent.encode(target))" : ""
        return .seeOther("\(shell.site.mount)/sign-in\(next)")
    }

    private func present(_ error: any Error, _ request: Request, _ visit: Visit, isScript: Bool) -> Response {
        let problem = Problem(presenting: error, requestID: request.id)
        let fields: KeyValuePairs<String, Log.Field> = [
            "path": .init(request.path.pattern), "error": .init(String(reflecting: error)),
        ]
        switch problem.status.code {
        case 502: log.about(request).warning("another service failed a request", fields)
        case 500...: log.about(request).error("a request failed", fields)
        default: break
        }
        if isScript { return problem.response(requestID: request.id) }
        let call = call(request, visit)
        // A page of its own, since the frame's navigation cannot be had without the database.
        if problem.code == DatabaseError.awayCode, let page = try? Operations.databaseAway(call) { return page }
        return shell.render(problem, for: call)
    }

    private static func methods(_ access: MethodAccess) -> [Method] {
        Array(Set(access.methods).union(access[.get] == nil ? [] : [.head]).union([.options]))
    }

    private static func options(_ access: MethodAccess) -> Response {
        Response.noContent.with("allow", methods(access).map(\.name).sorted().joined(separator: ", "))
    }

    /// What stands on every answer.
    private func finish(_ response: inout Response, _ request: Request, _ visit: Visit, isScript: Bool) {
        if !request.gatewayFields.contains(.requestID) { response.headers.add("x-request-id", request.id) }
        visit.caller.meter?.describe(visit.limits, in: &response.headers)
        if visit.caller.principal != nil || !isScript { response.headers.setDefault("cache-control", "no-store") }
        if isScript {
            if response.status == 401 { nameMetadata(&response) }
            let headers = request.path.rest == nil ? SecurityHeaders.script : SecurityHeaders.passedOn
            response.headers.include(headers.fields(beside: request.gatewayFields))
        } else {
            let isConsent = OAuthEndpointRoute.isForBrowsers(request.path)
            response.headers["referrer-policy"] = nil
            response.headers.include(
                (isConsent ? SecurityHeaders.consent : .page).fields(beside: request.gatewayFields))
            if let cookie = visit.caller.newFormCookie, response.headers["content-type"]?.hasPrefix("text/html") == true
            {
                response = response.setting(cookie)
            }
        }
    }
}

extension House {
    /// Tells a script whose bearer credential opened nothing where it learns who gives tokens.
    ///
    /// > resource_metadata: The URL of the protected resource metadata.     RFC 9728 §5.1
    private func nameMetadata(_ response: inout Response) {
        guard let challenge = response.headers["www-authenticate"], challenge.hasPrefix("Bearer ") else { return }
        response.headers["www-authenticate"] =
            "\(challenge), resource_metadata=\"\(OAuthServer.resourceMetadataAddress(of: shell.site))\""
    }
}

/// The headers by which browsers keep a page to itself (requirements A7-21, A7-23).
///
/// Some stand on every answer alike. nginx/hub.conf says that it adds these, since nginx does so for less than it takes
/// to read them from the hub; behind a gateway that does not say so the hub sends them itself.
struct SecurityHeaders: Sendable {
    private let policy: StaticString
    private let referrer: StaticString

    private init(_ policy: StaticString, _ referrer: StaticString) {
        self.policy = policy
        self.referrer = referrer
    }

    /// What the hub sends.
    func fields(beside added: GatewayFields) -> PreparedHeaders {
        added.contains(.security) ? PreparedHeaders(policy, referrer) : PreparedHeaders(Self.common, policy, referrer)
    }

    /// On pages.
    static var page: SecurityHeaders { SecurityHeaders(pagePolicy, "referrer-policy: same-origin\r\n") }

    /// On pages that lead to an app and back, in whose addresses stands what is nobody else's business (A1-52).
    static var consent: SecurityHeaders { SecurityHeaders(pagePolicy, noReferrer) }

    /// On answers to scripts, which no browser should render.
    static var script: SecurityHeaders {
        SecurityHeaders("content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n", noReferrer)
    }

    /// On what another server answered: whatever it is, it runs and shows nothing under this origin.
    static var passedOn: SecurityHeaders {
        SecurityHeaders("content-security-policy: default-src 'none'; frame-ancestors 'none'; sandbox\r\n", noReferrer)
    }

    private static var pagePolicy: StaticString {
        """
        content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
        font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'\r\n
        """
    }

    private static var noReferrer: StaticString { "referrer-policy: no-referrer\r\n" }

    private static var common: StaticString {
        """
        x-content-type-options: nosniff\r\nx-frame-options: DENY\r\n\
        cross-origin-resource-policy: same-origin\r\ncross-origin-opener-policy: same-origin\r\n\
        permissions-policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()\r\n
        """
    }
}
