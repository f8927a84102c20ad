extension Request {
    /// By what a repetition of this request is recognised; nil when it does not say.
    ///
    /// The field is a string of Structured Fields, `"order-4711"`, and the same without its quotes is taken too.
    ///
    /// > Idempotency-Key is an Item Structured Header […]. Its value MUST be a String.
    /// > draft-ietf-httpapi-idempotency-key-header-07 §2.1
    ///
    /// - Throws: `Problem` 400 for a key that is none, or for two of them.
    public func idempotencyKey() throws(Problem) -> String? {
        let fields = headers.all("idempotency-key")
        guard let field = fields.first else { return nil }
        guard fields.count == 1, let key = Self.structuredString(field) ?? Self.bareKey(field),
            (1...255).contains(key.utf8.count)
        else {
            throw Problem(
                400, "invalid_idempotency_key",
                "Send one Idempotency-Key of 1 to 255 visible characters, in quotes or not.")
        }
        return key
    }

    /// What stands between the quotes of a string; nil when it is none.
    ///
    /// > sf-string = DQUOTE *( unescaped / "%" / bs-escaped ) DQUOTE     RFC 9651 §3.3.3
    private static func structuredString(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 2, bytes.first == 0x22, bytes.last == 0x22 else { return nil }
        var string = ""
        var rest = bytes[1..<(bytes.count - 1)]
        while let byte = rest.popFirst() {
            guard (0x20...0x7e).contains(byte), byte != 0x22 else { return nil }
            guard byte == 0x5c else {
                string.unicodeScalars.append(Unicode.Scalar(byte))
                continue
            }
            guard let escaped = rest.popFirst(), escaped == 0x22 || escaped == 0x5c else { return nil }
            string.unicodeScalars.append(Unicode.Scalar(escaped))
        }
        return string
    }

    /// A key without quotes: visible ASCII.
    private static func bareKey(_ text: String) -> String? {
        text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x22 } ? text : nil
    }
}
