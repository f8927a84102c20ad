internal import CCurl
import LogKit
import TimeKit

/// A mail server to be tried: connect, greet, make secure, sign in, say goodbye. No mail is sent.
public struct SMTPProbe: Sendable {
    /// How the connection is made secure.
    public enum Security: String, Sendable {
        /// TLS from the start on port 465, demanded by STARTTLS on port 587, taken where offered on any other.
        case auto
        /// TLS from the start.
        case ssl
        /// STARTTLS, or no call.
        case startTLS = "starttls"
        /// STARTTLS where it is offered; whoever stands between can take the offer away.
        case startTLSOptional = "starttls_optional"
        /// In clear.
        case none
    }

    /// Whether to sign in.
    public enum Authentication: String, Sendable {
        /// Where the server offers it.
        case ifAvailable = "if_available"
        /// Always; a server that does not offer it fails the test.
        case always
        /// Never.
        case never
    }

    /// The server's name or address.
    public var host: String
    /// The server's port.
    public var port: Int
    /// How the connection is made secure.
    public var security: Security
    /// Who signs in; nil where nobody does.
    public var username: String?
    /// The password of that user.
    public var password: Secret<String>?
    /// Whether to sign in.
    public var authentication: Authentication
    /// Whether the server's certificate must be valid for its name.
    public var verifiesCertificate: Bool
    /// Certificates in PEM to trust in place of the client's.
    public var authorities: String?
    /// How long the whole test may take.
    public var deadline: Duration

    /// A test of a server with the settings of a mail program.
    public init(
        host: String, port: Int, security: Security = .auto, username: String? = nil, password: Secret<String>? = nil,
        authentication: Authentication = .ifAvailable, verifiesCertificate: Bool = true, authorities: String? = nil,
        deadline: Duration = .seconds(15)
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.username = username
        self.password = password
        self.authentication = authentication
        self.verifiesCertificate = verifiesCertificate
        self.authorities = authorities
        self.deadline = deadline
    }

    /// What a server that passed said of itself.
    public struct Outcome: Sendable {
        /// Its greeting, without the code.
        public let greeting: String
        /// What it says it can do, `STARTTLS`, `AUTH PLAIN LOGIN`, …; after STARTTLS what it says then.
        public let capabilities: [String]
        /// Whether the connection was secure in the end.
        public let isSecure: Bool
        /// Whether it accepted the user name and password.
        public let isAuthenticated: Bool
        /// How long each stage took.
        public let timing: OutboundResponse.Timing
    }
}

extension Client {
    /// Tries a mail server and waits for the outcome.
    ///
    /// Throws `unresolvable`, `refusedAddress`, `unreachable`, `tls`, `timedOut`, `credentialsRefused`,
    /// `credentialsNotTaken`, or `badResponse` for a server that speaks no SMTP or sends the hub away.
    public func probe(_ probe: SMTPProbe) throws(ClientError) -> SMTPProbe.Outcome {
        let url = try probe.url()
        let target = origins.targets[url.origin]
        if let target { try url.redirect(to: target) }
        let deadline = ContinuousClock.now + probe.deadline
        let exchange = Exchange(
            policy: target == nil ? policy : nil, bodyLimit: 16_384, headerLimit: 16_384, giveUpAt: deadline,
            keepsLines: true)
        // A pool that keeps nothing: a connection that has signed in must never serve another call.
        let timing = try HandlePool(capacity: 0).lend { handle throws(ClientError) in
            try configure(handle, until: deadline, connectDeadline: probe.deadline)
            try probe.configure(handle)
            let code = try handle.perform(url: url, headers: HeaderLines(), reportingTo: exchange)
            guard code == CURLE_OK else { throw handle.error(code, of: exchange, target: url.target) }
            return handle.timing
        }
        let transcript = SMTPTranscript(exchange.lines)
        if probe.authentication == .always, !transcript.isAuthenticated {
            throw ClientError(
                .credentialsNotTaken, target: url.target, detail: "no 235 among the replies",
                isConcealed: exchange.triedInside)
        }
        return SMTPProbe.Outcome(
            greeting: transcript.greeting, capabilities: transcript.capabilities,
            isSecure: (target ?? url.origin).scheme == "smtps" || transcript.isUpgraded,
            isAuthenticated: transcript.isAuthenticated, timing: timing)
    }
}

