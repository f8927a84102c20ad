import HTTPKit

/// Which sites' scripts may call the JSON interface from a browser (Fetch Standard §3.2): none unless a setting lists them.
///
/// Cookies are never let through, so such a script can only use a key of its own.
struct CrossOrigin: Sendable {
    private let origins: Set<String>

    /// Origins separated by commas, each a scheme, a host and perhaps a port; nil when one is none. `*` is none.
    init?(listed text: String) {
        let origins = text.split(separator: ",").map { String($0).filter { $0 != " " } }
        guard origins.allSatisfy({ $0.wholeMatch(of: /https?:\/\/[a-z0-9.-]+(:[0-9]{1,5})?/) != nil }) else {
            return nil
        }
        self.origins = Set(origins)
    }

    /// The origin of a request, if its scripts may read the answer.
    private func allowed(_ request: Request) -> String? {
        guard !origins.isEmpty, let origin = request.headers["origin"], origins.contains(origin) else { return nil }
        return origin
    }

    /// The answer to a browser that asks whether it may send a request; nil for any other request.
    func preflight(_ request: Request, _ methods: @autoclosure () -> [Method]) -> Response? {
        guard request.method == .options, request.headers["access-control-request-method"] != nil,
            allowed(request) != nil
        else { return nil }
        return Response(
            status: 204,
            headers: [
                "access-control-allow-methods": methods().map(\.name).sorted().joined(separator: ", "),
                "access-control-allow-headers":
                    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-API-Key, X-Org-ID",
                "access-control-max-age": "600",
            ])
    }

    /// Says on an answer who may read it. A cache must know that it depends on who asks.
    func mark(_ response: inout Response, _ request: Request) {
        guard !origins.isEmpty else { return }
        response.headers.add("vary", "Origin")
        guard let origin = allowed(request) else { return }
        response.headers["access-control-allow-origin"] = origin
        response.headers["access-control-expose-headers"] =
            "ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"
    }
}
