import TimeKit

/// An answered request of somebody who has proved who they are, as the request log keeps it.
///
/// Neither a credential nor a body is part of it, nor anything of the query.
public struct LoggedRequest: Sendable, Equatable {
    /// Where the request was met.
    public enum Surface: String, Sendable, CaseIterable {
        /// The hub's own interface for scripts.
        case api
        /// A site behind nginx whose requests the hub lets pass.
        case gate
    }

    /// When it was taken up.
    public var at: Timestamp
    /// Whose log it stands in.
    public var organization: Identifier<Organization>
    /// Where it was met.
    public var surface: Surface
    /// What kind of actor asked.
    public var actorKind: Actor.Kind
    /// Who asked: the key, the app or the person.
    public var actorID: [UInt8]?
    /// The connection that it was about; nil for none.
    public var connection: Identifier<Connection>?
    /// The method.
    public var method: String
    /// The address with its parameters in braces: `/api/v1/connections/{id}`.
    public var route: String
    /// The path as it came, without the query.
    public var path: String
    /// The status of the answer.
    public var status: Int
    /// From taking it up to having its answer.
    public var duration: Duration
    /// How many bytes the body of the answer has.
    public var bytes: Int
    /// The client's address.
    public var address: String
    /// What the client calls itself.
    public var userAgent: String
    /// The id that stands in logs and answers.
    public var requestID: String
    /// Why it failed, as the problem's `code` says; empty where nothing says so.
    public var code: String

    /// A request and how it was answered; texts are cut to what the log keeps of them.
    public init(
        at: Timestamp, organization: Identifier<Organization>, surface: Surface, actorKind: Actor.Kind,
        actorID: [UInt8]?, connection: Identifier<Connection>? = nil, method: String, route: String, path: String,
        status: Int, duration: Duration, bytes: Int, address: String, userAgent: String, requestID: String,
        code: String = ""
    ) {
        self.at = at
        self.organization = organization
        self.surface = surface
        self.actorKind = actorKind
        self.actorID = actorID
        self.connection = connection
        self.method = Self.visible(method, Self.longestMethod)
        self.route = Self.kept(route, Self.longestRoute)
        self.path = Self.kept(path, Self.longestPath)
        self.status = status
        self.duration = max(.zero, duration)
        self.bytes = max(0, bytes)
        self.address = Self.visible(address, Self.longestAddress)
        self.userAgent = Self.kept(userAgent, Self.longestUserAgent)
        self.requestID = Self.visible(requestID, Self.longestRequestID)
        self.code = Self.visible(code, Self.longestCode)
    }

    /// The most characters of a method.
    public static let longestMethod = 16
    /// The most characters of a route.
    public static let longestRoute = 160
    /// The most characters of a path.
    public static let longestPath = 500
    /// The most characters of an address, as an IPv6 address has them.
    public static let longestAddress = 45
    /// The most characters of a user agent.
    public static let longestUserAgent = 200
    /// The most characters of a request's id.
    public static let longestRequestID = 64
    /// The most characters of a code.
    public static let longestCode = 64

    /// A text of a field that is ASCII by its nature, whatever a client sent in its place.
    private static func visible(_ text: String, _ limit: Int) -> String {
        if text.utf8.count <= limit, text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) { return text }
        return String(
            decoding: text.utf8.prefix(limit).map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self
        )
    }

    private static func kept(_ text: String, _ limit: Int) -> String {
        // Most texts are short enough in bytes, and then nothing is counted or copied.
        text.utf8.count <= limit ? text : String(text.unicodeScalars.prefix(limit))
    }
}
