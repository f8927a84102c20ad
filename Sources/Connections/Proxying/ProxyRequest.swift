import ClientKit
import HTTPKit

/// A call of somebody else that is to be passed on.
struct ProxyRequest: Sendable {
    let method: OutboundRequest.Method
    /// The path at the service, as it came: empty, or with a slash at its beginning.
    let path: String
    /// The query without its question mark, byte for byte.
    let query: String
    let headers: HTTPKit.Headers
    /// One of the service's other hosts.
    let host: String?

    /// - Throws: `Problem` 400 for a path or a query that no address can hold, or a path that leads upwards.
    init(
        _ method: OutboundRequest.Method, path: String, query: String, headers: HTTPKit.Headers
    ) throws(Problem) {
        guard Self.isPlain(path), Self.isPlain(query), path.isEmpty || path.hasPrefix("/"), !path.contains("?"),
            !Self.climbs(path)
        else { throw Problem(400, "malformed_path", "The path or the query holds what an address cannot hold.") }
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        host = headers[ProxyHeaders.host]?.lowercased()
    }

    /// Whether this only reads, as far as methods tell (RFC 9110 §9.2.1).
    var isSafe: Bool { [.get, .head, .options].contains(method) }

    /// Whether doing it twice is doing it once (RFC 9110 §9.2.2).
    var isIdempotent: Bool { isSafe || [.put, .delete].contains(method) }

    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x23 && $0 != 0x5c }
    }

    /// Whether a step leads upwards: out of the path that the provider file gives.
    private static func climbs(_ path: String) -> Bool {
        guard path.utf8.contains(0x2e) || path.utf8.contains(0x25) else { return false }
        return path.split(separator: "/").contains { step in
            let plain = step.lowercased().replacing("%2e", with: ".")
            return plain == "." || plain == ".."
        }
    }
}
