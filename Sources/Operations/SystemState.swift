import TimeKit

/// How the hub itself is doing, as the house tells it.
public struct SystemState: Sendable {
    /// A process that serves requests.
    public struct Worker: Sendable {
        let processID: Int
        let host: String
        let isDraining: Bool
        let busyLanes: Int
        let lanes: Int
        let requests: Int
        let started: Timestamp

        /// A process as its heartbeat tells.
        public init(
            processID: Int, host: String, isDraining: Bool, busyLanes: Int, lanes: Int, requests: Int,
            started: Timestamp
        ) {
            self.processID = processID
            self.host = host
            self.isDraining = isDraining
            self.busyLanes = busyLanes
            self.lanes = lanes
            self.requests = requests
            self.started = started
        }
    }

    /// A kind of background work.
    public struct Job: Sendable {
        let kind: String
        let label: String
        let waiting: Int
        let running: Int
        let failed: Int
        let oldest: Timestamp?

        /// A kind of work and how much of it there is.
        ///
        /// - Parameters:
        ///   - kind: the kind as jobs themselves name it.
        ///   - oldest: since when the longest-waiting one has been due.
        public init(kind: String, label: String, waiting: Int, running: Int, failed: Int, oldest: Timestamp?) {
            self.kind = kind
            self.label = label
            self.waiting = waiting
            self.running = running
            self.failed = failed
            self.oldest = oldest
        }
    }

    /// What is to be sent to webhooks.
    public struct Deliveries: Sendable {
        let waiting: Int
        let due: Int
        let inFlight: Int
        let oldestDue: Timestamp?
        let failures: [(error: String, count: Int)]

        /// How many wait, are due now and are being sent.
        ///
        /// - Parameters:
        ///   - oldestDue: since when the longest-waiting one has been due.
        ///   - failures: how many wait for another attempt, by how the last one failed.
        public init(
            waiting: Int, due: Int, inFlight: Int, oldestDue: Timestamp?, failures: [(error: String, count: Int)]
        ) {
            self.waiting = waiting
            self.due = due
            self.inFlight = inFlight
            self.oldestDue = oldestDue
            self.failures = failures
        }
    }

    /// The schema.
    public struct Schema: Sendable {
        let applied: Int
        let known: Int
        let latest: String
        let appliedAt: Timestamp?
        let complaint: String?

        /// How many of the known migrations are applied, which one last and when.
        ///
        /// - Parameter complaint: why the program cannot work with it; nil when it can.
        public init(applied: Int, known: Int, latest: String, appliedAt: Timestamp?, complaint: String?) {
            self.applied = applied
            self.known = known
            self.latest = latest
            self.appliedAt = appliedAt
            self.complaint = complaint
        }
    }

    /// A master key.
    public struct Key: Sendable {
        /// Whether it is there.
        public enum State: Sendable {
            /// It seals what is new.
            case current
            /// It is there to become the current one.
            case next
            /// It opens what is old.
            case old
            /// Something needs it, and the key ring does not hold it.
            case missing
        }

        let id: String
        let state: State
        let dataKeys: Int

        /// A key and how many data keys it wraps.
        public init(id: String, state: State, dataKeys: Int) {
            self.id = id
            self.state = state
            self.dataKeys = dataKeys
        }
    }

    /// Something that an operator should know.
    public struct Warning: Sendable {
        let title: String
        let text: String

        /// A sentence, and what to do.
        public init(title: String, text: String) {
            self.title = title
            self.text = text
        }
    }

    /// Processes that serve requests.
    public var workers: [Worker]
    /// Background work by kind.
    public var jobs: [Job]
    /// What is to be sent to webhooks.
    public var deliveries: Deliveries?
    /// The schema.
    public var schema: Schema
    /// The key ring, and what it lacks.
    public var keys: [Key]
    /// Settings that should not stay as they are.
    public var warnings: [Warning]
    /// Versions and addresses, each with its label.
    public var about: [(label: String, value: String)]

    /// What the house tells.
    public init(
        workers: [Worker], jobs: [Job], deliveries: Deliveries? = nil, schema: Schema, keys: [Key], warnings: [Warning],
        about: [(label: String, value: String)]
    ) {
        self.workers = workers
        self.jobs = jobs
        self.deliveries = deliveries
        self.schema = schema
        self.keys = keys
        self.warnings = warnings
        self.about = about
    }
}
