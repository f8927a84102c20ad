import HTTPKit

/// A request as it came in, as far as a signature may depend on it; nothing of it is believed yet.
struct Arrival: Sendable {
    /// `POST`.
    var method = "POST"
    /// The address as the sender knows it: the hub's public origin and mount, path and query as they came.
    var url: String
    /// The header fields.
    var headers: Headers
    /// The body, byte for byte.
    var body: [UInt8]

    /// The longest value of a header field that a signature is read from.
    private static let longest = 4_096

    /// The value of a header field that must be there once.
    ///
    /// Of two values one would be checked and the other perhaps be used, so twice is as bad as never.
    func only(_ name: String) throws(Failure) -> String {
        let values = headers.all(name)
        guard let value = values.first, !value.isEmpty else { throw .missing(name) }
        guard values.count == 1 else { throw .repeated(name) }
        guard value.utf8.count <= Self.longest, value.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
            throw .malformed(name, "printable characters of ASCII")
        }
        return value
    }

    /// The value of a header field written as digits; nothing else is a time.
    func number(_ name: String) throws(Failure) -> (text: String, value: Int64) {
        let text = try only(name)
        guard let value = Self.number(text) else { throw .malformed(name, "a number of seconds since 1970") }
        return (text, value)
    }

    static func number(_ text: String) -> Int64? {
        guard (1...15).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int64(text)
    }

    /// The query of the address, taken apart.
    var query: Form? {
        guard let mark = url.firstIndex(of: "?") else { return .empty }
        return Form(urlencoded: url[url.index(after: mark)...])
    }

    /// The media type of the body, in lower case and without parameters.
    var mediaType: String {
        (headers["content-type"] ?? "").prefix { $0 != ";" }.trimmed.lowercased()
    }

    /// The body as a form; nil when it is none.
    var form: Form? {
        guard mediaType == "application/x-www-form-urlencoded", let text = String(validating: body, as: UTF8.self)
        else { return nil }
        return Form(urlencoded: text)
    }
}
