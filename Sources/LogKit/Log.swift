import TimeKit

#if canImport(Glibc)
import Glibc
#endif

/// How much a line of the log matters.
public enum LogLevel: String, Sendable, Comparable {
    /// What a developer wants to see while looking for a fault.
    case debug
    /// What happened in the ordinary course.
    case info
    /// What went wrong and mended itself, or will need a person soon.
    case warning
    /// What went wrong and needs a person.
    case error

    private var rank: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }

    /// Orders levels by weight.
    public static func < (one: LogLevel, other: LogLevel) -> Bool { one.rank < other.rank }
}

/// Writes structured lines: a fixed sentence plus fields, as one JSON object and one `write(2)` each.
///
/// Lines of several processes do not interleave on a descriptor opened with `O_APPEND`, since each is written at once.
/// The sentence is a `StaticString`, so nothing from outside can become part of it; control characters in fields are
/// escaped, so a field cannot forge a line.
public struct Log: Sendable {
    /// The value of a field: text, a whole number or a truth.
    public enum Field: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
        ExpressibleByBooleanLiteral, ExpressibleByStringInterpolation
    {
        /// Text, escaped when written.
        case text(String)
        /// A whole number.
        case number(Int64)
        /// True or false.
        case truth(Bool)

        /// Text.
        public init(stringLiteral value: String) { self = .text(value) }
        /// A whole number.
        public init(integerLiteral value: Int64) { self = .number(value) }
        /// True or false.
        public init(booleanLiteral value: Bool) { self = .truth(value) }
        /// Text.
        public init(_ text: String) { self = .text(text) }
        /// A whole number.
        public init(_ number: some BinaryInteger) { self = .number(Int64(clamping: number)) }
    }

    private let fields: [(String, Field)]
    private let descriptor: Int32
    private let threshold: LogLevel

    /// A log that puts these fields on each line and writes to a descriptor, standard error unless told otherwise.
    public init(_ fields: KeyValuePairs<String, Field> = [:], threshold: LogLevel = .info, descriptor: Int32 = 2) {
        self.fields = fields.map { ($0.key, $0.value) }
        self.descriptor = descriptor
        self.threshold = threshold
    }

    private init(fields: [(String, Field)], threshold: LogLevel, descriptor: Int32) {
        self.fields = fields
        self.threshold = threshold
        self.descriptor = descriptor
    }

    /// The same log with more fields on each line.
    public func with(_ more: KeyValuePairs<String, Field>) -> Log {
        Log(fields: fields + more.map { ($0.key, $0.value) }, threshold: threshold, descriptor: descriptor)
    }

    /// What a developer wants to see.
    public func debug(_ sentence: StaticString, _ fields: KeyValuePairs<String, Field> = [:]) {
        write(.debug, sentence, fields)
    }

    /// What happened in the ordinary course.
    public func info(_ sentence: StaticString, _ fields: KeyValuePairs<String, Field> = [:]) {
        write(.info, sentence, fields)
    }

    /// What went wrong and mended itself, or will need a person soon.
    public func warning(_ sentence: StaticString, _ fields: KeyValuePairs<String, Field> = [:]) {
        write(.warning, sentence, fields)
    }

    /// What went wrong and needs a person.
    public func error(_ sentence: StaticString, _ fields: KeyValuePairs<String, Field> = [:]) {
        write(.error, sentence, fields)
    }

    /// The line as it would be written, its newline included.
    func line(
        _ level: LogLevel, _ sentence: StaticString, _ more: KeyValuePairs<String, Field>, at moment: Timestamp
    ) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(512)
        line.append(contentsOf: "{\"time\":\"\(moment.rfc3339)\",\"level\":\"\(level.rawValue)\",\"message\":".utf8)
        appendQuoted("\(sentence)", to: &line)
        for (name, field) in fields { append(name, field, to: &line) }
        for (name, field) in more { append(name, field, to: &line) }
        line.append(contentsOf: "}\n".utf8)
        return line
    }

    private func write(_ level: LogLevel, _ sentence: StaticString, _ more: KeyValuePairs<String, Field>) {
        guard level >= threshold else { return }
        unsafe line(level, sentence, more, at: .now()).withUnsafeBufferPointer { bytes in
            // A signal may come before the first byte is written; a line is not worth losing for that.
            while unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count) < 0, errno == EINTR {}
        }
    }
}

private func append(_ name: String, _ field: Log.Field, to line: inout [UInt8]) {
    line.append(UInt8(ascii: ","))
    appendQuoted(name, to: &line)
    line.append(UInt8(ascii: ":"))
    switch field {
    case .text(let text): appendQuoted(text, to: &line)
    case .number(let number): line.append(contentsOf: String(number).utf8)
    case .truth(let truth): line.append(contentsOf: (truth ? "true" : "false").utf8)
    }
}

/// Appends text as a JSON string, control characters escaped.
private func appendQuoted(_ text: String, to line: inout [UInt8]) {
    line.append(UInt8(ascii: "\""))
    // Nearly all of them are ids, addresses and words, and a line is written for nearly each request.
    if text.utf8.allSatisfy({ (0x20...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
        line.append(contentsOf: text.utf8)
    } else {
        for scalar in text.unicodeScalars { line.append(contentsOf: escaped(scalar).utf8) }
    }
    line.append(UInt8(ascii: "\""))
}

private func escaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\"": return "\\\""
    case "\\": return "\\\\"
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    case _
    where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || (0x2028...0x2029).contains(scalar.value):
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: return String(scalar)
    }
}
