/// Requests that depend on what the caller knows already (RFC 9110 §13).
extension Request {
    /// Refuses a change when `If-Match` names another version than the present one.
    ///
    /// - Throws: `Problem` 412.
    public func requireMatch(_ tag: String) throws(Problem) {
        guard let wanted = headers["if-match"] else { return }
        guard Self.matches(wanted, tag, isWeakAllowed: false) else {
            throw Problem(
                412, "precondition_failed", "This was changed meanwhile. Fetch it again and repeat your change.")
        }
    }

    /// Whether a list of entity tags names a tag; `*` names any.
    fileprivate static func matches(_ list: String, _ tag: String, isWeakAllowed: Bool) -> Bool {
        for item in list.split(separator: ",") {
            var candidate = item.trimmed
            if candidate == "*" { return true }
            if candidate.hasPrefix("W/") {
                guard isWeakAllowed else { continue }
                candidate = candidate.dropFirst(2)
            }
            if candidate == tag { return true }
        }
        return false
    }
}

extension Response {
    /// The same answer with an entity tag made from a version number.
    public func tagged(_ tag: String) -> Response {
        with("etag", tag)
    }

    /// 304 without a body when the caller holds this version already.
    public func unlessKnown(to request: Request) -> Response {
        guard request.method == .get || request.method == .head, status == 200,
            let known = request.headers["if-none-match"], let tag = headers["etag"],
            Request.matches(known, tag, isWeakAllowed: true)
        else { return self }
        var short = Response(status: 304)
        short.headers = headers
        short.headers["content-type"] = nil
        return short
    }
}

/// The entity tag of a record that counts its changes.
public func entityTag(version: Int64) -> String { "\"\(version)\"" }
