import HTTPKit

/// Where the hub stands, as browsers see it.
public struct Site: Sendable {
    /// Scheme, host and port: `https://site.example`.
    public let origin: String
    /// The prefix below which the hub is mounted: empty, or `/hub`.
    public let mount: String
    /// Whether browsers reach it over TLS.
    public let isSecure: Bool
    /// The name shown to people who are not signed in.
    public let name: String
    /// The file names of stylesheet, script and icon, each with a digest of its content.
    public let assets: Assets

    /// The files that pages refer to.
    public struct Assets: Sendable {
        /// The stylesheet.
        public let css: String
        /// The script.
        public let script: String
        /// The icon.
        public let icon: String

        /// File names below `assets/`.
        public init(css: String, script: String, icon: String) {
            self.css = css
            self.script = script
            self.icon = icon
        }
    }

    /// A site at a public URL, which is an origin with or without a path; nil when it is neither http nor https, or has
    /// a query, fragment or user.
    public init?(publicURL: String, name: String, assets: Assets) {
        guard let separator = publicURL.firstRange(of: "://") else { return nil }
        let scheme = publicURL[..<separator.lowerBound]
        let rest = publicURL[separator.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        var mount = String(rest.dropFirst(authority.count))
        while mount.hasSuffix("/") { mount.removeLast() }
        guard scheme == "http" || scheme == "https", !authority.isEmpty,
            !rest.contains(where: { "?#@\\ ".contains($0) }), mount.isEmpty || Path(mount) != nil
        else { return nil }
        // As browsers write it: the scheme's own port is never said (RFC 6454 §6.2).
        let ownPort = scheme == "https" ? ":443" : ":80"
        let host = authority.lowercased()
        origin = "\(scheme)://\(host.hasSuffix(ownPort) ? String(host.dropLast(ownPort.count)) : host)"
        self.mount = mount
        isSecure = scheme == "https"
        self.name = name
        self.assets = assets
    }

    /// The full URL of a route.
    public func url(_ route: some Route) -> String {
        origin + mount + route.path
    }

    /// The name of a cookie with the strongest prefix that its path and scheme allow.
    ///
    /// `__Host-` demands `Path=/`, which under a mount prefix would send the cookie to the whole site.
    ///
    /// > RFC 6265bis §4.1.3
    public func cookieName(_ name: String) -> String {
        guard isSecure else { return name }
        return (mount.isEmpty ? "__Host-" : "__Secure-") + name
    }

    /// The path of our cookies.
    public var cookiePath: String { mount.isEmpty ? "/" : mount }

    /// A cookie of this site.
    public func cookie(_ name: String, _ value: String, maxAge: Duration? = nil) -> SetCookie {
        SetCookie(name: cookieName(name), value: value, path: cookiePath, isSecure: isSecure, maxAge: maxAge)
    }
}
