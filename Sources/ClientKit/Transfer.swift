internal import CCurl

/// The lines of a request's header as libcurl's list, owned.
@safe struct HeaderLines: ~Copyable {
    private var first: UnsafeMutablePointer<curl_slist>?

    init() throws(ClientError) { unsafe first = nil }

    deinit { unsafe curl_slist_free_all(first) }

    /// Adds a line, copied.
    mutating func append(_ line: String) throws(ClientError) {
        guard let longer = unsafe curl_slist_append(first, line) else {
            throw ClientError(.other, detail: "out of memory")
        }
        unsafe first = longer
    }

    /// Lends the list to libcurl.
    borrowing func lend<Result, Failure: Error>(
        _ use: (UnsafeMutablePointer<curl_slist>?) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe use(first)
    }
}

extension EasyHandle {
    /// Runs a configured transfer; URL, lines and exchange live until it is over.
    borrowing func perform(
        url: borrowing ParsedURL, headers: borrowing HeaderLines, reportingTo exchange: Exchange
    ) throws(ClientError) -> CURLcode {
        try exchange.attach(to: self)
        return try unsafe headers.lend { lines throws(ClientError) in
            try unsafe url.lend { url throws(ClientError) in
                try unsafe set { handle in
                    unsafe [c_curl_set_url(handle, url), c_curl_set_list(handle, CURLOPT_HTTPHEADER, lines)]
                }
                return withExtendedLifetime(exchange) { perform() }
            }
        }
    }

    /// Trusts these certificates in PEM, and none of the system's.
    borrowing func trust(_ authorities: String) throws(ClientError) {
        try unsafe set { handle in
            unsafe [
                c_curl_set_string(handle, CURLOPT_CAPATH, nil),
                Array(authorities.utf8).withUnsafeBytes {
                    unsafe c_curl_set_blob(handle, CURLOPT_CAINFO_BLOB, $0.baseAddress, $0.count)
                },
            ]
        }
    }

    /// How long each stage of the last transfer took; libcurl counts all of them from the start.
    var timing: OutboundResponse.Timing {
        let name = time(CURLINFO_NAMELOOKUP_TIME_T)
        let connected = time(CURLINFO_CONNECT_TIME_T)
        let secured = time(CURLINFO_APPCONNECT_TIME_T)
        return OutboundResponse.Timing(
            dns: name, connect: max(.zero, connected - name),
            tls: secured == .zero ? .zero : max(.zero, secured - connected),
            firstByte: max(.zero, time(CURLINFO_STARTTRANSFER_TIME_T) - time(CURLINFO_PRETRANSFER_TIME_T)),
            total: time(CURLINFO_TOTAL_TIME_T))
    }

    /// The address and port of the last connection.
    var peer: String {
        let address = text(CURLINFO_PRIMARY_IP)
        let port = number(CURLINFO_PRIMARY_PORT)
        return address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    /// What a failed transfer means. The exchange knows better than libcurl's code why a callback stopped it.
    borrowing func error(_ code: CURLcode, of exchange: Exchange, target: String) -> ClientError {
        let words = unsafe String(cString: curl_easy_strerror(code))
        let said = exchange.complaint
        let detail = "\(said.isEmpty ? words : said) (libcurl \(code.rawValue), address \(exchange.tried ?? "none"))"
        if let refused = exchange.refused {
            return ClientError(.refusedAddress, target: target, detail: "\(refused) is not an allowed address")
        }
        if let overflow = exchange.overflow {
            return ClientError(
                .tooLarge, target: target, detail: overflow, isConcealed: exchange.triedInside, mayHaveArrived: true)
        }
        return ClientError(
            exchange.isLate ? .timedOut : ClientError.Code(code), target: target, detail: detail,
            isConcealed: exchange.triedInside,
            // libcurl notes this moment when the connection stands and the request is about to be sent.
            mayHaveArrived: time(CURLINFO_PRETRANSFER_TIME_T) > .zero)
    }
}

extension ClientError.Code {
    /// The decision behind a code of libcurl.
    init(_ code: CURLcode) {
        switch code {
        case CURLE_URL_MALFORMAT: self = .badURL
        case CURLE_COULDNT_RESOLVE_HOST: self = .unresolvable
        case CURLE_COULDNT_CONNECT: self = .unreachable
        case CURLE_OPERATION_TIMEDOUT: self = .timedOut
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ISSUER_ERROR, CURLE_USE_SSL_FAILED:
            self = .tls
        // What libcurl says of a single header line beyond its own limit of 100 kB.
        case CURLE_OUT_OF_MEMORY: self = .tooLarge
        case CURLE_LOGIN_DENIED: self = .credentialsRefused
        case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_WEIRD_SERVER_REPLY,
            CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING:
            self = .badResponse
        default: self = .other
        }
    }
}
