import JSONKit
import TimeKit

/// An answer.
public struct Response: Sendable {
    /// What follows the header block.
    public enum Body: Sendable {
        /// Bytes, sent with their count.
        case bytes([UInt8])
        /// Pieces handed over as they are made, for answers too long to hold.
        case stream(@Sendable (_ write: ([UInt8]) throws -> Void) throws -> Void)
        /// Pieces that somebody else is still making. Its length, where it is known, stands among the headers.
        ///
        /// Before the producer waits for more it calls `flush`, which sends what was written so far and tells whether
        /// anybody still reads. When it throws, the reader learns that the answer broke off.
        case relay(@Sendable (_ write: ([UInt8]) throws -> Void, _ flush: () -> Bool) throws -> Void)
    }

    /// The status.
    public var status: Status
    /// The header fields.
    public var headers: Headers
    /// The body.
    public var body: Body

    /// An answer.
    public init(status: Status = 200, headers: Headers = [:], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A page.
    public static func html(_ page: [UInt8], status: Status = 200) -> Response {
        Response(status: status, headers: ["content-type": "text/html; charset=utf-8"], body: .bytes(page))
    }

    /// A JSON value.
    public static func json(_ value: JSON, status: Status = 200) -> Response {
        Response(status: status, headers: ["content-type": "application/json"], body: .bytes(value.bytes))
    }

    /// A short text.
    public static func text(_ text: String, status: Status = 200) -> Response {
        Response(
            status: status, headers: ["content-type": "text/plain; charset=utf-8"], body: .bytes(Array(text.utf8)))
    }

    /// Nothing to say (204).
    public static let noContent = Response(status: 204)

    /// Go there with GET.
    ///
    /// 303 and not 302 or 307, so that a form is never sent on.
    ///
    /// > the AS MUST NOT use HTTP status code 307     RFC 9700 §4.12
    public static func seeOther(_ location: String) -> Response {
        Response(status: 303, headers: ["location": location])
    }

    /// The same answer with one more header.
    public func with(_ name: String, _ value: String) -> Response {
        var copy = self
        copy.headers.add(name, value)
        return copy
    }

    /// The same answer with a cookie.
    public func setting(_ cookie: SetCookie) -> Response {
        with("set-cookie", cookie.header)
    }

    /// The same answer, never to be stored: it holds something that is shown once.
    public func neverStored() -> Response {
        var copy = self
        copy.headers["cache-control"] = "no-store"
        return copy
    }
}
