internal import CCurl

#if canImport(Glibc)
import Glibc
#endif

/// A scheme, a host and a port: where a call goes, without what it says.
public struct Origin: Hashable, Sendable, CustomStringConvertible {
    /// `https`, `http`, `smtps` or `smtp`.
    public let scheme: String
    /// The host in lower case: a name in ASCII (punycode), an IPv4 address, or an IPv6 address in brackets.
    public let host: String
    /// The port, the scheme's own if none was written.
    public let port: Int

    /// Reads an origin alone: a URL with nothing behind the host and port but one `/`.
    ///
    /// Throws `badURL`.
    public init(_ text: String) throws(ClientError) {
        let url = try ParsedURL(text, schemes: ["https", "http", "smtps", "smtp"])
        guard try url.part(CURLUPART_PATH) == "/", try url.part(CURLUPART_QUERY) == nil, !text.contains("#") else {
            throw ClientError(.badURL, target: url.target, detail: "more than a scheme, a host and a port")
        }
        self = url.origin
    }

    init(scheme: String, host: String, port: Int) {
        self.scheme = scheme
        self.host = host
        self.port = port
    }

    /// The host, and the port where it is not the scheme's own: what a `Host` header says.
    var authority: String {
        port == Self.defaultPorts[scheme] ? host : "\(host):\(port)"
    }

    /// The origin as a URL, the port left out where it is the scheme's own.
    public var description: String { "\(scheme)://\(authority)" }

    static let defaultPorts = ["https": 443, "http": 80, "smtps": 465, "smtp": 25]
}

/// A URL that may be called: http or https, a host, no user name, no zone id.
///
/// What a URL means is decided by libcurl's parser alone, here and when calling, so that no two parsers can differ. Whether
/// its address may be called is decided by ``AddressPolicy`` when a socket is opened. Its path and query can be secrets,
/// so it prints as its scheme and host.
public struct OutboundURL: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// Where it leads.
    public let origin: Origin
    /// The whole URL in one canonical form: host in punycode or as an address, dot segments removed, no fragment.
    public let text: String

    /// Reads a URL of at most 8 192 bytes. Throws `badURL`.
    public init(_ text: String) throws(ClientError) {
        let url = try ParsedURL(text, schemes: ["https", "http"])
        origin = url.origin
        self.text = try url.part(CURLUPART_URL) ?? ""
    }

    /// The scheme and the host alone.
    public var description: String { "\(origin.scheme)://\(origin.host)" }
    /// A mirror without children, so that `dump` stays silent.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// A URL parsed by libcurl, owned, and handed to libcurl as it is.
@safe struct ParsedURL: ~Copyable {
    private let pointer: OpaquePointer
    /// Where it leads, as written; a rewritten URL keeps it.
    let origin: Origin

    /// Parses a URL of one of these schemes. Throws `badURL`.
    init(_ text: String, schemes: Set<String>) throws(ClientError) {
        try unsafe self.init(text, into: curl_url(), schemes: schemes)
    }

    private init(_ text: String, into made: OpaquePointer?, schemes: Set<String>) throws(ClientError) {
        guard let made = unsafe made else { throw ClientError(.other, detail: "out of memory") }
        do throws(ClientError) {
            guard !text.isEmpty, text.utf8.count <= 8_192, !text.utf8.contains(0) else {
                throw ClientError(.badURL, detail: "empty, longer than 8192 bytes, or with a NUL")
            }
            origin = try unsafe Self.parse(text, into: made, schemes: schemes)
        } catch {
            unsafe curl_url_cleanup(made)
            throw error
        }
        unsafe pointer = made
    }

    deinit { unsafe curl_url_cleanup(pointer) }

    /// The scheme and host: all that an error may say.
    var target: String { "\(origin.scheme)://\(origin.host)" }

    /// A part in its canonical form, nil where the URL has none.
    borrowing func part(_ part: CURLUPart) throws(ClientError) -> String? {
        try unsafe Self.get(part, of: pointer)
    }

    /// The URL that a reference found at this one leads to (RFC 3986 §5). Throws `badURL`.
    borrowing func following(_ reference: String, schemes: Set<String>) throws(ClientError) -> ParsedURL {
        try unsafe ParsedURL(reference, into: curl_url_dup(pointer), schemes: schemes)
    }

