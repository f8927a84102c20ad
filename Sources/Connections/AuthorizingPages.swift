import AdminShell
import Domain
import HTTPKit
import JSONKit
import LogKit
import TemplateKit

/// How people and scripts sign in at services.
extension Connections {
    /// Where a service sends the browser back to: the address to register there.
    static func redirectURI(_ provider: Provider, _ id: Identifier<Connection>, on site: Site) -> String {
        site.url(ConnectionRoute.callback(provider: provider.key, provider.hasOwnRedirects ? id : nil))
    }

    // MARK: In the browser

    /// Goes to the service.
    func authorize(_ id: Identifier<Connection>, _ call: Call) throws -> Response {
        var input = try call.form()
        let scopes = Self.scopes(input.optionalText("scopes", 1...4_000), &input)
        let returnTo = Self.returnPath(&input)
        guard input.isComplete else { throw input.refusal }
        return try leave(for: find(.id(id), call.scope()), call, returnTo: returnTo, scopes: scopes)
    }

    /// Goes to the service once the set-up is stored, unless its redirect address is known only now.
    func goOn(with view: ConnectionView, _ call: Call) throws -> Response {
        guard view.provider?.hasOwnRedirects == true, view.needsSignIn else { return try leave(for: view, call) }
        return call.redirect(
            to: ConnectionRoute.show(view.record.id),
            saying: "Saved. Register the redirect address below at \(view.serviceName), then connect.", .warn)
    }

    /// The page that leads to the service.
    ///
    /// Not a redirect: a browser holds every step that follows a form against the page's `form-action`, and services send
    /// people on through hosts of theirs that nobody can list (CSP 3 §6.4.1).
    func leave(
        for view: ConnectionView, _ call: Call, returnTo: String? = nil, scopes: [String]? = nil
    ) throws -> Response {
        let (provider, _) = try Self.requireSignIn(view)
        let show = ConnectionRoute.show(view.record.id)
        do {
            let begun = try begin(
                view,
                Beginning(
                    redirectURI: Self.redirectURI(provider, view.record.id, on: call.shell.site),
                    owner: try FlowOwner(call.known()), returnTo: returnTo, scopes: scopes), by: call.scope())
            let url = begun.url.reveal { $0 }
            let page = LeavingPage(service: provider.name, tile: provider.tile, url: url, backHref: call.link(show))
            return try call.page(page).with("refresh", "0; url=\(url)")
        } catch let problem as Problem where problem.status == 409 {
            return call.redirect(to: show, saying: problem.detail, .warn)
        }
    }

    /// Where the service sends the browser back to: always on to a clean address, so that the code stands in no history,
    /// no log and no page (RFC 9700 §4.2.4, §4.3.1).
    func callback(_ call: Call) throws -> Response {
        // A link checker asks so, and must use nothing up.
        guard call.request.method == .get else { return call.redirect(to: ConnectionRoute.list) }
        do {
            return try end(call)
        } catch let failure as AuthorizationFailure {
            return call.redirect(to: ConnectionRoute.list, saying: failure.sentence, .bad)
        } catch let problem as Problem {
            return call.redirect(to: ConnectionRoute.list, saying: problem.detail, .bad)
        } catch {
            let problem = Problem(presenting: error, requestID: call.request.id)
            call.log.error("a sign-in could not be ended", ["error": .init(String(reflecting: error))])
            return call.redirect(to: ConnectionRoute.list, saying: problem.detail, .bad)
        }
    }

    private func end(_ call: Call) throws -> Response {
        guard let principal = call.principal, principal.browser != nil else {
            return call.redirect(to: ConnectionRoute.list)
        }
        let arrived = Callback(
            query: try call.request.query(),
            redirectURI: call.shell.site.origin + call.shell.site.mount + "/"
                + call.request.path.segments.joined(separator: "/"))
        let done = try complete(arrived, by: FlowOwner(principal)) { organization in
            try call.scope(in: organization)
        }
        if let returnTo = done.returnTo { return Self.returning(done, to: returnTo, call) }
        // Its page is of the organization that the browser shows, which may be another one by now.
        guard done.organization == call.organization?.organization else {
            return call.redirect(to: ConnectionRoute.list, saying: done.sentence, done.tone)
        }
        return call.redirect(to: ConnectionRoute.show(done.connection), saying: done.sentence, done.tone)
    }

    private static func returning(_ done: Completion, to path: String, _ call: Call) -> Response {
        var outcome = [("connection", done.connection.text), ("result", done.failure == nil ? "connected" : "error")]
        if let failure = done.failure { outcome.append(("error", failure.code.rawValue)) }
        let (whole, fragment) = (path.prefix { $0 != "#" }, path.drop { $0 != "#" })
        return .seeOther("\(whole)\(whole.contains("?") ? "&" : "?")\(Form(outcome).urlencoded)\(fragment)")
    }

    // MARK: For scripts

    func authorizeJSON(_ name: ConnectionName, _ call: Call) throws -> Response {
        var input = try call.json()
        let scopes = Self.scopes(input.texts("scopes")?.joined(separator: " "), &input)
        let returnTo = Self.returnPath(&input)
        guard input.isComplete else { throw input.refusal }
        let view = try find(name, call.scope())
        let (provider, _) = try Self.requireSignIn(view)
        let begun = try begin(
            view,
            Beginning(
                redirectURI: Self.redirectURI(provider, view.record.id, on: call.shell.site),
                owner: try FlowOwner(call.known()), returnTo: returnTo, scopes: scopes), by: call.scope())
        return Response.json([
            "url": .string(begun.url.reveal { $0 }), "state": .string(begun.state.reveal { $0 }),
            "expires_at": JSON(begun.expiresAt),
        ]).neverStored()
    }

