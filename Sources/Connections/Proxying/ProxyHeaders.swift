import ClientKit
import HTTPKit

/// Which header fields pass through the hub, in either direction.
///
/// What belongs to one hop stays there (RFC 9110 §7.6.1), what proves who somebody is stays with whom it was meant for, and
/// what a browser obeys comes from the hub alone: a provider's answer stands under this site's origin.
enum ProxyHeaders {
    /// The header that says which of the service's other hosts is meant.
    static let host = "x-hub-proxy-host"

    /// A mark on what was passed on (RFC 9110 §7.6.3).
    static let via = ("via", "1.1 hub")

    /// What is sent on of a caller's request.
    ///
    /// - Parameter own: names of what the hub sets itself, in lower case.
    static func sent(_ headers: HTTPKit.Headers, besides own: Set<String>) -> [(String, String)] {
        let dropped = own.union(connectionOptions(headers.all("connection")))
        var sent: [(String, String)] = []
        var hasType = false
        headers.forEach { name, value in
            guard !dropped.contains(name), !belongsToHop(name), !isCallersOwn(name) else { return }
            // nginx hands the type over twice: as a parameter of its own, and among the headers.
            if name == "content-type" {
                if hasType { return }
                hasType = true
            }
            sent.append((name, value))
        }
        return sent
    }

    /// What is handed back of a provider's answer.
    static func returned(_ headers: OutboundResponse.Headers) -> HTTPKit.Headers {
        let dropped = Set(connectionOptions(headers.all("connection")))
        var returned = HTTPKit.Headers()
        for (name, value) in headers {
            let name = name.lowercased()
            guard isName(name), !dropped.contains(name), name == "content-length" || !belongsToHop(name),
                !isProvidersOwn(name)
            else { continue }
            if name == "content-length", returned[name] != nil { continue }
            returned.add(name, value)
        }
        returned.add(via.0, via.1)
        // Whoever may call this connection may read it; a cache on the way knows nothing of that.
        returned.add("cache-control", "no-store")
        return returned
    }

    /// What one hop says to the next, and what frames a message.
    static func belongsToHop(_ name: String) -> Bool { hop.contains(name) || name.hasPrefix("proxy-") }

    private static let hop: Set<String> = [
        "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings", "host", "expect",
        "content-length", "via", "max-forwards", "alt-used", "early-data",
    ]

    /// What was meant for the hub, or tells the provider of the caller what is none of its business.
    private static func isCallersOwn(_ name: String) -> Bool {
        toHub.contains(name) || toHubBeginnings.contains { name.hasPrefix($0) }
    }

    private static let toHub: Set<String> = [
        "authorization", "cookie", "cookie2", "x-api-key", "x-org-id", "x-csrf-token", "forwarded", "x-real-ip",
        "x-request-id", "true-client-ip", "x-client-ip", "x-cluster-client-ip", "client-ip", "origin", "referer",
        // With these a right to read would become one to write.
        "x-http-method-override", "x-http-method", "x-method-override",
    ]
    private static let toHubBeginnings = [
        "x-forwarded-", "x-hub-", "x-accel-", "x-original-", "x-rewrite-", "sec-", "cf-", "access-control-",
    ]

    /// What was meant for the provider's own browser session, for its own gateway, or would be obeyed under our origin.
    private static func isProvidersOwn(_ name: String) -> Bool {
        ofProvider.contains(name) || ofProviderBeginnings.contains { name.hasPrefix($0) }
    }

    private static let ofProvider: Set<String> = [
        // Credentials.
        "set-cookie", "set-cookie2", "authorization", "www-authenticate", "authentication-info", "x-api-key",
        // What nginx and FastCGI take as instructions: `Status` is the status line of a CGI answer (RFC 3875 §6.3.3).
        "status", "x-sendfile", "server", "date", "x-powered-by",
        // What browsers obey.
        "strict-transport-security", "x-frame-options", "x-content-type-options", "x-xss-protection", "referrer-policy",
        "permissions-policy", "feature-policy", "clear-site-data", "service-worker-allowed", "origin-agent-cluster",
        "timing-allow-origin", "alt-svc", "expect-ct", "public-key-pins", "nel", "report-to", "reporting-endpoints",
        "refresh", "sourcemap", "x-sourcemap", "speculation-rules", "document-policy", "x-dns-prefetch-control",
        "supports-loading-mode", "accept-ch", "critical-ch", "set-login", "activate-storage-access", "p3p",
        "x-ua-compatible", "x-permitted-cross-domain-policies", "x-download-options", "observe-browsing-topics",
        "use-as-dictionary", "available-dictionary", "no-vary-search", "integrity-policy",
        // What caches obey, and the hub's own marks.
        "cache-control", "expires", "pragma", "age", "surrogate-control", "cdn-cache-control", "x-request-id",
    ]
    private static let ofProviderBeginnings = [
        "access-control-", "content-security-policy", "cross-origin-", "x-accel-", "x-hub-",
        "x-content-security-policy",
        "x-webkit-csp", "sec-", "integrity-policy",
    ]

    /// The names that `Connection` lists.
    private static func connectionOptions(_ values: [String]) -> [String] {
        values.flatMap { $0.split(separator: ",") }.map { String($0.filter { $0 != " " && $0 != "\t" }).lowercased() }
    }

    /// A name that nginx takes from a responder; with any other it would refuse the whole answer.
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x61...0x7a, 0x2d, 0x5f: true
                default: false
                }
            }
    }
}