    /// Sends the URL to another origin; the path and the query stay.
    borrowing func redirect(to origin: Origin) throws(ClientError) {
        try unsafe Self.set(CURLUPART_SCHEME, to: origin.scheme, of: pointer)
        try unsafe Self.set(CURLUPART_HOST, to: origin.host, of: pointer)
        try unsafe Self.set(CURLUPART_PORT, to: String(origin.port), of: pointer)
    }

    /// Lends the handle to libcurl.
    borrowing func lend<Result, Failure: Error>(
        _ use: (OpaquePointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe use(pointer)
    }

    private static func parse(
        _ text: String, into url: OpaquePointer, schemes: Set<String>
    ) throws(ClientError) -> Origin {
        let flags = UInt32(CURLU_DISALLOW_USER | CURLU_URLENCODE)
        try unsafe set(CURLUPART_URL, to: text, of: url, flags: flags)
        guard let scheme = try unsafe get(CURLUPART_SCHEME, of: url)?.lowercased(), schemes.contains(scheme) else {
            throw ClientError(.badURL, detail: "a scheme other than \(schemes.sorted().joined(separator: ", "))")
        }
        for part in [CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_ZONEID] where try unsafe get(part, of: url) != nil {
            throw ClientError(.badURL, detail: "a URL with a user name, a password or a zone id")
        }
        let host = try unsafe host(of: url)
        guard let port = try unsafe get(CURLUPART_PORT, of: url, flags: UInt32(CURLU_DEFAULT_PORT)).flatMap(Int.init),
            (1...65_535).contains(port)
        else { throw ClientError(.badURL, target: "\(scheme)://\(host)", detail: "a port outside 1 to 65535") }
        try unsafe set(CURLUPART_HOST, to: host, of: url)
        try unsafe set(CURLUPART_FRAGMENT, to: nil, of: url)
        return Origin(scheme: scheme, host: host, port: port)
    }

    /// The host in lower case and ASCII.
    private static func host(of url: OpaquePointer) throws(ClientError) -> String {
        let written = try inUTF8Locale { () throws(ClientError) in
            try unsafe get(CURLUPART_HOST, of: url, flags: UInt32(CURLU_PUNYCODE))
        }
        guard let host = written?.lowercased(), !host.isEmpty else { throw ClientError(.badURL, detail: "no host") }
        guard host.utf8.allSatisfy({ $0 < 0x80 }), host.utf8.count <= 255 else {
            throw ClientError(.badURL, detail: "a host that is no domain name")
        }
        return host
    }

    private static func set(
        _ part: CURLUPart, to text: String?, of url: OpaquePointer, flags: UInt32 = 0
    ) throws(ClientError) {
        let code = unsafe curl_url_set(url, part, text, flags)
        guard code == CURLUE_OK else {
            throw unsafe ClientError(.badURL, detail: String(cString: curl_url_strerror(code)))
        }
    }

    private static func get(
        _ part: CURLUPart, of url: OpaquePointer, flags: UInt32 = 0
    ) throws(ClientError) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        let code = unsafe curl_url_get(url, part, &text, flags)
        defer { unsafe curl_free(text) }
        switch code {
        case CURLUE_OK: return unsafe text.map { unsafe String(cString: $0) }
        case CURLUE_NO_USER, CURLUE_NO_PASSWORD, CURLUE_NO_ZONEID, CURLUE_NO_HOST, CURLUE_NO_PORT, CURLUE_NO_QUERY,
            CURLUE_NO_FRAGMENT, CURLUE_NO_SCHEME:
            return nil
        default: throw unsafe ClientError(.badURL, detail: String(cString: curl_url_strerror(code)))
        }
    }

    /// Runs a closure with this thread's character set being UTF-8.
    ///
    /// libidn2 reads host names in the character set of the locale, which a server's process leaves at ASCII.
    private static func inUTF8Locale<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let locale = unsafe locale_t(bitPattern: utf8Locale) else { return try body() }
        let before = unsafe uselocale(locale)
        defer { _ = unsafe uselocale(before) }
        return try body()
    }

    /// Glibc's own `C.UTF-8`, made once; kept as a number because pointers do not travel between threads.
    private static let utf8Locale: Int = unsafe Int(bitPattern: newlocale(LC_CTYPE_MASK, "C.UTF-8", nil))
}
