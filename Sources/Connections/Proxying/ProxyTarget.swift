import CipherKit
import ClientKit
import HTTPKit
import TimeKit

/// Where a call goes and what it carries, a connection's credentials among it.
struct ProxyTarget: Sendable {
    let url: String
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
            let identity = try Identity(proxy, provider, values)
            let place = try Place(proxy, request, values, provider)
            let path = place.path + identity.prefix + request.path
            let query = [place.query, request.query, identity.query].filter { !$0.isEmpty }.joined(separator: "&")
            var headers = ProxyHeaders.sent(request.headers, besides: Set(identity.headers.map(\.0)))
            for (name, value) in proxy.headers where !headers.contains(where: { $0.0 == name }) {
                headers.append((name, try value.filled(from: values)))
            }
            headers += [ProxyHeaders.via] + identity.headers
            if identity.isSigned {
                headers += try AWSRequest(
                    method: request.method.rawValue, host: place.origin.host, path: path.isEmpty ? "/" : path,
                    query: query, headers: headers, payload: payload
                ).signature(values, at: now)
            }
            url = place.origin.description + (path.isEmpty ? "/" : path) + (query.isEmpty ? "" : "?\(query)")
            self.headers = headers
        } catch let empty as HoledText.Empty {
            throw .missing(empty.hole, provider)
        } catch let problem as Problem {
            throw problem
        } catch {
            throw .hostNotAllowed
        }
    }

    /// The origin that is called, and what every address at it begins with.
    private struct Place {
        let origin: Origin
        var path = ""
        var query = ""

        init(
            _ proxy: ProviderProxy, _ request: ProxyRequest, _ values: [String: String], _ provider: Provider
        ) throws {
            if let host = request.host {
                origin = try Origin("https://\(host)")
                // Neither a port nor anything else that is read another way than it was written.
                guard origin.host == host, provider.allows(host, values) else { throw Problem.hostNotAllowed }
                return
            }
            let url = try proxy.fixedBase ?? Self.chosen(proxy, values, provider)
            origin = url.origin
            guard !proxy.isOriginOnly else { return }
            let rest = url.text.dropFirst("https://".count).drop { $0 != "/" && $0 != "?" }
            let cut = rest.firstIndex(of: "?") ?? rest.endIndex
            path = String(rest[..<cut])
            query = String(rest[cut...].dropFirst())
            while path.hasSuffix("/") { path.removeLast() }
        }

        /// A base with its holes filled; one without was checked when its file was read.
        private static func chosen(
            _ proxy: ProviderProxy, _ values: [String: String], _ provider: Provider
        ) throws -> OutboundURL {
            // Throws for the hole that is empty; the address itself is filled by the rules for addresses.
            _ = try proxy.base.filled(from: values)
            let url = try OutboundURL(Holes.address(proxy.base.text, values))
            guard url.origin.scheme == "https", provider.allows(url.origin.host, values) else {
                throw Problem.hostNotAllowed
            }
            return url
        }
    }

    /// What shows the service who calls, wherever it wants to see that.
    private struct Identity {
        var headers: [(String, String)] = []
        var prefix = ""
        var query = ""
        var isSigned = false

        /// The first way whose values are there.
        init(_ proxy: ProviderProxy, _ provider: Provider, _ values: [String: String]) throws(HoledText.Empty) {
            var missing: HoledText.Empty?
            for way in proxy.authentications {
                do throws(HoledText.Empty) {
                    self = try Identity(way, provider, values)
                    return
                } catch {
                    missing = missing ?? error
                }
            }
            throw missing ?? HoledText.Empty(hole: "")
        }

        private init(
            _ way: ProviderProxy.Authentication, _ provider: Provider, _ values: [String: String]
        ) throws(HoledText.Empty) {
            switch way {
            case .none: break
            case .aws: isSigned = true
            case .bearer(let token):
                let scheme = token.text == "{access_token}" ? provider.oauth?.scheme(values) ?? "Bearer" : "Bearer"
                headers = [("authorization", "\(scheme) " + (try token.filled(from: values)))]
            case .header(let name, let value):
                let value = try value.filled(from: values)
                headers = [(try name.filled(from: values).lowercased(), String(value.drop { $0 == " " }))]
            case .basic(let user, let password):
                let pair = try user.filled(from: values) + ":" + password.filled(from: values)
                headers = [("authorization", "Basic " + Base64.encode(pair.utf8))]
            case .query(let name, let value):
                query = "\(Percent.encode(name))=\(Percent.encode(try value.filled(from: values)))"
            case .path(let text):
                prefix = try text.filled(from: values) { Percent.encodeSegment($0) }
            }
        }
    }
}

extension ProviderProxy {
    /// Where calls go, as the audit log may show it: holes in place of values.
    var shownPrefix: String {
        for case .path(let prefix) in authentications { return prefix.text }
        return ""
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
