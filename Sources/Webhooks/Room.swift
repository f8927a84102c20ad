import AdminShell
import ClientKit
import DatabaseKit
import Domain
import HTTPKit
import LogKit
import TimeKit

/// Who is told of events, and the telling itself: nothing that was taken is lost.
public struct Webhooks: Sendable {
    /// How webhooks are kept and served.
    public struct Settings: Sendable {
        /// How long to wait after each failed attempt.
        public var retries = RetryProfile.standard
        /// How long an attempt may take in all; well below the lease.
        public var timeout = Duration.seconds(30)
        /// How many webhooks a user may have.
        public var maxPerUser = 20
        /// Whether a webhook may be called without TLS.
        public var allowsHTTP = false
        /// The most deliveries under way at once, in this process.
        public var atOnce = 512
        /// The most of them to one receiver.
        public var atOncePerReceiver = 32
        /// The most tests of webhooks under way at once, in this process: each occupies a lane.
        public var testsAtOnce = 8
        /// For how many days events are kept, with what was sent of them.
        public var eventDays = 30

        /// The settings that seed 1 and Standard Webhooks ask for.
        public init() {}
    }

    let database: Database
    let world: World
    let vault: Vault
    let client: Client
    let log: Log
    let settings: Settings
    let audit: AuditTrail
    let outbox: DomainEvents
    let neighbours: Neighbours
    let gathering = Gathering<Identifier<Organization>, NewEvent, TakenEvent?>()
    let audiences = Audiences()
    let trials = Trials()
    /// Tells others of an event of the hub's own, in the transaction that hands it on: once, whatever crashes.
    let tellOthers: @Sendable (HubEvent, Transaction) throws -> Void
    /// Tells the dispatcher of this host that something is due.
    let wake: @Sendable () -> Void

    /// The room.
    ///
    /// - Parameters:
    ///   - neighbours: what other rooms know.
    ///   - tellOthers: called for each event of the hub's own, in the transaction that hands it on.
    ///   - wake: called after each commit that makes a delivery due.
    public init(
        database: Database, world: World, vault: Vault, client: Client, log: Log = Log(),
        settings: Settings = Settings(), neighbours: Neighbours = Neighbours(),
        tellOthers: @escaping @Sendable (HubEvent, Transaction) throws -> Void = { _, _ in },
        wake: @escaping @Sendable () -> Void = {}
    ) {
        self.database = database
        self.world = world
        self.vault = vault
        self.client = client
        self.log = log
        self.settings = settings
        self.neighbours = neighbours
        self.tellOthers = tellOthers
        self.wake = wake
        audit = AuditTrail(world: world)
        outbox = DomainEvents(world: world)
    }
}
