import LimitKit

/// How many requests a credential is good for.
public struct RateLimit: Sendable, Equatable {
    /// In a minute.
    public var perMinute: Int
    /// In an hour.
    public var perHour: Int
    /// In a day.
    public var perDay: Int

    /// Three limits, each at least one.
    public init(perMinute: Int = 60, perHour: Int = 1_000, perDay: Int = 10_000) {
        self.perMinute = perMinute
        self.perHour = perHour
        self.perDay = perDay
    }
}

extension RateLimit {
    /// The limits as they are counted.
    public var quotas: [Quota] { [.minute(perMinute), .hour(perHour), .day(perDay)] }

    /// A time in which requests are counted, the shortest first.
    public enum Span: String, CaseIterable {
        case minute, hour, day

        /// The limit's name as people and scripts send it.
        public var field: String { "rate_limit.requests_per_\(rawValue)" }
    }

    /// The limit of a time.
    public subscript(span: Span) -> Int {
        get {
            switch span {
            case .minute: perMinute
            case .hour: perHour
            case .day: perDay
            }
        }
        set {
            switch span {
            case .minute: perMinute = newValue
            case .hour: perHour = newValue
            case .day: perDay = newValue
            }
        }
    }
}
