import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import LogKit
import TimeKit

/// What was asked of the interface, request by request and in figures.
///
/// Requests are written by workers into files of their host (``RequestSpool``), and from there into the database by
/// `hub work` (``Ingesting``); nothing here is on the way of an answer.
public struct RequestLogs: Sendable {
    /// For how long what is kept.
    public struct Settings: Sendable, Equatable {
        /// Days of requests, line by line.
        public var logDays: Int
        /// Days of figures by the minute.
        public var minuteDays: Int
        /// Days of figures by the hour.
        public var hourDays: Int
        /// Days of figures by the day.
        public var dayDays: Int

        /// The defaults, in days.
        public init(logDays: Int = 30, minuteDays: Int = 2, hourDays: Int = 90, dayDays: Int = 1_095) {
            self.logDays = logDays
            self.minuteDays = minuteDays
            self.hourDays = hourDays
            self.dayDays = dayDays
        }
    }

    let database: Database
    let world: World
    let settings: Settings
    let directory: ActorDirectory
    let neighbours: Neighbours
    let log: Log

    /// The room.
    ///
    /// - Parameter neighbours: where the things that the log speaks of have their pages.
    public init(
        database: Database, world: World, settings: Settings = Settings(), log: Log = Log(),
        neighbours: Neighbours = Neighbours()
    ) {
        self.database = database
        self.world = world
        self.settings = settings
        self.log = log
        self.neighbours = neighbours
        directory = ActorDirectory(database)
    }

    /// The routes and who performs them.
    public var routes: RoomRoutes {
        RoomRoutes(RequestLogsRoute.self) { route, call in
            switch route {
            case .log: try logPage(call)
            case .entry(let id): try entryPage(id, call)
            case .usage: try usagePage(call)
            case .logJSON: try logJSON(call)
            case .entryJSON(let id): try entryJSON(id, call)
            case .usageJSON: try usageJSON(call)
            }
        }
    }

    /// Requests, the newest first, of those that the one who asks may see.
    func entries(
        _ filter: LogFilter, after last: Identifier<LoggedRequest>?, limit: Int, by scope: OrganizationScope
    ) throws -> [LogEntry] {
        try store(scope).entries(filter, after: last, limit: limit)
    }

    /// One request, if the one who asks may see it.
    func entry(_ id: Identifier<LoggedRequest>, by scope: OrganizationScope) throws -> LogEntry? {
        try store(scope).entry(id)
    }

    /// The figures of a stretch of time, of those requests that the one who asks may see.
    func figures(_ question: UsageQuestion, by scope: OrganizationScope) throws -> UsageFigures {
        try UsageStore(database: database, world: world, settings: settings, directory: directory, scope: scope)
            .figures(question)
    }

    func store(_ scope: OrganizationScope) throws -> LogStore {
        LogStore(database: database, directory: directory, scope: scope, visible: try directory.visible(to: scope))
    }
}
