internal import CCurl

/// The call that a redirect asks for.
struct Redirect {
    let request: OutboundRequest

    /// The next call, nil when the answer is no redirect. Throws `badResponse` when it leads to anything but https.
    ///
    /// > if the original request method is POST, a user agent MAY change the request method to GET     RFC 9110 §15.4.2
    ///
    /// At another origin only fields that carry no secret are sent, since any other may be the credential of the first.
    init?(
        of request: OutboundRequest, from url: borrowing ParsedURL, answered response: OutboundResponse
    ) throws(ClientError) {
        guard [301, 302, 303, 307, 308].contains(response.status), let location = response.headers["Location"] else {
            return nil
        }
        let logical = try ParsedURL(request.url, schemes: ["https", "http"])
        let next: ParsedURL
        do throws(ClientError) {
            next = try logical.following(location, schemes: ["https"])
        } catch {
            throw ClientError(
                .badResponse, target: url.target, detail: "a redirect that is not to https: \(error.detail)")
        }
        var following = request
        following.url = try next.part(CURLUPART_URL) ?? ""
        if response.status < 307, request.method != .head, request.method != .get {
            following.method = .get
            following.body = nil
            following.headers.removeAll { $0.0.lowercased().hasPrefix("content-") }
        }
        if next.origin != logical.origin {
            let harmless: Set = ["accept", "accept-language", "content-type", "user-agent"]
            following.headers.removeAll { !harmless.contains($0.0.lowercased()) }
        }
        self.request = following
    }
}
