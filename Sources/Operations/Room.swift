import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// The hub's own pages: what needs a person, how the hub is doing, and whether it can work.
public struct Operations: Sendable {
    let world: World
    let schemaState: @Sendable () throws -> SchemaState
    let overview: @Sendable (OrganizationScope) throws -> Overview
    let system: @Sendable () throws -> SystemState

    /// The room.
    ///
    /// - Parameters:
    ///   - schemaState: what the schema is to this program; throws when the database does not answer. Strangers ask as
    ///     often as they like, so it must be cheap.
    ///   - overview: what stands on an organization's first page.
    ///   - system: how the hub is doing at this moment.
    public init(
        world: World, schemaState: @escaping @Sendable () throws -> SchemaState,
        overview: @escaping @Sendable (OrganizationScope) throws -> Overview,
        system: @escaping @Sendable () throws -> SystemState
    ) {
        self.world = world
        self.schemaState = schemaState
        self.overview = overview
        self.system = system
    }

    /// The routes and who performs them.
    public var routes: RoomRoutes {
        RoomRoutes(OperationsRoute.self) { route, call in
            switch route {
            case .overview: try overviewPage(call)
            case .system: try systemPage(call)
            case .metrics: try metrics()
            case .live: Self.well
            case .ready: ready(call).answer
            case .health: health(call)
            }
        }
    }

    private func overviewPage(_ call: Call) throws -> Response {
        let scope = try call.scope()
        return try call.page(
            OverviewPage(
                organization: scope.name, mount: call.shell.site.mount, overview: overview(scope),
                canWrite: scope.allows(.write(.connections)), now: world.now()))
    }

    private func systemPage(_ call: Call) throws -> Response {
        try call.page(SystemPage(state: system(), now: world.now()))
    }

    /// Whether requests can be served: the database answers, and its schema is known.
    ///
    /// Strangers learn no more than that; the log has the reason.
    private func ready(_ call: Call) -> (answer: Response, state: SchemaState?) {
        var state: SchemaState?
        do {
            state = try schemaState()
            if state == .current { return (Self.well, state) }
            call.log.warning("not ready: the schema is not the one this program knows")
        } catch {
            call.log.warning("not ready", ["error": .init(String(reflecting: error))])
        }
        let problem = Problem(
            503, "not_ready", "The hub cannot serve requests just now.", headers: ["retry-after": "2"])
        return (problem.response(requestID: call.request.id), state)
    }

    /// Readiness with the one detail that whoever deploys must know; a number tells a stranger nothing.
    private func health(_ call: Call) -> Response {
        let (answer, state) = ready(call)
        var response = answer
        guard let state, case .bytes(let bytes) = response.body, case .object(let members)? = try? JSON(parsing: bytes)
        else { return response }
        var pending = 0
        if case .behind(let names) = state { pending = names.count }
        let member = JSON.Member("pending_migrations", .integer(Int64(pending)))
        response.body = .bytes(JSON.object(members + [member]).bytes)
        return response
    }

    private static let well = Response.json(["status": "ok"]).neverStored()

    /// The page for people while the database does not answer; it needs none itself.
    public static func databaseAway(_ call: Call) throws -> Response {
        let again = call.request.method.isSafe ? call.request.target : "/"
        let page = DatabaseAwayPage(
            retrySeconds: 5, retryHref: call.shell.site.mount + again, requestID: call.request.id)
        return try call.page(page, status: 503).with("retry-after", "\(page.retrySeconds)").neverStored()
    }
}

extension Request {
    /// Path and query as they can stand in a link.
    fileprivate var target: String {
        let path = "/" + path.segments.map { Percent.encode($0) }.joined(separator: "/")
        // A broken query was nothing to begin with.
        guard let query = Form(urlencoded: rawQuery)?.urlencoded, !query.isEmpty else { return path }
        return "\(path)?\(query)"
    }
}
