import CipherKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TemplateKit
import TimeKit

/// A request on its way through a room: what is asked, who asks, and for which organization.
public struct Call: Sendable {
    /// What is asked.
    public let request: Request
    /// Who asks; nil when nobody has signed in.
    public let principal: Principal?
    /// The organization that the request is about, its right checked; nil on routes that are about none.
    public let organization: OrganizationScope?
    /// What makes pages.
    public let shell: Shell
    /// What every form of this browser must carry.
    public let csrfToken: String
    private let houseLog: Log

    /// A log that puts the request's id, and that of its trace, on each line; made when it is asked for, since most requests write none.
    public var log: Log { houseLog.about(request) }

    /// A call, put together by the house.
    public init(
        request: Request, principal: Principal?, organization: OrganizationScope?, shell: Shell, csrfToken: String,
        log: Log
    ) {
        self.request = request.openingCursor(shell.cursors, for: organization?.organization)
        self.principal = principal
        self.organization = organization
        self.shell = shell
        self.csrfToken = csrfToken
        houseLog = log
    }

    /// The organization that the request is about.
    ///
    /// - Throws: `Problem` 400 `organization_required` when the route is about none.
    public func scope() throws(Problem) -> OrganizationScope {
        guard let organization else {
            throw Problem(400, "organization_required", "Choose an organization with the X-Org-ID header.")
        }
        return organization
    }

    /// The signed-in browser.
    ///
    /// - Throws: `Problem` 403 for a script, which has no account of its own.
    public func browser() throws(Problem) -> Principal.Browser {
        guard let browser = principal?.browser else {
            throw Problem(403, "browser_required", "This is for people who are signed in.")
        }
        return browser
    }

    /// Refuses whoever lacks a right.
    public func require(_ scope: Scope) throws(Problem) {
        guard let organization, organization.allows(scope) else { throw .missing(scope) }
    }

    /// The fields of the body, from a form or from JSON, by its media type.
    public func input() throws(Problem) -> Input {
        switch request.mediaType {
        case "application/x-www-form-urlencoded", "multipart/form-data": Input(try request.form())
        case "" where request.body.isEmpty: Input(.empty)
        default: try Input(request.json())
        }
    }

    /// The fields of a form, on pages.
    public func form() throws(Problem) -> Input {
        Input(try request.form())
    }

    /// The fields of a JSON body, on the interface for scripts. No body is an empty object.
    public func json() throws(Problem) -> Input {
        try request.body.isEmpty && request.mediaType.isEmpty ? Input(.object([])) : Input(request.json())
    }

    /// The address of a route as a link on a page.
    public func link(_ route: some Route) -> String {
        shell.site.mount + route.path
    }

    /// A page in its frame.
    public func page(_ page: some ShellPage, status: Status = 200) throws -> Response {
        try shell.render(page, for: self, status: status)
    }

    /// Performs what a form asks for; when fields are refused, shows the form again with each named beside itself.
    public func perform(
        _ change: () throws -> Response, orShow page: (Problem) throws -> some ShellPage
    ) throws -> Response {
        do {
            return try change()
        } catch let problem as Problem where !problem.errors.isEmpty || problem.status == 409 || problem.status == 429 {
            var response = try self.page(page(problem), status: problem.status)
            problem.headers.forEach { response.headers.add($0, $1) }
            return response
        }
    }

    /// Go to a route, and say there what was done.
    public func redirect(to route: some Route, saying text: String? = nil, _ tone: Flash.Tone = .good) -> Response {
        redirect(toPath: route.path, saying: text, tone)
    }

    /// Go to a path of this site, and say there what was done.
    public func redirect(toPath path: String, saying text: String? = nil, _ tone: Flash.Tone = .good) -> Response {
        let response = Response.seeOther(shell.site.mount + path)
        guard let text else { return response }
        return saying(text, tone, on: response)
    }

    /// An answer that leads to a page of this site, which says what was done.
    public func saying(_ text: String, _ tone: Flash.Tone, on response: Response) -> Response {
        response.setting(Flash(tone: tone, text: text).cookie(on: shell.site, key: csrfToken))
    }

    /// Whether the next page has something to say already.
    public var isToldSomething: Bool {
        request.cookie(shell.site.cookieName(Flash.cookieName)).flatMap { Flash(cookie: $0, key: csrfToken) } != nil
    }
}

extension Log {
    /// A log that puts the request's id, and that of its trace, on each line.
    public func about(_ request: Request) -> Log {
        let log = with(["request_id": .init(request.id)])
        return request.traceID.map { log.with(["trace_id": .init($0)]) } ?? log
    }
}

extension Problem {
    /// Somebody saved while a form was open.
    ///
    /// - Parameters:
    ///   - thing: what it is called in a sentence, such as `app`.
    ///   - advice: what to do about it.
    public static func changedByAnother(_ thing: String, _ advice: String = "Look at it again.") -> Problem {
        Problem(409, "changed_meanwhile", "Somebody else changed this \(thing) meanwhile. \(advice)")
    }

    /// Whoever asks lacks a right.
    public static func missing(_ scope: Scope) -> Problem {
        // > scope="…" containing the scope required to access the protected resource.     RFC 6750 §3, §3.1
        Problem(
            403, "insufficient_scope", "This needs the right \(scope).",
            headers: [
                "www-authenticate": "Bearer realm=\"hub\", error=\"insufficient_scope\", scope=\"\(scope)\""
            ])
    }

    /// Nobody has signed in, or with a credential that does not count.
    public static func unauthorized(_ code: String = "unauthorized", _ detail: String? = nil) -> Problem {
        Problem(
            401, code, detail ?? "Send an API key as Authorization: Bearer.",
            headers: [
                "www-authenticate": code == "unauthorized"
                    ? "Bearer realm=\"hub\"" : "Bearer realm=\"hub\", error=\"invalid_token\""
            ])
    }
}
