import TimeKit

/// A horizontal axis of equal spans of time in UTC, such as the 24 hours of a day.
public struct TimeAxis: Sendable, Equatable {
    /// When the first span begins; for spans of days, at midnight.
    public let start: Timestamp
    /// How long each span is: a minute or more.
    public let span: Duration

    /// Spans from a moment on.
    public init(start: Timestamp, span: Duration) {
        self.start = start
        self.span = max(span, .minutes(1))
    }

    /// When a span begins.
    public func moment(_ index: Int) -> Timestamp {
        start + .microseconds(span.microseconds.multipliedReportingOverflow(by: Int64(index)).partialValue)
    }

    /// A span in words: `21 Nov, 14:00`, or `Sat 21 Nov` for a day.
    public func name(_ index: Int) -> String {
        let moment = moment(index)
        let parts = Calendar(moment)
        let day = "\(parts.day) \(Self.months[parts.month - 1])"
        guard span.microseconds >= Duration.days(1).microseconds else { return "\(day), \(Self.clock(parts))" }
        return "\(Self.weekday(moment)) \(day)"
    }

    /// What one span is called: `minute`, `hour`, `day`, or `6 hours`.
    public var noun: String {
        let minutes = span.microseconds / 60_000_000
        let (count, unit) =
            minutes % 1_440 == 0
            ? (minutes / 1_440, "day") : minutes % 60 == 0 ? (minutes / 60, "hour") : (minutes, "minute")
        return count == 1 ? unit : "\(count) \(unit)s"
    }

    /// How often a span begins, to be read after what is counted: `by hour`, `every 6 hours`.
    public var pace: String { noun.contains(" ") ? "every \(noun)" : "by \(noun)" }

    // MARK: Words along the axis

    /// A word beneath a span.
    struct Mark: Equatable {
        let index: Int
        let label: String
        /// Whether there is room for it on wide pages alone.
        let isFine: Bool
    }

    /// The words beneath so many spans, at round times.
    ///
    /// They are spaced for the narrowest plot first: on a page of 360 px a plot is some 240 px wide, and a word with its
    /// distance takes 54 of them. Further words, of a step that divides the first, are for plots of 580 px and more.
    func marks(_ count: Int) -> [Mark] {
        let length = Double(count) * Double(span.microseconds) / 1e6
        guard count > 0 else { return [] }
        let coarse = Step.all.first { Double($0.seconds) >= length * 0.224 } ?? .months(12)
        let fine = Step.all.first { Double($0.seconds) >= length * 0.1 && $0.divides(coarse) } ?? coarse
        return (0..<count).compactMap { index in
            let moment = moment(index)
            guard fine.isAt(moment) else { return nil }
            return Mark(index: index, label: Self.label(moment), isFine: !coarse.isAt(moment))
        }
    }

    private static func label(_ moment: Timestamp) -> String {
        let parts = Calendar(moment)
        guard parts.hour == 0, parts.minute == 0 else { return clock(parts) }
        return parts.day == 1 && parts.month == 1 ? "\(parts.year)" : "\(parts.day) \(months[parts.month - 1])"
    }

    private static func clock(_ parts: Calendar) -> String {
        "\(parts.hour < 10 ? "0" : "")\(parts.hour):\(parts.minute < 10 ? "0" : "")\(parts.minute)"
    }

    /// 1970-01-01 was a Thursday.
    private static func weekday(_ moment: Timestamp) -> String {
        let days = ((moment.seconds / 86_400) % 7 + 7) % 7
        return ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(days)]
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}

/// The round times at which an axis may have its words.
private enum Step {
    case minutes(Int64)
    case days(Int64)
    case weeks
    case halfMonths
    case months(Int)

    static let all: [Step] =
        [1, 5, 10, 15, 30, 60, 120, 180, 360, 720].map(Step.minutes) + [.days(1), .days(2), .weeks, .halfMonths]
        + [1, 2, 3, 6, 12].map(Step.months)

    /// The least time from one to the next.
    var seconds: Int64 {
        switch self {
        case .minutes(let count): count * 60
        case .days(let count): count * 86_400
        case .weeks: 7 * 86_400
        case .halfMonths: 14 * 86_400
        case .months(let count): Int64(count) * 28 * 86_400
        }
    }

    /// Whether a moment is one of these times.
    func isAt(_ moment: Timestamp) -> Bool {
        let seconds = moment.seconds
        let parts = Calendar(moment)
        let isMidnight = seconds % 86_400 == 0
        switch self {
        case .minutes(let count): return seconds % (count * 60) == 0
        case .days(let count): return isMidnight && seconds / 86_400 % count == 0
        // Mondays: the first was 1970-01-05.
        case .weeks: return isMidnight && (seconds / 86_400 + 3) % 7 == 0
        case .halfMonths: return isMidnight && (parts.day == 1 || parts.day == 15)
        case .months(let count): return isMidnight && parts.day == 1 && (parts.month - 1) % count == 0
        }
    }

    /// Whether each time of another step is one of these, so that words stay evenly spaced.
    func divides(_ other: Step) -> Bool {
        switch (self, other) {
        case (.minutes(let few), .minutes(let many)): many % few == 0
        case (.minutes(let few), .days): 1_440 % few == 0
        case (.days(let few), .days(let many)): many % few == 0
        case (.days(1), .weeks), (.weeks, .weeks): true
        case (.halfMonths, .halfMonths), (.halfMonths, .months): true
        case (.months(let few), .months(let many)): many % few == 0
        default: false
        }
    }
}
