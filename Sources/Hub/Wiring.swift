import APIKeys
import Accounts
import AdminShell
import Audit
import CipherKit
import ClientKit
import Connections
import DatabaseKit
import Domain
import FoundationEssentials
import HTTPKit
import LimitKit
import LogKit
import Operations
import ProcessKit
import SiteTokens
import TemplateKit
import TimeKit

/// The house with its rooms, as it stands once everything was found to be in order.
struct BuiltHouse: Sendable {
    let configuration: Configuration
    let database: Database
    let rooms: Rooms
    let house: House
    let answers: IdempotentAnswers
    let limiter: Limiter
}

extension Configuration {
    /// The database, with the pool of one process.
    func database() -> Database {
        Database(databaseURL, connections: databaseConnections, log: log)
    }

    /// What subjects have taken, counted over all processes of this host.
    func limiter(_ world: World) throws -> Limiter {
        try Limiter(file: "\(stateFolder)/limits", log: log, now: world.now)
    }

    /// How much is passed on to providers: no more calls at once than half the lanes, whatever they wait for.
    var proxyLimits: ProxyLimits {
        var limits = ProxyLimits()
        limits.answerBytes = proxyDownloadLimit
        limits.atOnce = max(1, lanes / 2)
        return limits
    }

    /// The services that can be connected: those built in, and those of the site.
    func catalogue() throws -> ProviderCatalogue {
        try ProviderCatalogue(
            overlay: files(in: settings.text(.providers), ending: ".json").map { ($0.path, $0.bytes) })
    }

    /// The templates of all rooms, a site's own in their place.
    func library() throws -> TemplateLibrary {
        let rooms = [
            ShellTemplates.sources, Accounts.templates, Connections.templates, APIKeys.templates, Audit.templates,
            Operations.templates,
        ]
        let library = try TemplateLibrary(joining: try rooms.map { try TemplateLibrary($0) })
        let own = try files(in: settings.text(.templates), ending: ".html")
        guard !own.isEmpty else { return library }
        return try library.overlaid(by: Dictionary(uniqueKeysWithValues: own.map { ($0.name, $0.bytes) }))
    }

    private func files(
        in folder: String, ending suffix: String
    ) throws -> [(name: String, path: String, bytes: [UInt8])] {
        guard !folder.isEmpty else { return [] }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw SettingsError(complaints: ["The folder \(folder) cannot be read."])
        }
        return try names.filter { $0.hasSuffix(suffix) }.sorted().map { name in
            (name, "\(folder)/\(name)", Array(try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))))
        }
    }
}

extension House {
    /// Builds the house. What is wrong is thrown as one sentence; a database that is away is not wrong, it comes back.
    ///
    /// - Parameter heartbeat: the page on which the processes of this host show signs of life, for the system page.
    static func build(
        _ configuration: Configuration, heartbeat: Heartbeat? = nil, world: World = .real
    ) throws -> BuiltHouse {
        let database = configuration.database()
        let vault = Vault(ring: try KeyRing.load(path: configuration.keyringPath), world: world)
        let limiter = try configuration.limiter(world)
        let rooms = try Rooms(configuration, database, world, vault, limiter)
        let library = try configuration.library()
        try library.check()
        let shell = Shell(
            site: configuration.site, library: library, navigation: rooms.navigation,
            idleSeconds: Int(configuration.sessions.idle.components.seconds))
        let answers = IdempotentAnswers(database: database, vault: vault, world: world)
        let doorkeeper = Doorkeeper(
            site: configuration.site, session: { try rooms.accounts.principal(sessionToken: $0) },
            apiKey: { try rooms.apiKeys.principal(key: Secret($0), remoteAddress: $1) },
            siteToken: rooms.siteTokens.map { tokens in { @Sendable token in try tokens.principal(Secret(token)) } },
            answers: answers)
        let figures = Figures(
            configuration: configuration, database: database, rooms: rooms, heartbeat: heartbeat, world: world)
        let operations = Operations(
            world: world, isReady: { try figures.isReady() },
            pendingMigrations: { try figures.pendingMigrations() }, overview: { try figures.overview($0) },
            system: { try figures.system() })
        let house = House(
            rooms: [operations.routes] + rooms.routes, shell: shell, doorkeeper: doorkeeper, log: configuration.log)
        return BuiltHouse(
            configuration: configuration, database: database, rooms: rooms, house: house, answers: answers,
            limiter: limiter)
    }
}

/// The rooms, and what each is told of the others.
struct Rooms: Sendable {
    let accounts: Accounts
    let connections: Connections
    let apiKeys: APIKeys
    let audit: Audit
    /// Tokens of the existing site; nil when they do not count.
    let siteTokens: SiteTokens?
    let returnAddresses: ReturnAddresses

