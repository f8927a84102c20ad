import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import LimitKit
import LogKit
import ProcessKit
import TimeKit

/// Where other services send their webhooks to: each is proved to be theirs, stored before it is answered, and published.
public struct Inbound: Sendable {
    /// How it is kept and served.
    public struct Settings: Sendable {
        /// For how many days events are kept, and repetitions known: longer than any service repeats them.
        public var eventDays = 30
        /// How many requests of one address may be refused in a minute before the next are not even looked at.
        public var refusalsPerMinute = 600
        /// The most events that are published again at once.
        public var mostReplayed = InboundEventStore.mostReplayed

        /// The usual ones.
        public init() {}
    }

    /// A service as pages name it.
    public struct Provider: Sendable {
        let key: String
        let name: String
        let letters: String
        let color: String

        /// A service by its key, its name and its tile.
        public init(key: String, name: String, letters: String, color: String) {
            (self.key, self.name, self.letters, self.color) = (key, name, letters, color)
        }
    }

    /// A connection that a source may be made for.
    public struct ConnectionChoice: Sendable {
        let id: Identifier<Connection>
        let provider: String
        let name: String
        let workspace: Identifier<Workspace>?

        /// A connection by its service and name.
        public init(
            id: Identifier<Connection>, provider: String, name: String, workspace: Identifier<Workspace>?
        ) {
            (self.id, self.provider, self.name, self.workspace) = (id, provider, name, workspace)
        }
    }

    /// A source that is not the room's own, for those who ask why something was refused there.
    public struct NamedSource: Sendable {
        let name: String
        let address: Identifier<InboundAddress>
        let path: String
        let source: InboundSource

        /// A source by its name, its present address and its page below the mount prefix.
        public init(name: String, address: Identifier<InboundAddress>, path: String, source: InboundSource) {
            (self.name, self.address, self.path, self.source) = (name, address, path, source)
        }
    }

    /// What the room asks of others, which it does not know.
    public struct Neighbours: Sendable {
        /// The services that can be connected.
        public var providers: [Provider] = []
        /// A connection that the one who asks may see; nil when there is none.
        public var connection: @Sendable (Identifier<Connection>, OrganizationScope) throws -> ConnectionChoice? = {
            _, _ in nil
        }
        /// The connections to choose from, a few hundred at most.
        public var connections: @Sendable (OrganizationScope) throws -> [ConnectionChoice] = { _ in [] }
        /// The page of a connection, below the mount prefix.
        public var connectionPath: @Sendable (Identifier<Connection>) -> String = { "/connections/\($0)" }
        /// Finders of sources that are not the room's own.
        public var sources: [InboundSources] = []
        /// Finders of the same by their ids, as far as whoever asks may see them.
        public var namedSources: [@Sendable (Identifier<InboundSource>, OrganizationScope) throws -> NamedSource?] = []
        /// Who is told of each event, in the transaction that publishes it.
        public var listeners: [InboundListener] = []

        /// Nobody.
        public init() {}
    }

    let database: Database
    let world: World
    let vault: Vault
    let limiter: Limiter
    let log: Log
    let settings: Settings
    let neighbours: Neighbours
    let audit: AuditTrail
    let outbox: DomainEvents
    let cache: SourceCache
    /// Events on their way into the database: those of several lanes in one transaction.
    let gathering = Gathering<Int, NewInboundEvent, Void>(mostOfOne: 1, most: 64)
    /// Tells whoever publishes on this host that something waits.
    let wake: @Sendable () -> Void

    /// The room.
    ///
    /// - Parameters:
    ///   - generation: by which the processes of this host know that a source was changed.
    ///   - wake: called after each commit that leaves something to be published.
    public init(
        database: Database, world: World, vault: Vault, limiter: Limiter, generation: SharedGeneration,
        log: Log = Log(), settings: Settings = Settings(), neighbours: Neighbours = Neighbours(),
        wake: @escaping @Sendable () -> Void = {}
    ) {
        self.database = database
        self.world = world
        self.vault = vault
        self.limiter = limiter
        self.log = log
        self.settings = settings
        self.neighbours = neighbours
        self.wake = wake
        audit = AuditTrail(world: world)
        outbox = DomainEvents(world: world)
        let reader = SourceReader(database: database, vault: vault, others: neighbours.sources, now: world.now)
        cache = SourceCache(database, generation) { try reader.find($0) }
    }

    /// A source was changed, here or by another room, and that is committed.
    ///
    /// To be called before the change is answered; from then on no process of this host takes what it had in memory.
    public func changed() { cache.changed() }
}
