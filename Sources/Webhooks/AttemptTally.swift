import Domain
import TimeKit

/// Attempts counted together.
struct AttemptTally: Sendable, Equatable {
    /// How many.
    var attempts = 0
    /// How many of them the receiver took.
    var delivered = 0
    /// How long they took in all, in microseconds.
    var microseconds: Int64 = 0
    /// How long each took.
    var latency = LatencyHistogram()

    /// How many the receiver did not take.
    var failed: Int { attempts - delivered }

    /// How long the fastest part of them took at most, such as 0.95 of them; nil of none.
    func duration(at part: Double) -> Duration? {
        latency.quantile(part).map { .microseconds(Int64($0.rounded())) }
    }

    /// Counts an attempt.
    mutating func count(microseconds: Int64, isDelivered: Bool) {
        attempts += 1
        if isDelivered { delivered += 1 }
        self.microseconds += microseconds
        latency.count(microseconds: microseconds)
    }

    /// Counts others in.
    mutating func add(_ other: AttemptTally) {
        attempts += other.attempts
        delivered += other.delivered
        microseconds += other.microseconds
        latency.merge(other.latency)
    }
}
