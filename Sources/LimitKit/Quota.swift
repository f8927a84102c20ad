import TimeKit

/// Over how long a quota counts: always the time up to now, never a fixed hour of the clock.
///
/// Three, because a slot keeps a ring of counts for each of them.
public enum LimitWindow: Int, Sendable, CaseIterable {
    /// The last 60 seconds.
    case minute
    /// The last 60 minutes.
    case hour
    /// The last 24 hours.
    case day

    /// How long it is, in seconds.
    public var seconds: Int {
        switch self {
        case .minute: 60
        case .hour: 3_600
        case .day: 86_400
        }
    }

    /// How long it is.
    public var duration: Duration { .seconds(seconds) }

    /// The longest window: what is older counts nowhere.
    static let longest = LimitWindow.day
}

/// So much within any window: a policy as `RateLimit-Policy` names it.
///
/// A quota keeps no counts, so its limit may change at any time: what was counted stays counted.
public struct Quota: Equatable, Sendable {
    /// What it is called in headers and problems: printable ASCII, such as `minute`.
    public let name: String
    /// How much may be taken within any window; 0 allows nothing.
    public let limit: Int
    /// Over how long it counts.
    public let window: LimitWindow

    /// A quota of a name of its own; a limit below zero counts as zero.
    public init(name: String, limit: Int, window: LimitWindow) {
        self.name = name
        self.limit = max(0, limit)
        self.window = window
    }

    /// So much a minute, named `minute`.
    public static func minute(_ limit: Int) -> Quota { Quota(name: "minute", limit: limit, window: .minute) }
    /// So much an hour, named `hour`.
    public static func hour(_ limit: Int) -> Quota { Quota(name: "hour", limit: limit, window: .hour) }
    /// So much a day, named `day`.
    public static func day(_ limit: Int) -> Quota { Quota(name: "day", limit: limit, window: .day) }
}
