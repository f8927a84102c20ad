import TimeKit

/// The field `Retry-After` (RFC 9110 §10.2.3): how long a server wants to be left in peace.
public enum RetryAfter {
    /// The wait that a value asks for, given in seconds (some servers add a fraction) or as a date; nil when it is neither.
    ///
    /// A date that has passed asks for no wait; nothing asks for more than eleven days.
    public static func wait(_ value: String, now: Timestamp) -> Duration? {
        if let seconds = Double(value), seconds.isFinite {
            return .milliseconds(Int64((min(max(seconds, 0), 1e6) * 1_000).rounded(.up)))
        }
        return Timestamp(httpDate: value).map { max(.zero, $0 - now) }
    }
}
