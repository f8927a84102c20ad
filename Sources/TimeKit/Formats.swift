extension Timestamp {
    /// RFC 3339 in UTC with milliseconds: `2026-11-21T11:24:05.120Z`.
    public var rfc3339: String {
        formatted(fraction: 3, separator: 0x54, zone: 0x5a)
    }

    /// The text of a `DATETIME(6)`: `2026-11-21 11:24:05.120000`.
    public var sql: String {
        formatted(fraction: 6, separator: 0x20, zone: nil)
    }

    /// The preferred date of HTTP: `Sat, 21 Nov 2026 11:24:05 GMT`.
    ///
    /// > IMF-fixdate = day-name "," SP date1 SP time-of-day SP GMT     RFC 9110 §5.6.7
    public var httpDate: String {
        let parts = Calendar(self)
        let day = Self.weekdays[parts.weekday]
        let month = Self.months[parts.month - 1]
        let time = "\(two(parts.hour)):\(two(parts.minute)):\(two(parts.second))"
        return "\(day), \(two(parts.day)) \(month) \(padded(parts.year, 4)) \(time) GMT"
    }

    /// Reads RFC 3339 with any offset and up to nine decimals; nil when it is anything else.
    ///
    /// The offset may lead out of the years 0000 to 9999, which is all that a DATETIME can say: bound what is stored.
    ///
    /// > date-time = full-date "T" full-time     RFC 3339 §5.6
    public init?(rfc3339 text: String) {
        var scanner = DigitScanner(text.utf8)
        guard let year = scanner.number(digits: 4), scanner.skip("-"), let month = scanner.number(digits: 2),
            scanner.skip("-"), let day = scanner.number(digits: 2),
            scanner.skip("T") || scanner.skip("t") || scanner.skip(" "),
            let hour = scanner.number(digits: 2), scanner.skip(":"), let minute = scanner.number(digits: 2),
            scanner.skip(":"), let second = scanner.number(digits: 2), let fraction = scanner.fraction(),
            let offset = scanner.offset(), scanner.isAtEnd
        else { return nil }
        let parts = Calendar(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second, microsecond: fraction)
        guard let local = parts.timestamp else { return nil }
        self = local - .minutes(offset)
    }

    /// Reads the preferred date of HTTP; nil when it is anything else.
    public init?(httpDate text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 6, let month = Self.months.firstIndex(of: String(words[2])) else { return nil }
        var scanner = DigitScanner("\(words[1]) \(words[3]) \(words[4])".utf8)
        guard let day = scanner.number(digits: 2), scanner.skip(" "), let year = scanner.number(digits: 4),
            scanner.skip(" "), let hour = scanner.number(digits: 2), scanner.skip(":"),
            let minute = scanner.number(digits: 2), scanner.skip(":"), let second = scanner.number(digits: 2),
            scanner.isAtEnd,
            let moment = Calendar(
                year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second
            ).timestamp, moment.httpDate == text
        else { return nil }
        self = moment
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Written digit by digit into bytes: every record of every list holds some of these.
    private func formatted(fraction digits: Int, separator: UInt8, zone: UInt8?) -> String {
        let parts = Calendar(self)
        var text: [UInt8] = []
        text.reserveCapacity(28)
        func append(_ number: Int, _ width: Int, _ mark: UInt8?) {
            var divisor = (1..<width).reduce(1) { product, _ in product * 10 }
            while divisor > 0 {
                text.append(UInt8(48 + number / divisor % 10))
                divisor /= 10
            }
            if let mark { text.append(mark) }
        }
        append(parts.year, 4, 0x2d)
        append(parts.month, 2, 0x2d)
        append(parts.day, 2, separator)
        append(parts.hour, 2, 0x3a)
        append(parts.minute, 2, 0x3a)
        append(parts.second, 2, 0x2e)
        append(digits == 3 ? parts.microsecond / 1_000 : parts.microsecond, digits, zone)
        return String(decoding: text, as: UTF8.self)
    }

    private func two(_ number: Int) -> String { padded(number, 2) }

    private func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return digits.count >= width ? digits : String(repeating: "0", count: width - digits.count) + digits
    }
}

/// Reads the fixed-width numbers of a date, one after another.
private struct DigitScanner<Bytes: BidirectionalCollection> where Bytes.Element == UInt8 {
    private var rest: Bytes.SubSequence

    init(_ bytes: Bytes) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == character.value else { return false }
        rest.removeFirst()
        return true
    }

    mutating func number(digits: Int) -> Int? {
        var value = 0
        for _ in 0..<digits {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// Microseconds from an optional fraction of up to nine digits.
    mutating func fraction() -> Int? {
        guard skip(".") else { return 0 }
        var value = 0
        var count = 0
        while let digit = digit() {
            count += 1
            if count <= 6 { value = value * 10 + digit }
        }
        guard (1...9).contains(count) else { return nil }
        for _ in 0..<max(0, 6 - count) { value *= 10 }
        return value
    }

    /// Minutes east of UTC.
    mutating func offset() -> Int? {
        if skip("Z") || skip("z") { return 0 }
        let sign = skip("+") ? 1 : skip("-") ? -1 : 0
        guard sign != 0, let hours = number(digits: 2), hours < 24, skip(":"), let minutes = number(digits: 2),
            minutes < 60
        else { return nil }
        return sign * (hours * 60 + minutes)
    }

    private mutating func digit() -> Int? {
        guard let first = rest.first, (48...57).contains(first) else { return nil }
        rest.removeFirst()
        return Int(first) - 48
    }
}
