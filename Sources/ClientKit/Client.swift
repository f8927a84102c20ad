internal import CCurl
import TimeKit

/// Calls other servers: one call at a time per thread, any number of threads.
///
/// Each call has a deadline and limits, ignores the proxies named by the environment, and opens sockets only to addresses
/// that its ``AddressPolicy`` allows, judged when the socket is opened. Connections and TLS sessions are kept for later
/// calls, so a client is made once per process and shared.
///
/// libcurl repeats a request by itself when a kept connection turns out to be closed before any byte of an answer came.
public final class Client: Sendable {
    let policy: AddressPolicy
    let origins: OriginMap
    let agent: String
    let authorities: String?
    private let handles = HandlePool(capacity: 16)
    let sessions = SessionPool()

    /// A client for one process.
    ///
    /// - Parameters:
    ///   - policy: which addresses may be called.
    ///   - origins: which origins lead elsewhere.
    ///   - version: what `User-Agent: hub/<version>` says.
    ///   - authorities: certificates in PEM to trust in place of the system's.
    public init(
        policy: AddressPolicy = AddressPolicy(), origins: OriginMap = OriginMap(), version: String,
        authorities: String? = nil
    ) {
        self.policy = policy
        self.origins = origins
        self.authorities = authorities
        agent = "hub/" + String(decoding: version.utf8.filter { (0x21...0x7e).contains($0) }, as: UTF8.self)
    }

    /// Makes a call and waits for the whole answer; a status of failure is an answer too.
    public func send(_ request: OutboundRequest) throws(ClientError) -> OutboundResponse {
        let started = ContinuousClock.now
        var request = request
        var redirects = 0
        while true {
            let url = try ParsedURL(request.url, schemes: ["https", "http"])
            let deadline = started + request.deadline
            let response = try send(request, to: url, until: deadline)
            guard request.followsRedirects, let next = try Redirect(of: request, from: url, answered: response) else {
                return redirects == 0 ? response : response.taking(ContinuousClock.now - started)
            }
            redirects += 1
            guard redirects <= 3 else {
                throw ClientError(.badResponse, target: url.target, detail: "more than three redirects")
            }
            request = next.request
        }
    }

    /// Makes one call without following it anywhere.
    private func send(
        _ request: OutboundRequest, to url: borrowing ParsedURL, until deadline: ContinuousClock.Instant
    ) throws(ClientError) -> OutboundResponse {
        let host = url.origin
        let target = origins.targets[host]
        if let target { try url.redirect(to: target) }
        let exchange = Exchange(
            policy: target == nil ? policy : nil, bodyLimit: request.responseLimit, headerLimit: request.headerLimit,
            giveUpAt: deadline)
        let lines = try request.lines(host: target == nil ? nil : host.authority)
        return try handles.lend { handle throws(ClientError) in
            try configure(handle, until: deadline, connectDeadline: request.connectDeadline)
            try request.configure(handle)
            let code = try handle.perform(url: url, headers: lines, reportingTo: exchange)
            guard code == CURLE_OK else { throw handle.error(code, of: exchange, target: url.target) }
            return OutboundResponse(
                status: handle.number(CURLINFO_RESPONSE_CODE), headers: exchange.headers, body: exchange.body,
                timing: handle.timing, peer: handle.peer)
        }
    }

    /// Sets what is the same for each call, of HTTP or of SMTP.
    func configure(
        _ handle: borrowing EasyHandle, until deadline: ContinuousClock.Instant, connectDeadline: Duration
    ) throws(ClientError) {
        let whole = max(1, Int((deadline - .now).milliseconds))
        let connecting = min(whole, max(1, Int(connectDeadline.milliseconds)))
        try unsafe handle.set { handle in
            unsafe [
                c_curl_set_long(handle, CURLOPT_TIMEOUT_MS, whole),
                c_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, connecting),
                c_curl_set_long(handle, CURLOPT_NOSIGNAL, 1),
                // A deadline that passes while a name is looked up does not wait for the resolver's thread.
                c_curl_set_long(handle, CURLOPT_QUICK_EXIT, 1),
                c_curl_set_string(handle, CURLOPT_PROXY, ""),
                c_curl_set_string(handle, CURLOPT_NOPROXY, "*"),
                c_curl_set_long(handle, CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue)),
                c_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0),
                c_curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, 1),
                c_curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, 2),
                c_curl_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
                c_curl_set_long(handle, CURLOPT_MAXCONNECTS, 4),
                c_curl_set_long(handle, CURLOPT_MAXAGE_CONN, 60),
                c_curl_set_string(handle, CURLOPT_USERAGENT, agent),
            ]
        }
        if let authorities { try handle.trust(authorities) }
    }
}

extension OutboundRequest {
    /// Sets the method and the body.
    func configure(_ handle: borrowing EasyHandle, isBodyStreamed: Bool = false) throws(ClientError) {
        let hasBody = body != nil || isBodyStreamed || [.post, .put, .patch].contains(method)
        let bytes = body ?? []
        try unsafe handle.set { handle in
            unsafe [
                c_curl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https"),
                c_curl_set_long(handle, CURLOPT_HTTP09_ALLOWED, 0),
                c_curl_set_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS)),
                c_curl_set_long(handle, CURLOPT_FRESH_CONNECT, isSentOnce ? 1 : 0),
            ]
        }
        if hasBody, !isBodyStreamed {
            try unsafe handle.set { handle in
                unsafe [
                    c_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count)),
                    bytes.withUnsafeBytes { unsafe c_curl_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, $0.baseAddress) },
                ]
            }
        }
        try unsafe handle.set { handle in
            switch method {
            case .head where !hasBody: unsafe [c_curl_set_long(handle, CURLOPT_NOBODY, 1)]
            default: unsafe [c_curl_set_string(handle, CURLOPT_CUSTOMREQUEST, method.rawValue)]
            }
        }
    }

    /// The lines of the header, checked; a host is given where the call goes elsewhere than its URL says.
    func lines(host: String?) throws(ClientError) -> HeaderLines {
        var lines = try HeaderLines()
        for (name, value) in headers { try lines.append(HeaderField(name, value).line) }
        let given = Set(headers.map { $0.0.lowercased() })
        if let host { try lines.append("Host: \(host)") }
        if !given.contains("accept-encoding") { try lines.append("Accept-Encoding: identity") }
        // libcurl would call any body a form, and wait for permission to send a large one.
        if !given.contains("content-type") { try lines.append("Content-Type:") }
        try lines.append("Expect:")
        return lines
    }
}

extension OutboundResponse {
    /// The same answer, reached after this long.
    fileprivate func taking(_ total: Duration) -> OutboundResponse {
        let timing = Timing(
            dns: timing.dns, connect: timing.connect, tls: timing.tls, firstByte: timing.firstByte, total: total)
        return OutboundResponse(status: status, headers: headers, body: body, timing: timing, peer: peer)
    }
}
