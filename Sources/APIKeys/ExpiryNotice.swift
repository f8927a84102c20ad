import TimeKit

/// When it is told that a key will end by itself.
enum ExpiryNotice {
    /// How many days before, each once.
    static let days = [30, 7, 1]

    /// The notice that a key with this end is due for, in days before it; nil when the end is further away.
    ///
    /// A key made with a short life, or given a near end, is noted as told: whoever did so knows.
    static func due(for end: Timestamp?, at now: Timestamp) -> Int? {
        guard let end else { return nil }
        return days.last { end - now <= .days($0) }
    }
}
