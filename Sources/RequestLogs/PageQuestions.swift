import AdminShell
import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import TimeKit

extension RequestLogs {
    /// What the log's page is asked for: what scripts ask for, and besides a range that ends now and a way back.
    struct LogPageQuestion {
        let filter: LogFilter
        let part: Listing<LoggedRequest>
        /// The request after which, in the order of time, the page begins; nil where it goes back in time.
        let newer: Identifier<LoggedRequest>?
        /// The range that was chosen; nil where days were named, which count for more.
        let range: RecentRange?
        let wantsTable: Bool

        init(_ request: Request, now: Timestamp) throws(Problem) {
            var query = Input(try request.query())
            var filter = LogFilter(&query)
            part = Listing(&query)
            newer = query.parsed("newer", orSay: "This is no cursor of ours.") { text in
                Base64URL.decode(text).flatMap { Identifier<LoggedRequest>(bytes: $0) }
            }
            let range = RecentRange(&query)
            let format = query.parsed("format", orSay: "There is csv only.") { $0 == "csv" ? $0 : nil }
            guard query.isComplete else { throw query.refusal }
            self.range = filter.since == nil && filter.until == nil ? range : nil
            if let length = self.range?.length { filter.since = now - length }
            self.filter = filter
            wantsTable = format != nil || request.headers["accept"]?.hasPrefix("text/csv") == true
        }

        /// The same as a table.
        var table: LogQuestion { LogQuestion(filter: filter, part: part, wantsTable: true) }
    }

    /// A part of the log, the newest first.
    struct LogPart {
        let entries: [LogEntry]
        let hasNewer: Bool
        let hasOlder: Bool
    }

    /// The part that a page asks for; one that begins with the newest request when there are no more above it than fit.
    func part(_ question: LogPageQuestion, of store: LogStore) throws -> LogPart {
        let limit = question.part.limit
        if let newer = question.newer {
            let found = try store.entries(question.filter, newerThan: newer, limit: limit + 1)
            if found.count > limit {
                return LogPart(entries: found.prefix(limit).reversed(), hasNewer: true, hasOlder: true)
            }
        }
        let last = question.newer == nil ? question.part.last : nil
        let found = try store.entries(question.filter, after: last, limit: limit + 1)
        return LogPart(entries: Array(found.prefix(limit)), hasNewer: last != nil, hasOlder: found.count > limit)
    }

    /// What the page of figures is asked for: a range that ends now, or days, which count for more.
    struct UsagePageQuestion {
        let asked: UsageQuestion
        let range: RecentRange?
        /// The table that is wanted; nil for the page.
        let table: UsageTable?

        init(_ request: Request, of room: RequestLogs) throws(Problem) {
            var query = Input(try request.query())
            let range = RecentRange(&query)
            table = room.usageTable(&query, request)
            let hasDays = try request.query().pairs.contains {
                ["start_date", "end_date"].contains($0.name) && !$0.value.isEmpty
            }
            var asked = try room.usageQuestion(&query)
            self.range = hasDays ? nil : range ?? .month
            if let length = self.range?.length { asked.since = asked.until - length }
            self.asked = asked
        }
    }

    /// All of a stretch of time counted together.
    func total(_ question: UsageQuestion, by scope: OrganizationScope) throws -> Tally {
        try UsageStore(database: database, world: world, settings: settings, directory: directory, scope: scope)
            .total(question)
    }
}

extension RequestLogs.LogQuestion {
    /// A question put together elsewhere.
    init(filter: LogFilter, part: Listing<LoggedRequest>, wantsTable: Bool) {
        self.filter = filter
        self.part = part
        self.wantsTable = wantsTable
    }
}

extension UsageQuestion {
    /// The same question about the stretch of the same length before.
    var before: UsageQuestion { UsageQuestion(since: since - (until - since), until: since, actor: actor) }
}

extension LogStore {
    /// The requests just after one in the order of time, the one nearest to it first.
    func entries(
        _ filter: LogFilter, newerThan first: Identifier<LoggedRequest>, limit: Int
    ) throws -> [LogEntry] {
        let rows = try database.rows(
            """
            SELECT \(Self.columns)
              FROM request_logs r
             WHERE r.organization_id = \(scope.organization) AND \(filter.condition) AND \(mine)
               AND r.id > \(first) AND r.at >= \(first.made)
             ORDER BY r.id
             LIMIT \(limit)
            """)
        return try named(rows)
    }
}
