import DatabaseKit
import Domain
import JobKit
import TimeKit

/// How long requests and figures are kept.
extension RequestLogs {
    /// The jobs of this room.
    public var jobs: [JobHandler] {
        [JobHandler("request_logs.retention", every: .hours(1), deadline: .minutes(5)) { run in try keep(run) }]
    }

    /// The kinds of jobs as the system page names them.
    public static let jobLabels = [
        "request_logs.retention": "Make days of the request log ahead, drop those that are over"
    ]

    private func keep(_ run: JobRun) throws {
        try makeAndDropDays()
        while run.remaining > .zero, !run.isStopping, try dropOldFigures() {}
    }

    /// Makes the days ahead of each table that is parted by day, and drops those that are over.
    func makeAndDropDays() throws {
        let store = DayParts(database: database)
        let today = UsageUnit.day.floor(world.now())
        let tables = [
            ("request_logs", settings.logDays), (UsageUnit.minute.table, settings.minuteDays),
            (UsageUnit.hour.table, settings.hourDays),
        ]
        for (table, days) in tables {
            try store.make(table, from: today, through: today + .days(Self.daysAhead))
            try store.drop(table, before: today - .days(days))
        }
    }

    /// Deletes some figures by the day that are over; false when there are no more.
    func dropOldFigures() throws -> Bool {
        let end = UsageUnit.day.floor(world.now()) - .days(settings.dayDays)
        return try database.execute("DELETE FROM usage_days WHERE at < \(end) LIMIT 2000").affectedRows == 2_000
    }

    /// How many days stand ready: as long may the job fail before requests of several days share a part.
    static let daysAhead = 7
}
