import TimeKit

/// How long to wait after each failed attempt at a delivery; after the last wait comes one more attempt, and no other.
public struct RetryProfile: Sendable, Equatable {
    /// The waits, the first after the first attempt.
    public let waits: [Duration]

    /// Standard Webhooks' own: ten attempts over 75 hours and 35 minutes.
    public static let standard = RetryProfile(
        waits: [
            .seconds(5), .minutes(5), .minutes(30), .hours(2), .hours(5), .hours(10), .hours(14), .hours(20),
            .hours(24),
        ])
    /// Seed 1's: five retries, from one second, doubling.
    public static let short = RetryProfile(waits: [1, 2, 4, 8, 16].map { .seconds($0) })

    private init(waits: [Duration]) { self.waits = waits }

    /// Reads `standard`, `short`, or whole seconds separated by commas; nil when it is none of these, when there are more
    /// than thirty waits, or one is longer than a week.
    public init?(_ text: String) {
        switch text {
        case "standard": self = .standard
        case "short": self = .short
        default:
            let seconds = text.split(separator: ",", omittingEmptySubsequences: false).map {
                Int($0.filter { $0 != " " })
            }
            guard (1...30).contains(seconds.count), seconds.allSatisfy({ $0.map((0...604_800).contains) == true })
            else {
                return nil
            }
            waits = seconds.compactMap { $0.map { .seconds($0) } }
        }
    }

    /// How long to wait after so many attempts, with up to a fifth more or less, so that what failed together does not come
    /// back together; nil when there is nothing left to try.
    ///
    /// - Parameter chance: 0 to 1.
    public func wait(after attempts: Int, chance: Double) -> Duration? {
        guard attempts >= 1, attempts <= waits.count else { return nil }
        return waits[attempts - 1] * (0.8 + 0.4 * min(max(chance, 0), 1))
    }
}
