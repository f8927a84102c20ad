/// Requests that depend on what the caller knows already (RFC 9110 §13).
extension Request {
    /// Refuses a change when `If-Match` names another version than the present one.
    ///
    /// - Throws: `Problem` 412.
    public func requireMatch(_ tag: String) throws(Problem) {
        try requireMatch { $0 == tag }
    }

    /// The same where the tag tells copies of one version apart (``entityTag(version:state:)``): the version alone counts.
    ///
    /// - Throws: `Problem` 412.
    public func requireMatch(version: Int64) throws(Problem) {
        try requireMatch { $0 == entityTag(version: version) || $0.hasPrefix("\"\(version)-") }
    }

    private func requireMatch(_ isPresent: (Substring) -> Bool) throws(Problem) {
        guard let wanted = headers["if-match"] else { return }
        guard Self.names(wanted, isWeakAllowed: false, isPresent) else {
            throw Problem(
                412, "precondition_failed", "This was changed meanwhile. Fetch it again and repeat your change.")
        }
    }

    /// Whether a list of entity tags names one that is looked for; `*` names any.
    fileprivate static func names(_ list: String, isWeakAllowed: Bool, _ isLookedFor: (Substring) -> Bool) -> Bool {
        for item in list.split(separator: ",") {
            var candidate = item.trimmed
            if candidate == "*" { return true }
            if candidate.hasPrefix("W/") {
                guard isWeakAllowed else { continue }
                candidate = candidate.dropFirst(2)
            }
            if isLookedFor(candidate) { return true }
        }
        return false
    }
}

extension Response {
    /// The same answer with an entity tag made from a version number.
    public func tagged(_ tag: String) -> Response {
        with("etag", tag)
    }

    /// 304 without a body for a caller who holds this version already; nil for anybody else.
    public func notModified(for request: Request) -> Response? {
        guard request.method == .get || request.method == .head, status == 200,
            let known = request.headers["if-none-match"], let tag = headers["etag"],
            Request.names(known, isWeakAllowed: true, { $0 == tag })
        else { return nil }
        var short = Response(status: 304)
        short.headers = headers
        short.headers["content-type"] = nil
        return short
    }
}

/// The entity tag of a record that counts its changes.
public func entityTag(version: Int64) -> String { "\"\(version)\"" }

/// The entity tag of a record whose answer also tells what moves without being a change of it, such as when it was last
/// looked at.
///
/// > A "strong validator" is representation metadata that changes value whenever a change occurs to the representation data
/// > that would be observable in the content of a 200 (OK) response to GET.     RFC 9110 §8.8.1
///
/// - Parameter state: moves with the whole answer; letters and digits.
public func entityTag(version: Int64, state: String) -> String { "\"\(version)-\(state)\"" }
