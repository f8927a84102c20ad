import ClientKit
import JSONKit

/// The addresses and hosts of a provider file.
extension ProviderFile {
    /// An address over HTTPS. What fills its holes must not be able to lead it elsewhere: a hole may be a label of its host,
    /// below a domain of the service, or stand at its beginning for a whole address that its field has judged.
    ///
    /// - Parameter tokens: what its holes may be besides fields of the set-up.
    func address(
        _ object: Object, _ member: String, _ fields: [ProviderField], tokens: [String] = []
    ) throws(ProviderFileError) -> String {
        let url = try text(object, member)
        try checkHoles(of: url, fields, object, member, besides: tokens)
        guard !url.hasPrefix("{") else {
            try checkBase(of: url, fields, object, member)
            return url
        }
        guard url.hasPrefix("https://") else {
            throw wrong(object, member, "\(member) must be an address that begins with https://.")
        }
        let host = url.dropFirst(8).prefix(while: { !"/?#".contains($0) })
        for hole in Holes.names(in: String(host)) { try checkHost(hole, in: host, fields, object, member) }
        guard let filled = try? OutboundURL(Holes.fill(url) { _ in "x" }) else {
            throw wrong(object, member, "\(member) is no address that can be called.")
        }
        try checkPublic(filled.origin, object, member)
        return url
    }

    /// A hole that stands for the beginning of an address: its field has `hosts`, and nothing after the path.
    private func checkBase(
        of url: String, _ fields: [ProviderField], _ object: Object, _ member: String
    ) throws(ProviderFileError) {
        guard let name = Holes.names(in: url).first, url.hasPrefix("{\(name)}"),
            let field = fields.first(where: { $0.name == name }), !field.hosts.isEmpty
        else {
            throw wrong(object, member, "a hole at the beginning must be a field with hosts, which holds an address.")
        }
        let rest = url.dropFirst(name.utf8.count + 2)
        guard rest.isEmpty || rest.hasPrefix("/") else {
            throw wrong(object, member, "what follows the hole {\(name)} must begin with /.")
        }
        let isCut = ["https://a.example/b?c", "https://a.example/b#c"].allSatisfy { field.objection(to: $0) != nil }
        guard rest.isEmpty || isCut else {
            throw wrong(
                object, member,
                "the field \(name) needs a pattern without ? and #, such as https://[^\\s?#]+, to go on after it."
            )
        }
    }

    /// Whoever fills the hole must not be able to name a host of their own: a dot before the rest, and no dot inside.
    private func checkHost(
        _ hole: String, in host: Substring, _ fields: [ProviderField], _ object: Object, _ member: String
    ) throws(ProviderFileError) {
        let isLabel = host.hasPrefix("{\(hole)}.") && host.dropFirst(hole.count + 3).contains(".")
        let pattern = fields.first { $0.name == hole }?.pattern
        let isFixed = ["x.y", "x/y", "x?y", "x#y", "x@y", "x:1", "x\\y", "x%2e", "X y"].allSatisfy {
            pattern?.matches($0) == false
        }
        guard isLabel, isFixed, Holes.names(in: String(host)).count == 1 else {
            throw wrong(
                object, member,
                "a hole in a host must be its first label, and its field must have a pattern without dots.")
        }
    }

    /// An organization's own file leads to the public internet; what a name leads to is judged again at each call.
    private func checkPublic(_ origin: Origin, _ object: Object, _ member: String) throws(ProviderFileError) {
        guard audience == .organization else { return }
        let labels = origin.host.split(separator: ".", omittingEmptySubsequences: false)
        let inner: Set<Substring> = [
            "local", "localhost", "internal", "intranet", "lan", "home", "corp", "arpa", "onion",
        ]
        guard labels.count >= 2, let last = labels.last, !inner.contains(last), last.contains(where: \.isLetter),
            !origin.host.contains(":"), origin.port == 443
        else { throw wrong(object, member, "\(member) must be at a public host by its name, without a port.") }
    }

    // MARK: Hosts

    /// The hosts that are named, and those that the hub's own calls go to.
    func hosts(
        _ top: Object, _ tests: [ProviderTest], besides urls: [String], _ fields: [ProviderField]
    ) throws(ProviderFileError) -> [String] {
        let named = try optionalTexts(top, "hosts") ?? []
        for (index, host) in named.enumerated() { try checkNamed(host, "hosts/\(index)", top, fields) }
        let called = tests.compactMap { test -> String? in
            guard case .http(let call) = test.call else { return nil }
            return Self.host(of: call.url)
        }
        var hosts: [String] = []
        for host in called + named where !hosts.contains(host) { hosts.append(host) }
        for host in urls.compactMap(Self.host) where !hosts.contains(where: { Self.covers($0, host) }) {
            hosts.append(host)
        }
        return hosts
    }

    private func checkNamed(
        _ host: String, _ member: String, _ top: Object, _ fields: [ProviderField]
    ) throws(ProviderFileError) {
        guard let hole = Holes.names(in: host).first else {
            guard HostPattern(host) != nil, host != "*" else {
                throw wrong(top, member, "a host is a name in lower case such as api.example.com, or *.example.com.")
            }
            if let origin = try? OutboundURL("https://" + host.replacing("*", with: "x")).origin {
                try checkPublic(origin, top, member)
            }
            return
        }
        try checkHoles(of: host, fields, top, member)
        guard host == "{\(hole)}" else { return try checkHost(hole, in: host[...], fields, top, member) }
        try checkBase(of: host, fields, top, member)
    }

    private static func covers(_ named: String, _ host: String) -> Bool {
        named == host || (!host.contains("{") && HostPattern(named)?.matches(host) == true)
    }

    /// The host of an address with holes, as `hosts` names it: `{base_url}` for one that begins with a hole.
    static func host(of url: String) -> String? {
        if url.hasPrefix("{") { return Holes.names(in: url).first.map { "{\($0)}" } }
        let host = url.dropFirst(8).prefix(while: { !"/?#".contains($0) })
        return host.contains("{") ? String(host) : (try? OutboundURL(Holes.fill(url) { _ in "x" }))?.origin.host
    }
}
