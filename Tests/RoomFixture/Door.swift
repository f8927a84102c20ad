import AdminShell
import Domain
import HTTPKit
import LogKit
import TemplateKit

/// The front door of one room: rights are checked and problems answered as in the whole house.
public struct Door: Sendable {
    private let house: House
    private let routes: [RoomRoutes]
    private let shell: Shell

    /// The door of a room with its templates.
    public init(_ house: House, _ routes: RoomRoutes, templates: [String: [UInt8]]) throws {
        try self.init(house, [routes], templates: templates)
    }

    /// The door of a room whose addresses are told in several parts.
    public init(_ house: House, _ routes: [RoomRoutes], templates: [String: [UInt8]]) throws {
        guard
            let site = Site(
                publicURL: "https://site.example/hub", name: "Hub",
                assets: .init(css: "hub.css", script: "hub.js", icon: "icon.svg"))
        else { throw House.Missing(description: "the site has no address") }
        self.house = house
        self.routes = routes
        shell = Shell(
            site: site, library: try TemplateLibrary(ShellTemplates.sources.merging(templates) { $1 }),
            navigation: Navigation(
                overview: "/", account: "/account", signOut: "/sign-out", switchOrganization: "/organization/switch",
                groups: [(title: "Publish", items: [])]),
            idleSeconds: 1_800)
    }

    /// Sends a request as somebody; nobody when there is no principal.
    public func send(
        _ method: Method, _ path: String, as principal: Principal?, query: String = "", json: String? = nil,
        form: [(String, String)]? = nil, headers: Headers = [:]
    ) throws -> Response {
        guard let parsed = Path(path) else { throw House.Missing(description: "\(path) is no path") }
        var headers = headers
        var body: [UInt8] = []
        if let json {
            headers["content-type"] = "application/json"
            body = Array(json.utf8)
        } else if let form {
            headers["content-type"] = "application/x-www-form-urlencoded"
            body = Array(Form(pairs: form.map { (name: $0.0, value: $0.1) }).urlencoded.utf8)
        }
        return send(
            Request(method, path: parsed, mount: "/hub", query: query, headers: headers, body: body), as: principal)
    }

    /// Sends a request that is made already.
    public func send(_ request: Request, as principal: Principal?) -> Response {
        do {
            guard let match = routes.lazy.compactMap({ $0.match(request.path) }).first else { throw Problem.notFound }
            let method = request.method == .head ? .get : request.method
            guard let access = match.access[method] else { throw Problem.methodNotAllowed(Array(match.access.methods)) }
            let call = try call(request, as: principal)
            if case .right(let right) = access { try call.require(right) }
            if case .person = access { _ = try call.browser() }
            return try match.respond(to: call)
        } catch {
            return Problem(presenting: error, requestID: request.id).response(requestID: request.id)
        }
    }

    /// A request on its way, as handlers get it.
    public func call(_ request: Request, as principal: Principal?) throws -> Call {
        Call(
            request: request, principal: principal, organization: try principal.map(house.scope), shell: shell,
            csrfToken: "token", log: Log(threshold: .error))
    }

    /// Renders the samples of a room's pages, strictly.
    public func check(_ pages: [any ShellPage.Type]) throws {
        for page in pages { _ = try shell.library.renderSample(of: page) }
    }
}

extension Response {
    /// The whole body as text, a stream read to its end.
    public func text() throws -> String {
        switch body {
        case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
        case .stream(let pieces):
            var bytes: [UInt8] = []
            try pieces { bytes += $0 }
            return String(decoding: bytes, as: UTF8.self)
        case .relay(let pieces):
            var bytes: [UInt8] = []
            try pieces({ bytes += $0 }, { true })
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
