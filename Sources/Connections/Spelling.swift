/// How names are spelled, told byte by byte: a regular expression is compiled anew at each question, which some thirty
/// provider files at every start, and every address that names a connection, would wait for.
enum Spelling {
    /// Whether this is a service's key or the name of a field: `[a-z][a-z0-9_]{0,63}`.
    static func isKey(_ text: String) -> Bool {
        text.utf8.first.map(isLower) == true && holds(text, 1...64) { isLower($0) || isDigit($0) || $0 == underscore }
    }

    /// Whether an address may name a service so: as a key, or with hyphens as the older paths had it.
    static func isKeyInPath(_ text: String) -> Bool {
        text.utf8.first.map(isLower) == true
            && holds(text, 1...64) { isLower($0) || isDigit($0) || $0 == underscore || $0 == hyphen }
    }

    /// Whether this is the name of a connection: `[a-z0-9-]{1,64}`.
    static func isConnectionName(_ text: String) -> Bool {
        holds(text, 1...64) { isLower($0) || isDigit($0) || $0 == hyphen }
    }

    /// Whether this is a variable of the environment: `[A-Z][A-Z0-9_]{0,99}`.
    static func isVariable(_ text: String) -> Bool {
        text.utf8.first.map(isUpper) == true && holds(text, 1...100) { isUpper($0) || isDigit($0) || $0 == underscore }
    }

    /// Whether this is a header as provider files name one: `[A-Za-z0-9-]{1,64}`.
    static func isHeaderName(_ text: String) -> Bool {
        holds(text, 1...64) { isLower($0) || isUpper($0) || isDigit($0) || $0 == hyphen }
    }

    private static func holds(_ text: String, _ length: ClosedRange<Int>, _ isTaken: (UInt8) -> Bool) -> Bool {
        length.contains(text.utf8.count) && text.utf8.allSatisfy(isTaken)
    }

    private static let (hyphen, underscore) = (UInt8(ascii: "-"), UInt8(ascii: "_"))
    private static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isUpper(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
