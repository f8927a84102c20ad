import AdminShell
import ClientKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import Synchronization
import TimeKit

/// How much may be passed on, and for how long.
public struct ProxyLimits: Sendable {
    /// Bytes of an answer.
    public var answerBytes = 1_073_741_824
    /// How long neither side may send anything.
    public var idle = Duration.seconds(30)
    /// How long a call may take, both bodies included.
    public var deadline = Duration.minutes(60)
    /// How long a caller waits for a service that asks to be left in peace.
    public var patience = Duration.seconds(20)
    /// How many calls may be passed on at once.
    ///
    /// Each occupies a lane for as long as the slower of its two sides takes, so it is fewer than there are lanes: the rest
    /// of the hub goes on however slow a provider or a browser is.
    public var atOnce = 16

    /// The defaults.
    public init() {}
}

/// Places for calls that are passed on.
final class ProxyPlaces: Sendable {
    private let taken = Atomic<Int>(0)

    /// A place, given back when the last who holds it lets it go.
    final class Place: Sendable {
        private let places: ProxyPlaces
        fileprivate init(_ places: ProxyPlaces) { self.places = places }
        deinit { places.taken.subtract(1, ordering: .relaxed) }
    }

    /// - Throws: `Problem` 503 when all are taken.
    func take(of count: Int) throws(Problem) -> Place {
        guard taken.add(1, ordering: .relaxed).newValue <= count else {
            taken.subtract(1, ordering: .relaxed)
            throw Problem(
                503, "busy", "Many calls are being passed on just now. Try again in a second.",
                headers: ["retry-after": "1"])
        }
        return Place(self)
    }
}

/// Passing calls on to a service with a connection's credentials (seed 0: `authenticated_request`).
extension Connections {
    /// Below which address requests are passed on; the mount prefix is left out.
    public static let passThrough = PassThrough("/api/v1/connections/*/proxy")

    func proxy(_ name: ConnectionName, _ call: Call) throws -> Response {
        let request = call.request
        let scope = try call.scope()
        guard let method = OutboundRequest.Method(rawValue: request.method.name) else { throw Problem.notFound }
        let place = try proxyPlaces.take(of: proxyLimits.atOnce)
        let view = try find(name, scope)
        if view.provider?.proxy?.isGetUnsafe == true { try call.require(.write(.connections)) }
        let passed = try ProxyRequest(
            method, path: request.path.rest ?? "", query: request.rawQuery, headers: request.headers)
        var relay = Relay(room: self, view: view, scope: scope, request: passed, log: call.log)
        let stream = try relay.open(
            request.incoming.map { incoming throws(Problem) in try ProxyBody(incoming) } ?? ProxyBody(request.body)
        ) {
            request.incoming?.isAbandoned != true
        }
        return relay.response(stream, holding: place)
    }

    /// An answer that is passed on outside of a request.
    public struct PassedAnswer: Sendable {
        /// The status.
        public let status: Int
        /// The header fields that are handed back.
        public let headers: HTTPKit.Headers
        /// Hands on the body, once.
        public let forEachPiece: @Sendable (_ take: ([UInt8]) throws -> Void) throws -> Void
    }

    /// Calls a service with a connection's credentials, for the command line.
    ///
    /// - Parameters:
    ///   - connection: its id, `provider:name`, or `provider` alone for its `default`.
    ///   - target: the path at the service and perhaps a query.
    ///   - body: what is sent; nil for nothing.
    /// - Throws: `Problem` when the call cannot be made or gets no answer.
    public func request(
        _ connection: String, _ method: HTTPKit.Method, _ target: String, headers: HTTPKit.Headers = [:],
        body: IncomingBody? = nil, by scope: OrganizationScope, log: Log
    ) throws -> PassedAnswer {
        guard let method = OutboundRequest.Method(rawValue: method.name) else { throw Problem.notFound }
        let cut = target.firstIndex(of: "?")
        let passed = try ProxyRequest(
            method, path: String(target[..<(cut ?? target.endIndex)]),
            query: cut.map { String(target[target.index(after: $0)...]) } ?? "", headers: headers)
        let view = try find(ConnectionName(connection), scope)
        var relay = Relay(room: self, view: view, scope: scope, request: passed, log: log)
        let stream = try relay.open(body.map { body throws(Problem) in try ProxyBody(body) } ?? ProxyBody([])) { true }
        relay.record(status: stream.status)
        return PassedAnswer(status: stream.status, headers: relay.headers(of: stream)) { take in
            try stream.forEachPiece(take)
        }
    }
}
