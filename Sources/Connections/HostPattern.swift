import ClientKit

/// Which hosts an address may have.
///
/// `api.example.com` is that host alone, `*.example.com` every host below it, `hook.*.example.com` those with one label
/// at that place, and `*` alone any host: whether such a one may be called is judged by its address (``AddressPolicy``).
struct HostPattern: Sendable, Equatable, CustomStringConvertible {
    /// As it was written.
    let description: String
    private let labels: [Substring]

    /// Reads a pattern; nil when it is none. Its last two labels are names, so that nobody's pattern takes all of a domain
    /// such as `com`.
    init?(_ text: String) {
        description = text
        labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text != "*" else { return }
        guard text.utf8.count <= 253, labels.count >= 2, labels.suffix(2).allSatisfy(Self.isName),
            labels.allSatisfy({ $0 == "*" || Self.isName($0) })
        else { return nil }
    }

    /// Whether a host, in lower case, is one of these.
    func matches(_ host: String) -> Bool {
        guard description != "*" else { return true }
        var wanted = labels
        var found = host.split(separator: ".", omittingEmptySubsequences: false)
        if wanted[0] == "*" {
            guard found.count >= wanted.count else { return false }
            wanted.removeFirst()
            found.removeFirst(found.count - wanted.count)
        }
        return wanted.count == found.count && zip(wanted, found).allSatisfy { $0 == "*" ? !$1.isEmpty : $0 == $1 }
    }

    private static func isName(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count)
            && label.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
    }

    /// Why a value is no address at one of these hosts; nil when it is.
    static func objection(to value: String, _ hosts: [HostPattern]) -> String? {
        guard value.hasPrefix("https://"), let url = try? OutboundURL(value) else {
            return "This must be an address that begins with https://."
        }
        guard hosts.contains(where: { $0.matches(url.origin.host) }) else {
            return "This must be an address at \(hosts.map(\.description).joined(separator: " or "))."
        }
        // A service's own hosts are reached where it serves them; on another port somebody else may listen.
        guard url.origin.port == 443 || hosts.contains(where: { $0.description == "*" }) else {
            return "This must be an address without a port."
        }
        return nil
    }
}

extension Provider {
    /// Whether a call over HTTPS to a host may carry the credentials of a set-up.
    ///
    /// - Parameter host: in lower case, as ``Origin`` gives it.
    func allows(_ host: String, _ values: [String: String]) -> Bool {
        hosts.contains { written in
            guard let hole = Holes.names(in: written).first else {
                return HostPattern(written)?.matches(host) ?? false
            }
            guard let value = values[hole] else { return false }
            guard written == "{\(hole)}" else {
                return written.replacing("{\(hole)}", with: value.lowercased()) == host
            }
            return (try? OutboundURL(value))?.origin.host == host
        }
    }
}
