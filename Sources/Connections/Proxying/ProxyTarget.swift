import CipherKit
import ClientKit
import HTTPKit
import TimeKit

/// Where a call goes and what it carries, a connection's credentials among it.
struct ProxyTarget: Sendable {
    let url: String
    let host: String
    let headers: [(String, String)]

    /// Puts a call together.
    ///
    /// - Parameters:
    ///   - values: the set-up, and the living `access_token`.
    ///   - payload: what a signature says of the body.
    /// - Throws: `Problem` 403 `host_not_allowed`, 409 `not_connected` where a value is missing, 413 for a body that
    ///   cannot be signed.
    init(
        _ provider: Provider, _ request: ProxyRequest, _ values: [String: String], payload: AWSPayload,
        at now: Timestamp
    ) throws(Problem) {
        guard let proxy = provider.proxy else { throw .notProxied(provider) }
        do {
            let (origin, base) = try Self.place(proxy, request, values, provider)
            let path = base + request.path
            var query = request.query
            if case .query(let name, let value) = proxy.authentication {
                let pair = "\(Percent.encode(name))=\(Percent.encode(try value.filled(from: values)))"
                query += (query.isEmpty ? "" : "&") + pair
            }
            var headers = try Self.headers(proxy, request, values)
            if case .aws = proxy.authentication {
                headers += try AWSRequest(
                    method: request.method.rawValue, host: origin.host, path: path.isEmpty ? "/" : path, query: query,
                    headers: headers, payload: payload
                ).signature(values, at: now)
            }
            url = origin.description + (path.isEmpty ? "/" : path) + (query.isEmpty ? "" : "?\(query)")
            host = origin.host
            self.headers = headers
        } catch let empty as HoledText.Empty {
            throw .missing(empty.hole, provider)
        } catch let problem as Problem {
            throw problem
        } catch {
            throw .hostNotAllowed
        }
    }

    /// The origin that is called, and what every path at it begins with.
    private static func place(
        _ proxy: ProviderProxy, _ request: ProxyRequest, _ values: [String: String], _ provider: Provider
    ) throws -> (origin: Origin, base: String) {
        let prefix = try proxy.authentication.prefix.filled(from: values) { Percent.encodeSegment($0) }
        if let host = request.host {
            guard provider.allows(host: host) else { throw Problem.hostNotAllowed }
            return (try Origin("https://\(host)"), prefix)
        }
        let (origin, own) = try base(proxy, values)
        guard origin.scheme == "https", proxy.base.isChosen || provider.allows(host: origin.host) else {
            throw Problem.hostNotAllowed
        }
        return (origin, own + (try proxy.base.path.filled(from: values) { Percent.encodeSegment($0) }) + prefix)
    }

    /// The origin of the base; where the set-up holds a whole address, the path of that too.
    private static func base(
        _ proxy: ProviderProxy, _ values: [String: String]
    ) throws -> (origin: Origin, path: String) {
        let text = try proxy.base.origin.filled(from: values)
        guard proxy.base.isChosen else {
            let origin = try Origin(text)
            // Exactly what was written: a value must not be able to end the host early.
            guard "https://" + origin.host == text.lowercased() else { throw Problem.hostNotAllowed }
            return (origin, "")
        }
        let url = try OutboundURL(text)
        var path = String(url.text.dropFirst(url.origin.description.utf8.count))
        guard url.text.hasPrefix(url.origin.description), !path.contains("?") else { throw Problem.hostNotAllowed }
        while path.hasSuffix("/") { path.removeLast() }
        return (url.origin, path)
    }

    /// What the caller sends, what the file adds, and what shows the service who calls.
    private static func headers(
        _ proxy: ProviderProxy, _ request: ProxyRequest, _ values: [String: String]
    ) throws -> [(String, String)] {
        let own = try proxy.authentication.header(from: values)
        var headers = ProxyHeaders.sent(request.headers, besides: Set(own.map(\.0)))
        for (name, value) in proxy.headers where !headers.contains(where: { $0.0 == name }) {
            headers.append((name, try value.filled(from: values)))
        }
        return headers + [ProxyHeaders.via] + own
    }
}

extension ProviderProxy.Authentication {
    /// The header that shows the service who calls; none where that stands elsewhere.
    fileprivate func header(from values: [String: String]) throws(HoledText.Empty) -> [(String, String)] {
        switch self {
        case .none, .query, .path, .aws: return []
        case .bearer(let token): return [("authorization", "Bearer " + (try token.filled(from: values)))]
        case .header(let name, let value): return [(name, try value.filled(from: values))]
        case .basic(let user, let password):
            let pair = try user.filled(from: values) + ":" + password.filled(from: values)
            return [("authorization", "Basic " + Base64.encode(pair.utf8))]
        }
    }

    /// What every path begins with.
    var prefix: HoledText {
        if case .path(let prefix) = self { prefix } else { HoledText("") }
    }
}

extension Problem {
    static let hostNotAllowed = Problem(
        403, "host_not_allowed",
        "Destination not allowed: calls go to the hosts that the provider file names, over https.")

    static func notProxied(_ provider: Provider) -> Problem {
        Problem(409, "not_proxied", "\(provider.name) has no interface that calls can be passed on to.")
    }

    /// A value is needed that the connection does not have.
    static func missing(_ field: String, _ provider: Provider) -> Problem {
        let sentence =
            provider.field(field).map { "Enter \($0.label) first." } ?? "Sign in to \(provider.name) first."
        return Problem(409, "not_connected", "This connection is not connected. \(sentence)")
    }
}
