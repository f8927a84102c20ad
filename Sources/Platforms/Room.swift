import AdminShell
import ClientKit
import DatabaseKit
import Domain
import HTTPKit
import LogKit
import ThreadKit
import TimeKit

/// Chat platforms that workspaces are tied to: their channels, and the messages that pass through them.
public struct Platforms: Sendable {
    /// What the room is told of its neighbours.
    public struct Neighbours: Sendable {
        /// The workspaces that an integration may belong to.
        let workspaces: @Sendable (OrganizationScope) throws -> [(id: Identifier<Workspace>, name: String)]
        /// Holds a workspace until the transaction ends, so that it is not removed meanwhile; false when there is none.
        let holdWorkspace: @Sendable (Identifier<Workspace>, OrganizationScope, Transaction) throws -> Bool
        /// The live values of a connection and the key of its provider.
        let credentials: @Sendable (Identifier<Connection>, OrganizationScope) throws -> ConnectionCredentials
        /// The connections of a provider that an integration may use.
        let connections: @Sendable (String, OrganizationScope) throws -> [(id: Identifier<Connection>, name: String)]

        /// The page on which workspaces are made.
        let organizationPath: String
        /// The page that tells who did what.
        let activityPath: String
        /// The page that tells which requests of a platform were refused, and why.
        let refusalsPath: @Sendable (Identifier<PlatformIntegration>) -> String

        /// What the room is told of its neighbours.
        public init(
            workspaces: @escaping @Sendable (OrganizationScope) throws -> [(id: Identifier<Workspace>, name: String)],
            holdWorkspace: @escaping @Sendable (Identifier<Workspace>, OrganizationScope, Transaction) throws -> Bool,
            credentials:
                @escaping @Sendable (Identifier<Connection>, OrganizationScope) throws ->
                ConnectionCredentials,
            connections:
                @escaping @Sendable (String, OrganizationScope) throws -> [(
                    id: Identifier<Connection>, name: String
                )], organizationPath: String, activityPath: String,
            refusalsPath: @escaping @Sendable (Identifier<PlatformIntegration>) -> String
        ) {
            self.workspaces = workspaces
            self.holdWorkspace = holdWorkspace
            self.credentials = credentials
            self.connections = connections
            self.organizationPath = organizationPath
            self.activityPath = activityPath
            self.refusalsPath = refusalsPath
        }
    }

    let database: Database
    let world: World
    let vault: Vault
    let client: Client
    let log: Log
    let registry: PlatformRegistry
    let neighbours: Neighbours
    let audit: AuditTrail
    let events: DomainEvents
    let instances = PlatformInstances()
    /// Says, once a change is committed, that what is known of inbound addresses has grown old.
    let inboundChanged: @Sendable () -> Void
    /// Waits for as long as a platform wants to be left in peace.
    let rest: @Sendable (Duration) -> Void

    /// The room.
    ///
    /// - Parameters:
    ///   - platforms: those whose provider files declare channels.
    ///   - inboundChanged: called after each commit that changes an inbound address or its secrets.
    ///   - rest: waits; another one serves tests.
    public init(
        database: Database, world: World, vault: Vault, client: Client, platforms: [ChannelPlatform],
        neighbours: Neighbours, log: Log = Log(), inboundChanged: @escaping @Sendable () -> Void = {},
        rest: @escaping @Sendable (Duration) -> Void = { WorkerThread.rest(for: $0) }
    ) {
        self.database = database
        self.world = world
        self.vault = vault
        self.client = client
        self.log = log
        self.neighbours = neighbours
        self.inboundChanged = inboundChanged
        self.rest = rest
        registry = PlatformRegistry(platforms)
        audit = AuditTrail(world: world)
        events = DomainEvents(world: world)
    }

    func store(_ scope: OrganizationScope) -> IntegrationStore {
        IntegrationStore(database: database, world: world, scope: scope)
    }

    func channels(_ scope: OrganizationScope) -> ChannelStore {
        ChannelStore(database: database, world: world, scope: scope)
    }

    func messages(_ scope: OrganizationScope) -> ChannelMessageStore {
        ChannelMessageStore(database: database, world: world, scope: scope)
    }

    /// One integration.
    ///
    /// - Throws: `Problem` 404, for one of somebody else as for one that is not there.
    func find(_ id: Identifier<PlatformIntegration>, _ scope: OrganizationScope) throws -> IntegrationRecord {
        guard let record = try store(scope).find(id, in: database) else { throw Problem.notFound }
        return record
    }

    /// One channel of the organization.
    ///
    /// - Throws: `Problem` 404.
    func find(
        channel id: Identifier<PlatformChannel>, _ scope: OrganizationScope
    ) throws -> (channel: ChannelRecord, integration: IntegrationRecord) {
        guard let channel = try channels(scope).find(id, in: database) else { throw Problem.notFound }
        return (channel, try find(channel.integration, scope))
    }

    // MARK: What other rooms are told

    /// How many integrations a workspace has; asked before it is removed.
    public func count(
        in workspace: Identifier<Workspace>, _ scope: OrganizationScope, in transaction: Transaction
    ) throws -> Int {
        try store(scope).count(in: workspace, in: transaction)
    }

    /// How many integrations do not work, for the navigation.
    public func attentionCount(_ scope: OrganizationScope) throws -> Int { try store(scope).failing() }
}

/// What a connection lends to an integration.
public struct ConnectionCredentials: Sendable {
    /// The key of its provider.
    let provider: String
    /// Its values, `access_token` among them where somebody signed in.
    let values: Secret<[String: String]>

    /// The live values of a connection.
    public init(provider: String, values: Secret<[String: String]>) {
        self.provider = provider
        self.values = values
    }
}

/// Which platforms there are, by every name that they go by.
struct PlatformRegistry: Sendable {
    /// The platforms by name.
    let all: [ChannelPlatform]
    private let byName: [String: ChannelPlatform]

    init(_ platforms: [ChannelPlatform]) {
        all = platforms
        var byName: [String: ChannelPlatform] = [:]
        for platform in platforms {
            byName[platform.key] = platform
            for alias in platform.aliases { byName[alias] = byName[alias] ?? platform }
        }
        self.byName = byName
    }

    /// Every name that is taken, those of files first.
    var names: [String] { all.map(\.key) + all.flatMap(\.aliases) }

    /// The platform of a key or another name.
    subscript(name: String) -> ChannelPlatform? { byName[name] }
}
