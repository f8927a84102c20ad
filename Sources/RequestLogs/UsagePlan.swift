import TimeKit

/// Which rows of which roll-ups make up a stretch of time: the coarsest that fit, so that there are few.
struct UsagePlan: Equatable {
    /// A stretch that is read from one roll-up.
    struct Stretch: Equatable {
        let unit: UsageUnit
        let since: Timestamp
        let until: Timestamp
    }

    /// What is counted: whole minutes, or whole hours or days where minutes or hours are kept no more.
    let since: Timestamp
    let until: Timestamp
    /// What the series is counted in.
    let unit: UsageUnit
    /// The stretches, the earliest first.
    let stretches: [Stretch]

    /// Up to here a series is counted by the minute.
    private static let minutely = Duration.hours(3)
    /// Up to here it is counted by the hour: a week shows its days and nights.
    private static let hourly = Duration.days(8)

    /// A plan; minutes and hours are there from these moments on.
    init(_ question: UsageQuestion, minutesSince: Timestamp, hoursSince: Timestamp) {
        func finest(at moment: Timestamp) -> UsageUnit {
            moment >= minutesSince ? .minute : moment >= hoursSince ? .hour : .day
        }
        since = finest(at: question.since).floor(question.since)
        until = finest(at: question.until).ceiling(question.until)
        let length = until - since
        let wanted: UsageUnit = length <= Self.minutely ? .minute : length <= Self.hourly ? .hour : .day
        let possible = finest(at: since)
        let unit = wanted.seconds > possible.seconds ? wanted : possible
        self.unit = unit
        var stretches: [Stretch] = []
        var here = since
        while here < until {
            let next = Self.next(from: here, until: until, coarsest: unit)
            stretches.append(next)
            here = next.until
        }
        self.stretches = stretches
    }

    /// The longest stretch of one unit from a moment on: of the coarsest that begins there and ends in time.
    private static func next(from here: Timestamp, until end: Timestamp, coarsest: UsageUnit) -> Stretch {
        for unit in UsageUnit.allCases.reversed() where unit.seconds <= coarsest.seconds && unit.floor(here) == here {
            let last = unit.floor(end)
            if last > here {
                // A finer unit ends where a coarser one can go on.
                let coarser = UsageUnit.allCases.first { $0.seconds > unit.seconds && $0.seconds <= coarsest.seconds }
                let stop = coarser.map { min($0.ceiling(here + .seconds(1)), last) } ?? last
                return Stretch(unit: unit, since: here, until: stop)
            }
        }
        return Stretch(unit: .minute, since: here, until: end)
    }
}
