import Domain
import HTTPKit

/// Who may use a route with a method.
public enum Access: Sendable, Equatable {
    /// Anybody.
    case open
    /// A signed-in person, whatever their role.
    case person
    /// Whoever has come in, by any credential; the room asks for rights itself, in more than one organization.
    case known
    /// Whoever holds a right in the organization that the request is about.
    case right(Scope)
}

/// Who may use a route, by method; HEAD goes with GET.
///
/// A few pairs in a row: each request has one made and looks into it, which a table of hashes takes ten times as long for.
public struct MethodAccess: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    private let rules: [(Method, Access)]

    /// Rules, each for a method of its own.
    public init(dictionaryLiteral elements: (Method, Access)...) { rules = elements }

    /// Who may use the route with a method; nil for nobody.
    public subscript(method: Method) -> Access? {
        for (known, access) in rules where known == method { return access }
        return nil
    }

    /// The methods that have a rule.
    public var methods: [Method] { rules.map { $0.0 } }

    /// The same rules in whatever order.
    public static func == (one: MethodAccess, other: MethodAccess) -> Bool {
        one.rules.count == other.rules.count && one.rules.allSatisfy { other[$0.0] == $0.1 }
    }
}

/// The addresses of a room: what a path means, how it is written, and who may use it.
///
/// A method that ``access`` does not name is answered with 405; so a route without a rule is closed, not open.
public protocol Route: Sendable, Equatable {
    /// Reads a path; nil when it is none of this room's.
    init?(_ path: Path)
    /// The path below the mount prefix, as links have it.
    var path: String { get }
    /// Who may use the route, by method. HEAD goes with GET.
    var access: MethodAccess { get }
    /// The step of the path that is a parameter although it is no UUID; nil for none.
    var parameter: PathParameter? { get }
    /// What scripts can do there, for the API's description; nil for pages.
    var api: APIPath? { get }
    /// Whether the key of a platform integration opens these routes; the room then shows it its own integration alone.
    static var takesPlatformKeys: Bool { get }
    /// One of each case, for tests that walk over all routes.
    static var samples: [Self] { get }
}

extension Route {
    /// Most routes have UUIDs alone.
    public var parameter: PathParameter? { nil }
    /// A page.
    public var api: APIPath? { nil }
    /// No room but the one of platforms knows such keys.
    public static var takesPlatformKeys: Bool { false }
}

/// A step of a path that may be any text.
public struct PathParameter: Sendable, Equatable {
    /// Which step it is, from 0.
    public let place: Int
    /// What it is called in documents.
    public var name: String { "\(text)" }
    /// Nothing to be counted: each request gets a copy.
    private let text: StaticString

    /// A step and its name.
    public init(_ place: Int, _ name: StaticString) {
        self.place = place
        text = name
    }

    /// The same step by the same name.
    public static func == (one: PathParameter, other: PathParameter) -> Bool {
        one.place == other.place && one.name == other.name
    }
}

extension Path {
    /// The id at a place among the path's ids; the pattern has vouched for it.
    ///
    /// - Precondition: the pattern has an `:id` at this place.
    public func id<Kind>(_ place: Int = 0, as kind: Kind.Type = Kind.self) -> Identifier<Kind> {
        guard let id = Identifier<Kind>(identifiers[place]) else { preconditionFailure("a pattern promised an id") }
        return id
    }
}

/// A path that belongs to a room, its route type forgotten. An object, since each request has one made and hands it on.
public protocol RouteMatch: AnyObject, Sendable {
    /// Who may use it, by method.
    var access: MethodAccess { get }
    /// The step of the path that is a parameter although it is no UUID.
    var parameter: PathParameter? { get }
    /// Whether the key of a platform integration opens it.
    var takesPlatformKeys: Bool { get }
    /// Performs the request.
    func respond(to call: Call) throws -> Response
}

/// A route of a known type and who performs it.
private final class MatchedRoute<R: Route>: RouteMatch {
    private let route: R
    private let perform: @Sendable (R, Call) throws -> Response

    init(_ route: R, perform: @escaping @Sendable (R, Call) throws -> Response) {
        self.route = route
        self.perform = perform
    }

    var access: MethodAccess { route.access }
    var parameter: PathParameter? { route.parameter }
    var takesPlatformKeys: Bool { R.takesPlatformKeys }
    func respond(to call: Call) throws -> Response { try perform(route, call) }
}

/// The routes of one room, its route type forgotten.
public final class RoomRoutes: Sendable {
    /// Finds what a path means here; nil when it is none of this room's.
    public let match: @Sendable (Path) -> (any RouteMatch)?
    /// One path of each case with its methods, for tests that walk over all routes.
    public let samples: [(path: String, access: MethodAccess)]
    /// The same with what the API's description says of it.
    public let described: [RouteDescription]

    /// The routes of a room, performed by `respond`.
    public init<R: Route>(_ type: R.Type, respond: @escaping @Sendable (R, Call) throws -> Response) {
        match = { path in R(path).map { MatchedRoute($0, perform: respond) } }
        samples = R.samples.map { ($0.path, $0.access) }
        described = R.described
    }
}

extension RouteMatch {
    /// A path of this route as documents write it: `/api/v1/connections/{id}/test`. No id is part of it, nor anything that
    /// a caller made up.
    public func template(of path: Path) -> String {
        var template = ""
        for (place, step) in path.pattern.split(separator: "/").enumerated() {
            template += "/"
            if let parameter, parameter.place == place {
                template += "{\(parameter.name)}"
            } else {
                template += step == ":id" ? "{id}" : step
            }
        }
        if path.rest != nil { template += "/{path}" }
        return template
    }
}
