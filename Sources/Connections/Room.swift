import AdminShell
import ClientKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import JobKit
import LimitKit
import LogKit
import TimeKit

/// Services that an organization is signed in to: their credentials kept sealed, tried, and lent to those who may.
public struct Connections: Sendable {
    let database: Database
    let world: World
    let vault: Vault
    let audit: AuditTrail
    let events: DomainEvents
    let queue: JobQueue
    let client: Client
    let log: Log
    /// What services have refused, so that none is called until it shuts the hub out.
    let refusals: Refusals
    /// The services of the hub: those of an organization stand in ``catalogue(for:)``.
    let catalogue: ProviderCatalogue
    let flows: AuthorizationStore
    let environment: ServiceEnvironment
    let ownCatalogues: OwnCatalogues
    let unreadable = UnreadableConnections()
    /// The workspaces that a connection may be placed in; told by the room that knows.
    let workspaces: @Sendable (OrganizationScope) throws -> [(id: Identifier<Workspace>, name: String)]

    /// What relies on a connection; told by whoever knows the rooms that refer to connections.
    public var uses: Uses = { _, _ in [] }

    /// How much may be passed on.
    let proxyLimits: ProxyLimits
    let proxyPlaces = ProxyPlaces()

    /// The room.
    ///
    /// - Parameter limiter: counts calls that services refuse, over all processes of this host.
    public init(
        database: Database, world: World, vault: Vault, client: Client, catalogue: ProviderCatalogue,
        environment: ServiceEnvironment = .empty, log: Log = Log(), proxyLimits: ProxyLimits = ProxyLimits(),
        limiter: Limiter? = nil,
        workspaces: @escaping @Sendable (OrganizationScope) throws -> [(id: Identifier<Workspace>, name: String)]
    ) {
        self.database = database
        self.world = world
        self.vault = vault
        self.catalogue = catalogue
        self.environment = environment
        flows = AuthorizationStore(database: database, world: world)
        self.proxyLimits = proxyLimits
        ownCatalogues = OwnCatalogues(builtIn: catalogue)
        self.workspaces = workspaces
        self.client = client
        self.log = log
        audit = AuditTrail(world: world)
        events = DomainEvents(world: world)
        queue = JobQueue(database, now: world.now)
        refusals = Refusals(limiter: limiter, now: world.now)
    }

    /// The routes and who performs them.
    public var routes: RoomRoutes {
        RoomRoutes(ConnectionRoute.self) { route, call in try respond(route, call) }
    }

    func store(_ scope: OrganizationScope) -> ConnectionStore {
        ConnectionStore(database: database, world: world, scope: scope)
    }

    private func respond(_ route: ConnectionRoute, _ call: Call) throws -> Response {
        switch (route, call.request.method) {
        case (.list, _): try listPage(call)
        case (.alias, _): try integrationsPage(call)
        case (.gallery, _): try galleryPage(call)
        case (.new(let key), .post): try connect(key, call)
        case (.new(let key), _): try newPage(key, call)
        case (.provider(let key), _): try providerPage(key, call)
        case (.providerNew, .post): try addProvider(call)
        case (.providerNew, _): try newProviderPage(call)
        case (.providerEdit(let key), .post): try editProvider(key, call)
        case (.providerEdit(let key), _): try editProviderPage(key, call)
        case (.providerRemove(let key), _): try removeProvider(key, call)
        case (.show(let id), _): try detailPage(id, call)
        case (.edit(let id), .post): try edit(id, call)
        case (.edit(let id), _): try editPage(id, call)
        case (.test(let id), .post): try test(id, call)
        case (.test(let id), _): try detailPage(id, call)
        case (.refresh(let id), .post): try refresh(id, call)
        case (.sync(let id), .post): try sync(id, call)
        case (.refresh(let id), _), (.sync(let id), _): try detailPage(id, call)
        case (.enable(let id), _): try setEnabled(true, id, call)
        case (.disable(let id), _): try setEnabled(false, id, call)
        case (.authorize(let id), .post): try authorize(id, call)
        case (.authorize(let id), _): call.redirect(to: ConnectionRoute.show(id))
        case (.callback, _): try callback(call)
        case (.callbackNotice, _), (.callbackNoticeJSON, _): throw Problem.callbackPerProvider
        case (.disconnect(let id), .post): try disconnect(id, call)
        case (.disconnect(let id), _): try confirmPage(id, isRemoval: false, call)
        case (.remove(let id), .post): try remove(id, call)
        case (.remove(let id), _): try confirmPage(id, isRemoval: true, call)
        default: try respondToScript(route, call)
        }
    }

