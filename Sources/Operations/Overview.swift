import AdminShell
import TimeKit

/// What stands on an organization's first page, as the other rooms tell it.
public struct Overview: Sendable {
    /// How something is meant.
    public enum Tone: String, Sendable {
        /// All is well.
        case good
        /// It needs somebody soon.
        case warn
        /// It needs somebody now.
        case bad
        /// It rests.
        case off
        /// Neither good nor bad.
        case none
    }

    /// One thing that needs a person.
    public struct Attention: Sendable {
        let isGrave: Bool
        let title: String
        let text: String
        let path: String?
        let label: String

        /// A thing, and where to mend it.
        ///
        /// - Parameters:
        ///   - isGrave: it does not work now, rather than soon.
        ///   - path: below the mount prefix.
        public init(isGrave: Bool, title: String, text: String, path: String? = nil, label: String = "Review") {
            self.isGrave = isGrave
            self.title = title
            self.text = text
            self.path = path
            self.label = label
        }
    }

    /// How many connections are in one state.
    public struct ConnectionState: Sendable {
        let label: String
        let tone: Tone
        let count: Int

        /// A state by its name; those whose tone is `good` count as healthy.
        public init(_ label: String, _ tone: Tone, count: Int) {
            self.label = label
            self.tone = tone
            self.count = count
        }
    }

    /// What somebody did.
    public struct Change: Sendable {
        let actor: String
        let text: String
        let tone: Tone
        let at: Timestamp

        /// What somebody did, read after their name: `connected Telegram “alerts”`.
        public init(actor: String, text: String, tone: Tone, at: Timestamp) {
            self.actor = actor
            self.text = text
            self.tone = tone
            self.at = at
        }
    }

    /// A key that will end by itself.
    public struct ExpiringKey: Sendable {
        let name: String
        let at: Timestamp

        /// A key and its end.
        public init(name: String, at: Timestamp) {
            self.name = name
            self.at = at
        }
    }

    /// What was asked of the interface in the last 24 hours.
    public struct Requests: Sendable {
        let count: Int
        let failed: Int
        let slowest: Duration?
        let chart: BarChart

        /// How many there were, how many failed, what 95 % of them took at most, and their course.
        public init(count: Int, failed: Int, slowest: Duration?, chart: BarChart) {
            self.count = count
            self.failed = failed
            self.slowest = slowest
            self.chart = chart
        }
    }

    /// Where things are, below the mount prefix.
    public struct Paths: Sendable {
        let connections: String
        let newConnection: String
        let keys: String
        let newKey: String
        let people: String
        let changes: String
        let usage: String

        /// The paths of the other rooms' pages.
        public init(
            connections: String, newConnection: String, keys: String, newKey: String, people: String, changes: String,
            usage: String
        ) {
            self.connections = connections
            self.newConnection = newConnection
            self.keys = keys
            self.newKey = newKey
            self.people = people
            self.changes = changes
            self.usage = usage
        }
    }

    /// What needs a person besides keys that end, the gravest first.
    public var attention: [Attention]
    /// What was asked of the interface; nil for whoever may not see it.
    public var requests: Requests?
    /// Connections by state, those without any left out or not.
    public var connections: [ConnectionState]
    /// Keys that open something now.
    public var activeKeys: Int
    /// Those of them that end soon, the first to end first.
    public var expiringKeys: [ExpiringKey]
    /// How many people belong to the organization.
    public var people: Int
    /// How many changes there were in the last seven days.
    public var changesThisWeek: Int
    /// The latest changes, the newest first.
    public var changes: [Change]
    /// Where things are.
    public var paths: Paths

    /// What the rooms tell.
    public init(
        attention: [Attention], requests: Requests? = nil, connections: [ConnectionState], activeKeys: Int,
        expiringKeys: [ExpiringKey],
        people: Int,
        changesThisWeek: Int, changes: [Change], paths: Paths
    ) {
        self.attention = attention
        self.requests = requests
        self.connections = connections.filter { $0.count > 0 }
        self.activeKeys = activeKeys
        self.expiringKeys = expiringKeys
        self.people = people
        self.changesThisWeek = changesThisWeek
        self.changes = changes
        self.paths = paths
    }
}
