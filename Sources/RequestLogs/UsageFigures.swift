import Domain
import TimeKit

/// Requests counted together.
struct Tally: Sendable, Equatable {
    /// How many.
    var requests = 0
    /// How many of them were answered with 400 or above.
    var failed = 0
    /// How long they took in all, in microseconds.
    var microseconds: Int64 = 0
    /// How many bytes were answered in all.
    var bytes: Int64 = 0
    /// How long each took; empty where it is not kept.
    var latency = LatencyHistogram()

    /// How many were answered below 400.
    var succeeded: Int { requests - failed }
    /// The part that succeeded, in percent; nil of none.
    var successRate: Double? { requests == 0 ? nil : 100 * Double(succeeded) / Double(requests) }
    /// How long one took on the average, in milliseconds; nil of none.
    var averageMilliseconds: Double? {
        requests == 0 ? nil : Double(microseconds) / Double(requests) / 1_000
    }
    /// How long the fastest part of them took at most, in milliseconds, such as 0.95 of them; nil of none.
    func milliseconds(at part: Double) -> Double? { latency.quantile(part).map { $0 / 1_000 } }

    /// Counts others in.
    mutating func add(_ other: Tally) {
        requests += other.requests
        failed += other.failed
        microseconds += other.microseconds
        bytes += other.bytes
        latency.merge(other.latency)
    }
}

/// What a stretch of time is counted in.
enum UsageUnit: String, Sendable, CaseIterable {
    case minute, hour, day

    /// Its length.
    var seconds: Int64 {
        switch self {
        case .minute: 60
        case .hour: 3_600
        case .day: 86_400
        }
    }

    /// The beginning of the unit in which a moment lies.
    func floor(_ moment: Timestamp) -> Timestamp {
        let whole = moment.seconds
        return Timestamp(seconds: whole - (whole % seconds + seconds) % seconds)
    }

    /// The moment itself when a unit begins there, else the beginning of the next.
    func ceiling(_ moment: Timestamp) -> Timestamp {
        let begun = floor(moment)
        return begun == moment ? moment : begun + .seconds(seconds)
    }
}

/// What figures are wanted, as the query says it.
struct UsageQuestion: Sendable, Equatable {
    /// From this moment on; as asked, so it may lie inside a minute.
    var since: Timestamp
    /// Before this moment.
    var until: Timestamp
    /// Of this key or app alone; nil for all that the one who asks may see.
    var actor: [UInt8]?
}

/// The figures of a stretch of time, from roll-ups alone.
struct UsageFigures: Sendable {
    /// Requests within a unit of time.
    struct Point: Sendable, Equatable {
        let at: Timestamp
        let tally: Tally
    }

    /// Requests of an address of the interface; both are empty for the rest of a long list.
    struct Endpoint: Sendable, Equatable {
        let method: String
        let route: String
        let tally: Tally
        /// Whether these are all those beyond what is told apart.
        var isRest: Bool { route.isEmpty }
    }

    /// Requests of one key, app or person.
    struct Subject: Sendable, Equatable {
        let kind: Actor.Kind
        let id: [UInt8]
        /// What they are called; nil when they are no longer known.
        let name: String?
        let tally: Tally
    }

    /// What was counted: whole units, so the range may be a little wider than was asked for.
    let since: Timestamp
    /// Before this moment.
    let until: Timestamp
    /// What the series is counted in.
    let unit: UsageUnit
    /// All of it.
    let total: Tally
    /// By ``unit``, the earliest first, with every unit that had no request.
    let series: [Point]
    /// By day in UTC, the earliest first, with every day that had no request.
    let byDay: [Point]
    /// The most asked for first, with the rest last.
    let byEndpoint: [Endpoint]
    /// The busiest first.
    let bySubject: [Subject]
    /// How many answers began with each digit, from 2 to 5.
    let byStatus: [(hundred: Int, requests: Int)]
}