extension SMTPProbe {
    /// The server as a URL. Throws `badURL` when host and port make no origin.
    func url() throws(ClientError) -> ParsedURL {
        let isImplicit = security == .ssl || security == .auto && port == 465
        let written = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        let text = "\(isImplicit ? "smtps" : "smtp")://\(written):\(port)"
        _ = try Origin(text)
        return try ParsedURL(text, schemes: ["smtp", "smtps"])
    }

    /// Sets what to say to a server that is only tried.
    fileprivate func configure(_ handle: borrowing EasyHandle) throws(ClientError) {
        try configureSession(handle)
        try unsafe handle.set { handle in
            unsafe [
                c_curl_set_string(handle, CURLOPT_CUSTOMREQUEST, "NOOP"), c_curl_set_long(handle, CURLOPT_NOBODY, 1),
            ]
        }
    }

    /// Sets how the connection is made secure and who signs in.
    func configureSession(_ handle: borrowing EasyHandle) throws(ClientError) {
        let secure =
            switch security {
            case .none: CURLUSESSL_NONE
            case .startTLS: CURLUSESSL_ALL
            case .auto where port == 587: CURLUSESSL_ALL
            case .auto, .ssl, .startTLSOptional: CURLUSESSL_TRY
            }
        try unsafe handle.set { handle in
            unsafe [
                c_curl_set_string(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps"),
                c_curl_set_long(handle, CURLOPT_USE_SSL, Int(secure.rawValue)),
                c_curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, verifiesCertificate ? 1 : 0),
                c_curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, verifiesCertificate ? 2 : 0),
                // Says QUIT within this transfer, where its deadline holds, and not when the handle ends.
                c_curl_set_long(handle, CURLOPT_FORBID_REUSE, 1),
            ]
        }
        if let authorities { try handle.trust(authorities) }
        if authentication != .never, let username, let password { try signIn(handle, username, password) }
    }

    /// Sets who signs in. NTLM and Kerberos are left out: libcurl would prefer them, and they are no passwords.
    private func signIn(
        _ handle: borrowing EasyHandle, _ username: String, _ password: Secret<String>
    ) throws(ClientError) {
        try password.reveal { password throws(ClientError) in
            guard !(username + password).utf8.contains(0) else {
                throw ClientError(.credentialsRefused, detail: "a NUL in the user name or password")
            }
            try unsafe handle.set { handle in
                unsafe [
                    c_curl_set_string(handle, CURLOPT_USERNAME, username),
                    c_curl_set_string(handle, CURLOPT_PASSWORD, password),
                    c_curl_set_string(handle, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN;AUTH=CRAM-MD5"),
                ]
            }
        }
    }
}

/// What a mail server said, read from its replies (RFC 5321 §4.2.1: the last line of a reply has a space after its code).
struct SMTPTranscript {
    private(set) var greeting = ""
    private(set) var capabilities: [String] = []
    private(set) var isUpgraded = false
    private(set) var isAuthenticated = false
    /// The last reply that was more than a goodbye.
    private(set) var last: SMTPReply?

    init(_ lines: [String]) {
        var reply: [Substring] = []
        var greetings = 0
        for line in lines {
            let line = line.unicodeScalars.prefix { $0 != "\r" && $0 != "\n" }
            let text = Substring(line)
            reply.append(text.dropFirst(4))
            guard !text.dropFirst(3).hasPrefix("-") else { continue }
            if let code = Int(text.prefix(3)), code != 221 {
                last = SMTPReply(code: code, text: reply.joined(separator: " "))
            }
            switch text.prefix(3) {
            case "220":
                greetings += 1
                if greetings == 1 { greeting = reply.joined(separator: " ") } else { isUpgraded = true }
            case "235": isAuthenticated = true
            // The reply to EHLO begins with the server's name; NOOP's reply has that line alone.
            case "250" where reply.count > 1: capabilities = reply.dropFirst().map(String.init)
            default: break
            }
            reply = []
        }
    }
}