    private func respondToScript(_ route: ConnectionRoute, _ call: Call) throws -> Response {
        switch (route, call.request.method) {
        case (.providersJSON, .post): try postProvider(call)
        case (.providersJSON, _): try providersJSON(call)
        case (.providerJSON(let key), .put): try putProvider(key, call)
        case (.providerJSON(let key), .delete): try deleteProvider(key, call)
        case (.providerJSON(let key), _): try providerJSON(key, call)
        case (.listJSON, .post): try post(call)
        case (.listJSON, _): try listJSON(call)
        case (.json(let name), .patch): try patch(name, call)
        case (.json(let name), .delete): try delete(name, call)
        case (.json(let name), _): try json(name, call)
        case (.statusJSON(let name), _): try statusJSON(name, call)
        case (.testJSON(let name), _): try testJSON(name, call)
        case (.authorizeJSON(let name), _): try authorizeJSON(name, call)
        case (.exchangeJSON(let name), _): try exchangeJSON(name, call)
        case (.refreshJSON(let name), _): try refreshJSON(name, call)
        case (.checksJSON(let name), _): try checksJSON(name, call)
        case (.syncJSON(let name), _): try syncJSON(name, call)
        case (.disconnectJSON(let name), _): try disconnectJSON(name, call)
        case (.credentialsJSON(let name), _): try credentialsJSON(name, call)
        case (.proxy(let name), _): try proxy(name, call)
        default: throw Problem.notFound
        }
    }

    // MARK: Looking at secrets

    /// A connection with its secrets looked at.
    func view(
        _ record: ConnectionRecord, _ scope: OrganizationScope, in querying: some Querying
    ) throws -> ConnectionView {
        let provider = try self.provider(record.provider, scope, in: querying)
        return ConnectionView(
            record: record, secrets: try secrets(of: record, scope, in: querying),
            tokens: try tokens(of: record, scope, in: querying), provider: provider,
            environment: environment.values(for: provider))
    }

    private func secrets(
        of record: ConnectionRecord, _ scope: OrganizationScope, in querying: some Querying
    ) throws -> Secrets {
        try secrets(sealed: record.sealedSecrets, of: record.id, scope, in: querying)
    }

    func secrets(
        sealed: [UInt8]?, of id: Identifier<Connection>, _ scope: OrganizationScope, in querying: some Querying
    ) throws -> Secrets {
        guard let sealed else { return .none }
        do {
            let bytes = try vault.open(sealed, at: Self.place(id), for: scope.organization, in: querying)
            return .open(try SetUp.secrets(of: bytes))
        } catch is VaultError {
            return .sealed
        }
    }

    private func tokens(
        of record: ConnectionRecord, _ scope: OrganizationScope, in querying: some Querying
    ) throws -> HeldTokens {
        guard let sealed = record.grant.sealed else { return .none }
        do {
            let place = Tokens.place(record.id)
            return .open(try Tokens(bytes: vault.open(sealed, at: place, for: scope.organization, in: querying)))
        } catch is VaultError {
            return .sealed
        }
    }

    static func place(_ id: Identifier<Connection>) -> Vault.Place {
        Vault.Place("connections", id, "secrets_sealed")
    }

    /// One connection of the organization.
    ///
    /// - Throws: `Problem` 404 in seed 0's words: `not_configured` for one that is not there, or is somebody else's;
    ///   `deleted` for one that was removed; `invalid_provider_key` for what can be no connection's name.
    func find(_ name: ConnectionName, _ scope: OrganizationScope) throws -> ConnectionView {
        let record =
            switch name {
            case .id(let id): try store(scope).find(id, in: database)
            case .named(let provider, let name): try store(scope).find(provider: provider, name: name)
            }
        guard let record else { throw try missing(name, scope) }
        return try view(record, scope, in: database)
    }

    private func missing(_ name: ConnectionName, _ scope: OrganizationScope) throws -> Problem {
        guard name.isWellFormed else {
            return Problem(
                404, "invalid_provider_key", "A connection is named by its id, its provider, or provider:name.")
        }
        if case .id(let id) = name, try store(scope).wasRemoved(id) {
            return Problem(404, "deleted", "This connection was removed.")
        }
        return Problem(404, "not_configured", "There is no such connection.")
    }

    // MARK: What other rooms are told

    /// How many connections each workspace has.
    public func connectionCounts(_ scope: OrganizationScope) throws -> [Identifier<Workspace>: Int] {
        try store(scope).countsByWorkspace()
    }

    /// A connection as far as other rooms know it.
    public struct Brief: Sendable {
        /// Its id.
        public let id: Identifier<Connection>
        /// The key of its service.
        public let provider: String
        /// Its name.
        public let name: String
        /// The workspace in which it stands.
        public let workspace: Identifier<Workspace>?
    }

    /// One connection that the one who asks may see; nil when there is none.
    public func brief(_ id: Identifier<Connection>, _ scope: OrganizationScope) throws -> Brief? {
        try store(scope).find(id, in: database).map(Self.brief)
    }

    /// The connections that the one who asks may see, a thousand at most.
    public func briefs(_ scope: OrganizationScope) throws -> [Brief] {
        try store(scope).list(ConnectionFilter(), after: nil, limit: 1_000).map(Self.brief)
    }

    static func brief(_ record: ConnectionRecord) -> Brief {
        Brief(id: record.id, provider: record.provider, name: record.name, workspace: record.workspace)
    }

    /// Forgets connections that were removed a month ago, a thousand at a time.
    public func purge() throws {
        try database.execute("DELETE FROM connections WHERE removed_at < \(world.now() - .days(30)) LIMIT 1000")
        try flows.purge()
    }
}
