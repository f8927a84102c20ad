import AddressKit
import HTTPKit
import LogKit
import Synchronization

/// The proxies in front of nginx that are believed when they say for whom they ask (`HUB_TRUSTED_PROXIES`).
///
/// nginx is the one that believes them (`set_real_ip_from`): whom it lets through, slows down, writes into its log and names
/// to the hub is then one and the same. The hub tells which lines nginx needs, and notices when they are missing.
struct TrustedProxies: Sendable {
    let networks: [Network]

    /// Reads addresses and networks separated by commas; nil when one is none, or holds every address there is.
    ///
    /// Whoever believes everybody lets each client say who it is.
    init?(listed text: String) {
        let texts = text.split(separator: ",").map { String($0.trimmed) }.filter { !$0.isEmpty }
        networks = texts.compactMap { Network($0) }
        guard networks.count == texts.count, networks.allSatisfy({ $0.prefixLength > 0 }) else { return nil }
    }

    /// What nginx's configuration must say, in one line; nil when nobody stands before it.
    ///
    /// > real_ip_recursive … If recursive search is enabled, the original client address that matches one of the trusted
    /// > addresses is replaced by the last non-trusted address sent in the request header field.     ngx_http_realip_module
    var nginxLines: String? {
        guard !networks.isEmpty else { return nil }
        let lines = networks.map { "set_real_ip_from \($0.shortest);" }
        return (lines + ["real_ip_header X-Forwarded-For;", "real_ip_recursive on;"]).joined(separator: " ")
    }
}

/// Notices that nginx takes a proxy for the client, and says so once in the life of a process.
///
/// Limits would then count all clients of the proxy as one, and keys would be bound to its address.
final class ProxyWatch: Sendable {
    private let proxies: TrustedProxies
    private let log: Log
    private let hasTold = Atomic(false)

    init(_ proxies: TrustedProxies, log: Log) {
        self.proxies = proxies
        self.log = log
    }

    /// Whether a request shows that nginx lacks its lines: its address is a proxy's, although the proxy said whose it is.
    func shows(_ request: Request) -> Bool {
        guard !proxies.networks.isEmpty, request.headers["x-forwarded-for"] != nil,
            let address = IPAddress(request.remoteAddress)
        else { return false }
        return proxies.networks.contains(address)
    }

    /// Looks at a request before it is answered.
    func look(at request: Request) {
        guard !hasTold.load(ordering: .relaxed), shows(request), !hasTold.exchange(true, ordering: .relaxed) else {
            return
        }
        log.warning(
            "nginx takes a trusted proxy for the client",
            ["address": .init(request.remoteAddress), "needed": .init(proxies.nginxLines ?? "")])
    }
}
