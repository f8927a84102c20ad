import AdminShell
import HTTPKit

/// Where sign-ins begun by the contract “Integrations Hub” may lead in the end.
///
/// What a caller names is held against this list, so that nobody is sent on to an address that only an attacker knows
/// (RFC 9700 §4.11).
public struct ReturnAddresses: Sendable {
    /// The page that shows how it went, `/integrations` of the site when nobody says otherwise.
    let page: String
    private let origins: [String]
    private let listed: [String]

    /// None but the hub's own.
    public static let own = ReturnAddresses(page: "", origins: [], listed: [])

    private init(page: String, origins: [String], listed: [String]) {
        self.page = page
        self.origins = origins
        self.listed = listed
    }

    /// - Parameters:
    ///   - siteURL: `SITE_URL`, the site whose page `/integrations` shows how it went; empty for the hub's own.
    ///   - listed: whole addresses that may be named besides.
    /// Nil when one of them is no address of a page.
    public init?(siteURL: String, listed: [String]) {
        var origins: [String] = []
        var page = ""
        if !siteURL.isEmpty {
            guard let origin = Self.origin(of: siteURL) else { return nil }
            origins = [origin]
            page = (siteURL.hasSuffix("/") ? String(siteURL.dropLast()) : siteURL) + "/integrations"
        }
        guard listed.allSatisfy({ Self.origin(of: $0) != nil }) else { return nil }
        self.init(page: page, origins: origins, listed: listed)
    }

    /// Whether a sign-in may lead to an address: a path of this site, an address of it or of `SITE_URL`, or one that is
    /// listed, letter for letter.
    func allows(_ address: String, on site: Site) -> Bool {
        guard Self.isPlain(address) else { return false }
        if listed.contains(address) { return true }
        if address.hasPrefix("/") { return !address.hasPrefix("//") }
        return Self.origin(of: address).map { ($0 == site.origin) || origins.contains($0) } ?? false
    }

    /// Characters that browsers and the hub read alike: `\`, blanks and controls are read as slashes or left out.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.count <= 500
            && text.unicodeScalars.allSatisfy { (0x21...0x7e).contains($0.value) && $0 != "\\" && $0 != "#" }
    }

    /// Scheme, host and port of an address; nil for anything with a user in it, and for what is none.
    private static func origin(of address: String) -> String? {
        guard isPlain(address), let cut = address.firstRange(of: "://") else { return nil }
        let scheme = address[..<cut.lowerBound]
        let authority = address[cut.upperBound...].prefix { !"/?".contains($0) }.lowercased()
        guard scheme == "https" || scheme == "http",
            authority.wholeMatch(of: /([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?/) != nil
        else { return nil }
        return "\(scheme)://\(authority)"
    }
}
