import ClientKit
import JSONKit

/// The member `proxy` of a provider file: where calls are passed on to, and how the service is shown who calls.
extension ProviderFile {
    /// - Parameters:
    ///   - hosts: the hosts that the file names; that of the base must be one of them.
    ///   - tokens: what holes may be besides fields of the set-up.
    func proxy(
        _ top: Object, fields: [ProviderField], hosts: [String], tokens: [String]
    ) throws(ProviderFileError) -> ProviderProxy? {
        guard let value = top.members["proxy"] else { return nil }
        let proxy = try object(
            "/proxy", value, ["base", "origin_only", "headers", "auth", "retry_after", "get_is_unsafe"])
        let base = try base(proxy, fields, hosts)
        return ProviderProxy(
            base: base, fixedBase: base.names.isEmpty ? try? OutboundURL(base.text) : nil,
            isOriginOnly: try truth(proxy, "origin_only", else: false),
            headers: try headers(proxy, fields, tokens), authentications: try authentications(proxy, fields, tokens),
            retryAfter: try optionalTexts(proxy, "retry_after") ?? ["Retry-After"],
            isGetUnsafe: try truth(proxy, "get_is_unsafe", else: false))
    }

    private func base(
        _ proxy: Object, _ fields: [ProviderField], _ hosts: [String]
    ) throws(ProviderFileError) -> HoledText {
        let text = try address(proxy, "base", fields)
        guard !text.contains(where: { "?#".contains($0) }), !text.hasSuffix("/") else {
            throw wrong(proxy, "base", "base has no query and no slash at its end.")
        }
        let isNamed = Self.host(of: text).map { host in
            let filled = host.contains("{") ? host.replacing(/\{.*\}/, with: "x") : host
            return hosts.contains { $0 == host || HostPattern($0)?.matches(filled) == true }
        }
        guard isNamed == true else { throw wrong(proxy, "base", "the host of base must stand among hosts.") }
        return HoledText(text)
    }

    private func headers(
        _ proxy: Object, _ fields: [ProviderField], _ tokens: [String]
    ) throws(ProviderFileError) -> [(name: String, value: HoledText)] {
        guard let value = proxy.members["headers"] else { return [] }
        let names = Set((value.members ?? []).map(\.name))
        let headers = try object("/proxy/headers", value, names)
        return try names.sorted().map { (name) throws(ProviderFileError) in
            guard Self.isHeaderName(name) else { throw wrong(headers, name, "\(name) is no name of a header.") }
            return (name.lowercased(), try holed(headers, name, fields, tokens))
        }
    }

    /// One way, or a list of them.
    private func authentications(
        _ proxy: Object, _ fields: [ProviderField], _ tokens: [String]
    ) throws(ProviderFileError) -> [ProviderProxy.Authentication] {
        guard let list = proxy.members["auth"]?.elements else {
            return [try authentication("/proxy/auth", proxy.members["auth"], fields, tokens)]
        }
        guard !list.isEmpty else { throw wrong(proxy, "auth", "auth holds at least one way.") }
        return try list.enumerated().map { (index, value) throws(ProviderFileError) in
            try authentication("/proxy/auth/\(index)", value, fields, tokens)
        }
    }

    private func authentication(
        _ pointer: String, _ value: JSON?, _ fields: [ProviderField], _ tokens: [String]
    ) throws(ProviderFileError) -> ProviderProxy.Authentication {
        func members(_ names: Set<String>) throws(ProviderFileError) -> Object {
            try object(pointer, value, names.union(["kind"]))
        }
        let any = try members(["token", "name", "value", "user", "password", "prefix"])
        switch try text(any, "kind") {
        case "none":
            _ = try members([])
            return .none
        case "bearer": return .bearer(try holed(members(["token"]), "token", fields, tokens))
        case "header":
            let auth = try members(["name", "value"])
            let name = try holed(auth, "name", fields, [])
            guard name.text.hasPrefix("{") || Self.isHeaderName(name.text) else {
                throw wrong(auth, "name", "name is no name of a header.")
            }
            return .header(name: name, value: try holed(auth, "value", fields, tokens))
        case "basic":
            let auth = try members(["user", "password"])
            // Some services take a key as the user's name, and no password.
            let isUserAlone = auth.members["password"] == nil
            return .basic(
                user: try holed(auth, "user", fields, tokens),
                password: isUserAlone ? HoledText("") : try holed(auth, "password", fields, tokens))
        case "query":
            let auth = try members(["name", "value"])
            return .query(name: try text(auth, "name"), value: try holed(auth, "value", fields, tokens))
        case "path":
            let auth = try members(["prefix"])
            let prefix = try holed(auth, "prefix", fields, tokens)
            guard prefix.text.hasPrefix("/"), !prefix.text.hasSuffix("/") else {
                throw wrong(auth, "prefix", "prefix begins with a slash and ends without one.")
            }
            return .path(prefix)
        case "aws":
            let auth = try members([])
            for name in ["access_key_id", "secret_access_key"] where !fields.contains(where: { $0.name == name }) {
                throw wrong(auth, "kind", "this kind needs a field \(name).")
            }
            return .aws
        default:
            throw wrong(any, "kind", "kind is none, bearer, header, basic, query, path or aws.")
        }
    }

    /// A text whose holes are filled for each call; what is no secret and need not be given may stay empty.
    private func holed(
        _ object: Object, _ member: String, _ fields: [ProviderField], _ tokens: [String]
    ) throws(ProviderFileError) -> HoledText {
        let text = try text(object, member)
        try checkHoles(of: text, fields, object, member, besides: tokens)
        return HoledText(text, optional: Set(fields.filter { !$0.isRequired && $0.kind != .secret }.map(\.name)))
    }

    private static func isHeaderName(_ name: String) -> Bool {
        Spelling.isHeaderName(name) && !ProxyHeaders.belongsToHop(name.lowercased())
    }
}
