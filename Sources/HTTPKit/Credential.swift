import LogKit

/// The one credential of a request, from `Authorization: Bearer` or `X-API-Key`; never from the query.
///
/// > Clients MUST NOT use more than one method to transmit the token in each request.     RFC 6750 §2
public enum Credential: Sendable {
    /// There is none.
    case missing
    /// What was sent, of whatever shape.
    case sent(Secret<String>)
    /// There is a field, but of another scheme or without a token.
    case malformed
    /// There are several, and which one counts would be a guess.
    case ambiguous

    /// Reads the two fields, as often as each came.
    public init(authorization: [String], apiKey: [String]) {
        switch (authorization.first, apiKey.first) {
        case (nil, nil): self = .missing
        case (nil, let key?) where apiKey.count == 1: self = .sent(Secret(key))
        case (let bearer?, nil) where authorization.count == 1:
            self = Self.token(of: bearer).map { .sent(Secret($0)) } ?? .malformed
        default: self = .ambiguous
        }
    }

    /// Reads the two fields of a request.
    public init(_ headers: Headers) {
        self.init(authorization: headers.all("authorization"), apiKey: headers.all("x-api-key"))
    }

    /// What stands after `Bearer`, in any case (RFC 9110 §11.1); nil for another scheme, or more or less than one word.
    private static func token(of field: String) -> String? {
        let bytes = field.utf8.span
        var place = 0
        while place < bytes.count, bytes[place] == 0x20 { place += 1 }
        let begin = place
        while place < bytes.count, bytes[place] != 0x20 { place += 1 }
        guard isBearer(bytes.extracting(begin..<place)) else { return nil }
        while place < bytes.count, bytes[place] == 0x20 { place += 1 }
        let first = place
        while place < bytes.count, bytes[place] != 0x20 { place += 1 }
        let last = place
        while place < bytes.count, bytes[place] == 0x20 { place += 1 }
        guard last > first, place == bytes.count else { return nil }
        return unsafe bytes.extracting(first..<last).withUnsafeBufferPointer {
            unsafe String(decoding: $0, as: UTF8.self)
        }
    }

    private static func isBearer(_ word: Span<UInt8>) -> Bool {
        guard word.count == 6 else { return false }
        // Letters in either case; `|` makes the lower one of the upper.
        return word[0] | 0x20 == UInt8(ascii: "b") && word[1] | 0x20 == UInt8(ascii: "e")
            && word[2] | 0x20 == UInt8(ascii: "a") && word[3] | 0x20 == UInt8(ascii: "r")
            && word[4] | 0x20 == UInt8(ascii: "e") && word[5] | 0x20 == UInt8(ascii: "r")
    }
}
