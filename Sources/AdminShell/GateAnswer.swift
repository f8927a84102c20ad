import HTTPKit
import LimitKit
import TimeKit

/// The answers that nginx takes from the gate (`auth_request`), each a whole header block.
///
/// nginx lets the request through upon 2xx, refuses it with 401 or 403 upon these, and answers 500 upon anything else. So
/// what is to be told as another status comes as 403 with `X-Hub-Status`, which `nginx/gate.conf` turns back into it.
///
/// > If the subrequest returns a 2xx response code, the access is allowed. If it returns 401 or 403, the access is denied
/// > with the corresponding error code. Any other response code returned by the subrequest is considered an error.
/// >     ngx_http_auth_request_module
public enum GateAnswer {
    /// Nothing was sent to be let in with.
    public static let unauthorized = block(
        "401 Unauthorized", code: "unauthorized", "WWW-Authenticate: Bearer realm=\"hub\"")
    /// There are several credentials.
    public static let ambiguous = block("403 Forbidden", code: "ambiguous_credential", "X-Hub-Status: 400")
    /// It cannot be told who asks while the database is away.
    public static let unavailable = block(
        "403 Forbidden", code: "gate_unavailable", "X-Hub-Status: 503", "Retry-After: 2")
    /// The site asks for what is no right: nginx makes 500 of it.
    public static let misconfigured = block("500 Internal Server Error", code: "misconfigured")

    private static let opened = Array("Status: 204 No Content\r\nX-Hub-Code: valid\r\n".utf8)

    /// Let in, and as whom: lines by which the site learns it, each with its line break.
    public static func admitted(_ lines: [UInt8], _ tally: GateTally, _ limits: LimitVerdict) -> [UInt8] {
        var block: [UInt8] = []
        block.reserveCapacity(opened.count + lines.count + 256)
        block.append(contentsOf: opened)
        block.append(contentsOf: lines)
        append(tally, limits, to: &block)
        return block
    }

    /// Refused, for a reason that is a code of the gate's log.
    ///
    /// Whose credential it was stands under other names than when it is let in: with `satisfy any` a site may let the
    /// request in for another reason, and must not take it for theirs.
    ///
    /// - Parameters:
    ///   - isUnknown: whether the credential opens nothing at all, wherever it is tried.
    ///   - bearer: lines that name a bearer who is known, each with its line break.
    public static func refused(_ code: String, isUnknown: Bool, by bearer: String = "") -> [UInt8] {
        isUnknown
            ? block(
                "401 Unauthorized", code: code, by: bearer,
                "WWW-Authenticate: Bearer realm=\"hub\", error=\"invalid_token\"")
            : block("403 Forbidden", code: code, by: bearer)
    }

    /// Used too often.
    public static func limited(by bearer: String, _ tally: GateTally, _ limits: LimitVerdict) -> [UInt8] {
        var block = block(
            "403 Forbidden", code: "rate_limited", by: bearer, "X-Hub-Status: 429",
            "Retry-After: \(LimitFields.retryAfter(limits) ?? 1)",
            // Between the brackets of a JSON array of nginx's making.
            "X-Hub-Violated: \(limits.violated.map { "\"\($0.name)\"" }.joined(separator: ","))")
        block.removeLast(2)
        append(tally, limits, to: &block)
        return block
    }

    /// An address has guessed too often.
    public static func guessing(by bearer: String = "", retryAfter seconds: Int) -> [UInt8] {
        block("403 Forbidden", code: "rate_limited", by: bearer, "X-Hub-Status: 429", "Retry-After: \(seconds)")
    }

    private static func append(_ tally: GateTally, _ limits: LimitVerdict, to block: inout [UInt8]) {
        block.append(contentsOf: tally.policyLine)
        block.append(contentsOf: limitName)
        // As ``LimitFields/limit(_:)`` writes it, which takes a third of the whole answer's time.
        for (index, standing) in limits.standings.enumerated() {
            if index > 0 { block.append(UInt8(ascii: ",")) }
            block.append(contentsOf: tally.names[index])
            append(standing.remaining, to: &block)
            block.append(contentsOf: resetName)
            append(Int((standing.resetsIn.microseconds + 999_999) / 1_000_000), to: &block)
        }
        block.append(contentsOf: ending)
    }

    private static let limitName = Array("RateLimit: ".utf8)
    private static let resetName = Array(";t=".utf8)
    private static let ending = Array("\r\n\r\n".utf8)

    /// A number of the decimal digits that structured fields allow at most (RFC 9651 §3.3.1).
    private static func append(_ number: Int, to block: inout [UInt8]) {
        var rest = min(max(0, number), 999_999_999_999_999)
        let first = block.count
        repeat {
            block.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        block[first...].reverse()
    }

    private static func block(_ status: String, code: String, by bearer: String = "", _ lines: String...) -> [UInt8] {
        var text = "Status: \(status)\r\nX-Hub-Code: \(code)\r\n\(bearer)"
        for line in lines { text += "\(line)\r\n" }
        return Array("\(text)\r\n".utf8)
    }
}

/// The limits of a bearer as header fields begin with them, made ready once.
public struct GateTally: Sendable {
    /// The whole line of `RateLimit-Policy`.
    let policyLine: [UInt8]
    /// What stands before the number that is left of each limit, as `"minute";r=`.
    let names: [[UInt8]]

    /// The limits that a bearer counts against.
    public init(_ quotas: [Quota]) {
        policyLine = Array("RateLimit-Policy: \(LimitFields.policy(quotas) ?? "")\r\n".utf8)
        names = quotas.map { Array("\"\($0.name)\";r=".utf8) }
    }
}