    init(
        _ configuration: Configuration, _ database: Database, _ world: World, _ vault: Vault, _ limiter: Limiter
    ) throws {
        returnAddresses = configuration.returnAddresses
        let client = Client(policy: configuration.addressPolicy, origins: configuration.origins, version: version)
        // Rooms do not know each other: connections ask for workspaces, and the organization's page for their counts.
        let workspaces = WorkspaceReader(database: database, world: world)
        let catalogue = try configuration.catalogue()
        let connections = Connections(
            database: database, world: world, vault: vault, client: client, catalogue: catalogue,
            environment: ServiceEnvironment(catalogue) { configuration.settings.serviceVariable($0) },
            log: configuration.log, proxyLimits: configuration.proxyLimits, limiter: limiter,
            workspaces: { try workspaces.list($0) })
        self.connections = connections
        accounts = Accounts(
            database: database, world: world, vault: vault, passwords: try Self.passwords(configuration),
            settings: configuration.sessions, connectionCounts: { try connections.connectionCounts($0) })
        apiKeys = try Self.apiKeys(configuration, database, world)
        siteTokens = try Self.siteTokens(configuration, database, world, client)
        audit = Audit(database: database, world: world) { kind, id in
            kind == "connection" ? Identifier<Connection>(bytes: id).map { ConnectionRoute.show($0).path } : nil
        }
    }

    /// The routes of all rooms but Operations, which is told of all the others.
    var routes: [RoomRoutes] {
        [
            accounts.routes, connections.routes, connections.messageRoutes, connections.integrationsContract,
            connections.integrationsHubContract(returnAddresses), apiKeys.routes, audit.routes,
        ]
    }

    /// The links of the frame.
    var navigation: Navigation {
        Navigation(
            overview: OperationsRoute.overview.path, account: AccountRoute.account.path,
            signOut: AccountRoute.signOut.path, switchOrganization: AccountRoute.switchOrganization.path,
            groups: [
                (
                    "Connect",
                    [
                        NavigationItem(
                            .connections, "Connections", path: ConnectionRoute.list.path, needs: .read(.connections),
                            count: { try connections.attentionCount($0) })
                    ]
                ),
                (
                    "Publish",
                    [NavigationItem(.apiKeys, "API keys", path: APIKeyRoute.list.path, needs: .read(.apiKeys))]
                ),
                ("Observe", [NavigationItem(.audit, "Audit log", path: AuditRoute.log.path, needs: .read(.audit))]),
                (
                    "Organization",
                    [
                        NavigationItem(
                            .organization, "People & workspaces", path: AccountRoute.organization.path,
                            needs: .read(.organization)),
                        NavigationItem(.system, "System", path: OperationsRoute.system.path, needs: .everything),
                    ]
                ),
            ])
    }

    private static func passwords(_ configuration: Configuration) throws -> Passwords {
        let limiter = try SlotLimiter(
            file: "\(configuration.stateFolder)/password-slots", slots: configuration.scryptSlots)
        return Passwords(parameters: configuration.passwordParameters) { body in
            do {
                try limiter.withSlot(deadline: .now() + .seconds(5), body)
            } catch is SlotLimiter.Busy {
                throw Problem(
                    503, "busy", "Many people are signing in just now. Try again in a few seconds.",
                    headers: ["retry-after": "5"])
            }
        }
    }

    private static func siteTokens(
        _ configuration: Configuration, _ database: Database, _ world: World, _ client: Client
    ) throws -> SiteTokens? {
        guard let demands = configuration.siteTokens else { return nil }
        do throws(KeyPlaceError) {
            return try SiteTokens(
                database: database, world: world, settings: demands.settings, keys: demands.keys, client: client,
                log: configuration.log)
        } catch {
            throw configuration.settings.complaint(.jwtKeys, error.description)
        }
    }

    private static func apiKeys(_ configuration: Configuration, _ database: Database, _ world: World) throws -> APIKeys
    {
        let settings = configuration.settings
        let prefix = try settings.text(.apiKeyPrefix)
        guard APIKeys.Settings.isPrefix(prefix) else {
            throw settings.complaint(
                .apiKeyPrefix, "must be at most \(APIKeys.Settings.longestPrefix) letters, digits or underscores")
        }
        return APIKeys(
            database: database, world: world,
            settings: .init(
                prefix: prefix, defaultExpiryDays: try settings.number(.apiKeyDefaultExpiryDays, 1...3_650),
                maxPerUser: try settings.number(.maxKeysPerUser, 1...1_000)))
    }
}
