import DatabaseKit
import Domain
import JobKit
import TimeKit

/// What is done in the background, and how long things are kept.
extension Webhooks {
    private static let retentionJob = "webhooks.retention"

    /// What is done in the background for this room.
    public var jobs: [JobHandler] {
        [
            JobHandler(Self.replayJob, deadline: Self.replayTurn) { run in try goOn(run) },
            JobHandler(Self.retentionJob, every: .minutes(10), deadline: .minutes(8)) { run in try keep(run) },
        ]
    }

    /// The kinds of jobs as the system page names them.
    public static let jobLabels = [
        replayJob: "Send deliveries to webhooks again",
        retentionJob: "Forget old events with their deliveries, make days of attempts ahead",
    ]

    /// How many days stand ready: as long may the job fail before attempts of several days share a part.
    static let daysAhead = 7
    /// For how long attempts are kept counted by the hour.
    static let figureAge = Duration.days(90)

    private func keep(_ run: JobRun) throws {
        try makeAndDropDays()
        try forgetEvents { run.remaining > .zero && !run.isStopping }
        let retention = retention
        while run.remaining > .zero, !run.isStopping, try retention.forgetReplays() {}
        while run.remaining > .zero, !run.isStopping, try retention.forgetFigures() {}
    }

    /// Makes the days of attempts ahead, and drops those that are over.
    func makeAndDropDays() throws {
        let parts = DayParts(database: database)
        let now = world.now()
        let today = Timestamp(seconds: now.seconds - now.seconds % 86_400)
        try parts.make("delivery_attempts", from: today, through: today + .days(Self.daysAhead))
        try parts.drop("delivery_attempts", before: today - .days(settings.eventDays))
    }

    /// Forgets events that are over with their deliveries, the oldest first, for as long as it may.
    func forgetEvents(while mayGoOn: () -> Bool = { true }) throws {
        let retention = retention
        var last: [UInt8]?
        while mayGoOn(), let next = try retention.forgetEvents(after: last) { last = next }
    }

    var retention: RetentionStore {
        RetentionStore(database: database, world: world, age: .days(settings.eventDays))
    }
}

/// Forgets what is old.
///
/// An event goes together with all of its deliveries, once none of them is to be tried any more and none was finished
/// lately; so no delivery is ever without its event. Attempts go by the day, whatever has become of their delivery.
struct RetentionStore: Sendable {
    let database: Database
    let world: World
    let age: Duration

    /// How many events are looked at in one transaction: few, since each may have as many deliveries as there are
    /// webhooks.
    static let part = 100

    /// Looks at some old events after one, and forgets those that are over.
    ///
    /// - Returns: the last that was looked at; nil when there was none.
    func forgetEvents(after last: [UInt8]?) throws -> [UInt8]? {
        let end = world.now() - age
        return try database.transaction(isolation: .readCommitted) { transaction in
            let old: [[UInt8]] = try transaction.rows(Self.eventStatement(after: last, before: end)).map {
                try $0.get("id")
            }
            var kept: Set<[UInt8]> = []
            for part in Chunks.of(old) {
                // All of them are held, so that none is made due between this look and its end.
                for row in try transaction.rows(Self.deliveryStatement(part)) {
                    let finishedAt: Timestamp? = try row.get("finished_at")
                    if finishedAt.map({ $0 >= end }) ?? true { kept.insert(try row.get("event_id")) }
                }
            }
            for part in Chunks.of(old.filter { !kept.contains($0) }) {
                try transaction.execute("DELETE FROM deliveries WHERE event_id IN (\(list: part))")
                try transaction.execute("DELETE FROM events WHERE id IN (\(list: part))")
            }
            return old.last
        }
    }

    /// What somebody else holds is left for the next time.
    static func eventStatement(after last: [UInt8]?, before end: Timestamp) -> SQL {
        """
        SELECT id
          FROM events FORCE INDEX (PRIMARY)
         WHERE id > \(last ?? []) AND id < \(end.lowest) AND created_at < \(end)
         ORDER BY id
         LIMIT \(part)
           FOR UPDATE SKIP LOCKED
        """
    }

    static func deliveryStatement(_ events: ArraySlice<[UInt8]>) -> SQL {
        """
        SELECT event_id, finished_at
          FROM deliveries FORCE INDEX (pair)
         WHERE event_id IN (\(list: events))
           FOR UPDATE
        """
    }

    /// Forgets some replays that ended; false when there are no more.
    func forgetReplays() throws -> Bool {
        let end = (world.now() - age).lowest
        return try database.execute(
            "DELETE FROM replays WHERE id < \(end) AND state <> 'running' LIMIT 1000"
        ).affectedRows == 1_000
    }

    /// Forgets some old hours; false when there are no more.
    func forgetFigures() throws -> Bool {
        try database.execute(
            "DELETE FROM webhook_hours WHERE at < \(world.now() - Webhooks.figureAge) LIMIT 1000"
        ).affectedRows == 1_000
    }
}