    /// Ends a sign-in with the code that came back; `query` is the whole query, for services that sign it.
    func exchangeJSON(_ name: ConnectionName, _ call: Call) throws -> Response {
        var input = try call.json()
        let scope = try call.scope()
        let query = try Self.query(&input)
        let view = try find(name, scope)
        let (provider, _) = try Self.requireSignIn(view)
        let arrived = Callback(
            query: query, redirectURI: Self.redirectURI(provider, view.record.id, on: call.shell.site))
        let failure: AuthorizationFailure?
        do {
            let done = try complete(arrived, by: FlowOwner(call.known()), about: view.record.id) { _ in scope }
            failure = done.failure
        } catch let refused as AuthorizationFailure {
            failure = refused
        }
        if let failure { throw Problem(failure) }
        return try json(.id(view.record.id), call)
    }

    private static func query(_ input: inout Input) throws -> Form {
        let whole = input.secret("query")
        let (code, state) = (input.secret("code"), input.secret("state"))
        if whole == nil {
            _ = input.required("code", code)
            _ = input.required("state", state)
        } else if code != nil || state != nil {
            input.refuse("query", "ambiguous", "Send the whole query, or code and state.")
        }
        let form = whole.map { $0.reveal { Form(urlencoded: $0) } }
        if case .some(nil) = form { input.refuse("query", "invalid", "This is no query.") }
        guard input.isComplete else { throw input.refusal }
        return form.flatMap(\.self)
            ?? Form(pairs: [("code", code), ("state", state)].map { ($0.0, $0.1?.reveal { $0 } ?? "") })
    }

    // MARK: Reading

    /// Scopes with spaces between them, each of the characters that RFC 6749 §3.3 lets stand in one.
    private static func scopes(_ text: String?, _ input: inout Input) -> [String]? {
        guard let text else { return nil }
        let scopes = text.split { $0 == " " || $0 == "," || $0.isNewline }.map(String.init)
        let isClean = scopes.allSatisfy { scope in
            scope.utf8.count <= 200 && scope.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x22 && $0 != 0x5c }
        }
        guard isClean, scopes.count <= 100 else {
            input.refuse("scopes", "invalid", "These are not scopes: letters, digits and signs, at most 100.")
            return nil
        }
        return scopes
    }

    /// A path of this site. Browsers take `//`, `/\` and a path with control characters for another site's address.
    private static func returnPath(_ input: inout Input) -> String? {
        input.parsed("return_to", orSay: "This must be a path of this site, such as /settings.", 1...500) { path in
            let isPlain = path.unicodeScalars.allSatisfy { (0x21...0x7e).contains($0.value) && $0 != "\\" }
            return isPlain && path.hasPrefix("/") && !path.hasPrefix("//") ? path : nil
        }
    }
}

extension Connections.Completion {
    /// What happened, for people.
    var sentence: String {
        if let failure { return failure.sentence }
        if let objection { return "\(title) connected, but not for everything. \(objection)" }
        guard let test else { return "\(title) connected." }
        return test.isSuccess
            ? "\(title) connected. \(test.sentence)" : "\(title) connected, but its test failed. \(test.sentence)"
    }

    var tone: Flash.Tone { failure != nil ? .bad : objection != nil || test?.isSuccess == false ? .warn : .good }
}

extension Call {
    /// Who asks, which the route has made sure of.
    fileprivate func known() throws(Problem) -> Principal {
        guard let principal else { throw .unauthorized() }
        return principal
    }

    /// The caller's rights in an organization that need not be the one that the browser shows.
    func scope(in organization: Identifier<Organization>) throws(Problem) -> OrganizationScope {
        guard
            let scope = OrganizationScope(
                of: try known(), in: organization, remoteAddress: request.remoteAddress, requestID: request.id)
        else { throw .notFound }
        return scope
    }
}

extension Problem {
    /// A sign-in that came to nothing, as scripts are told.
    init(_ failure: AuthorizationFailure) {
        let status: Status =
            switch failure.code {
            case .stateMissing, .stateUnknown, .stateUsed, .stateExpired, .otherOwner, .malformed: 400
            case .unreachable: 502
            default: 409
            }
        self.init(status, failure.code.rawValue, failure.sentence)
    }

    /// Each service has an address of its own, which tells one service's answer from another's.
    static let callbackPerProvider = Problem(
        404, "callback_per_provider",
        "Each service has a redirect address of its own below this one: /connections/callback/{provider}. Register the one that the connection's guide shows."
    )
}

/// On the way to a service.
struct LeavingPage: ShellPage {
    static let template = "connection-leaving"
    static let sample = LeavingPage(
        service: "Google", tile: Provider.sample.tile, url: "https://accounts.google.com/o/oauth2/v2/auth",
        backHref: "/connections/1")

    let service: String
    let tile: Provider.Tile
    let url: String
    let backHref: String

    var title: String { "Going to \(service)" }
    var place: Place? { .connections }

    var view: TemplateValue {
        [
            "service": .text(service), "tile": ["letters": .text(tile.letters), "color": .text(tile.color)],
            "url": .text(url), "back_href": .text(backHref),
        ]
    }
}
