/// Why a text is no JSON we take.
public enum JSONError: Error, Equatable {
    /// The text is not JSON at all (RFC 8259), or not UTF-8.
    case malformed
    /// Arrays and objects are nested deeper than ``JSON/depthLimit``.
    case tooDeep
    /// An object has two members of the same name: whoever checks one may not be who uses the other.
    case duplicateName
}

extension JSON {
    /// How deep arrays and objects may be nested in what we read.
    public static let depthLimit = 32

    /// Reads one value in UTF-8, to the letter of RFC 8259; two members of the same name are refused.
    ///
    /// A parser of our own, since Foundation's keeps no order of members, takes UTF-16 and trailing commas, and needs
    /// seconds for a hostile megabyte.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        var reader = JSONReader(bytes)
        self = try reader.whole()
    }
}

/// Reads one text from its first byte to its last.
struct JSONReader {
    private let bytes: [UInt8]
    /// Where the reader stands; after an error, where it failed.
    private(set) var place = 0
    private var depth = 0
    /// Where each value begins, by its JSON Pointer; kept only for files that people write.
    private(set) var places: [String: Int]?
    private var pointer = ""

    init(_ bytes: [UInt8], keepingPlaces: Bool = false) {
        self.bytes = bytes
        places = keepingPlaces ? [:] : nil
    }

    /// The only value of the text.
    mutating func whole() throws(JSONError) -> JSON {
        skipSpace()
        let value = try value()
        skipSpace()
        guard place == bytes.count else { throw .malformed }
        return value
    }

    private mutating func value(_ step: String) throws(JSONError) -> JSON {
        guard places != nil else { return try value() }
        let outer = pointer
        defer { pointer = outer }
        // Hardly a name holds either, and a search for it costs more than the rest of its member.
        let isPlain = !step.utf8.contains { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }
        pointer += "/" + (isPlain ? step : step.replacing("~", with: "~0").replacing("/", with: "~1"))
        places?[pointer] = place
        return try value()
    }

    private mutating func value() throws(JSONError) -> JSON {
        switch next {
        case UInt8(ascii: "{"): return try nested { (reader) throws(JSONError) in try reader.object() }
        case UInt8(ascii: "["): return try nested { (reader) throws(JSONError) in try reader.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    /// Reads what stands inside a bracket, judged before it recurses.
    private mutating func nested(_ read: (inout JSONReader) throws(JSONError) -> JSON) throws(JSONError) -> JSON {
        place += 1
        depth += 1
        guard depth <= JSON.depthLimit else { throw .tooDeep }
        defer { depth -= 1 }
        skipSpace()
        return try read(&self)
    }

    private mutating func object() throws(JSONError) -> JSON {
        var members: [JSON.Member] = []
        var names = Names()
        if skip(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw .malformed }
            let name = try string()
            skipSpace()
            guard skip(UInt8(ascii: ":")) else { throw .malformed }
            skipSpace()
            guard names.take(name, besides: members) else { throw .duplicateName }
            members.append(JSON.Member(name, try value(name)))
            skipSpace()
        } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "}")) else { throw .malformed }
        return .object(members)
    }

    private mutating func array() throws(JSONError) -> JSON {
        var elements: [JSON] = []
        if skip(UInt8(ascii: "]")) { return .array(elements) }
        repeat {
            skipSpace()
            elements.append(try value(places == nil ? "" : "\(elements.count)"))
            skipSpace()
        } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "]")) else { throw .malformed }
        return .array(elements)
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        for byte in "\(word)".utf8 { guard skip(byte) else { throw .malformed } }
        return value
    }

    // MARK: Numbers

    /// > number = [ minus ] int [ frac ] [ exp ]     RFC 8259 §6
    private mutating func number() throws(JSONError) -> JSON {
        let start = place
        var isWhole = true
        _ = skip(UInt8(ascii: "-"))
        if !skip(UInt8(ascii: "0")) { try digits() }
        if skip(UInt8(ascii: ".")) {
            isWhole = false
            try digits()
        }
        if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
            isWhole = false
            if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
            try digits()
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        if isWhole, let whole = Int64(text) { return .integer(whole) }
        guard let number = Double(text), number.isFinite else { throw .malformed }
        return .number(number)
    }

    private mutating func digits() throws(JSONError) {
        let start = place
        while let digit = next, (0x30...0x39).contains(digit) { place += 1 }
        guard place > start else { throw .malformed }
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        place += 1
        let start = place
        while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { place += 1 }
        if skip(UInt8(ascii: "\"")) {
            guard let valid = String(validating: bytes[start..<place - 1], as: UTF8.self) else { throw .malformed }
            return valid
        }
        var text = Array(bytes[start..<place])
        while !skip(UInt8(ascii: "\"")) {
            guard let byte = next, byte >= 0x20 else { throw .malformed }
            place += 1
            if byte == UInt8(ascii: "\\") {
                text.append(contentsOf: String(try escaped()).utf8)
            } else {
                text.append(byte)
            }
        }
        guard let valid = String(validating: text, as: UTF8.self) else { throw .malformed }
        return valid
    }

    private mutating func escaped() throws(JSONError) -> Unicode.Scalar {
        guard let byte = next else { throw .malformed }
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try scalar()
        default: throw .malformed
        }
    }

    /// A scalar in one unit of UTF-16, or in a pair; half a pair names no character.
    private mutating func scalar() throws(JSONError) -> Unicode.Scalar {
        let unit = try hexadecimal()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard unit < 0xdc00, skip(UInt8(ascii: "\\")), skip(UInt8(ascii: "u")) else { throw .malformed }
        let low = try hexadecimal()
        guard (0xdc00...0xdfff).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00))
        else { throw .malformed }
        return scalar
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw .malformed }
            value = value << 4 | UInt32(digit)
            place += 1
        }
        return value
    }

    // MARK: Bytes

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        place += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { place += 1 }
    }
}

/// The names of an object that is being read: few are compared one by one, many are looked up.
private struct Names {
    private static let few = 12
    private var many: Set<String> = []

    /// Whether a name is new beside those of the members so far.
    mutating func take(_ name: String, besides members: [JSON.Member]) -> Bool {
        guard members.count >= Self.few else { return !members.contains { $0.name == name } }
        if many.isEmpty { many = Set(members.map { $0.name }) }
        return many.insert(name).inserted
    }
}
