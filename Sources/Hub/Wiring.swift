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
import RequestLogs
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
        try Limiter(file: "\(stateFolder)/limits", subjects: limitSubjects, log: log, now: world.now)
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
            RequestLogs.templates, Operations.templates,
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
        let ring = try KeyRing.load(path: configuration.keyringPath)
        let vault = Vault(ring: ring, world: world)
        let limiter = try configuration.limiter(world)
        let rooms = try Rooms(configuration, database, world, vault, limiter)
        let library = try configuration.library()
        try library.check()
        let shell = Shell(
            site: configuration.site, library: library, navigation: rooms.navigation,
            idleSeconds: Int(configuration.sessions.idle.components.seconds),
            cursors: CursorSeal(ring.ids.compactMap { ring.derivedKey(label: "cursors", of: $0) }))
        let answers = IdempotentAnswers(database: database, vault: vault, world: world)
        let doorkeeper = Doorkeeper(
            site: configuration.site, session: { try rooms.accounts.principal(sessionToken: $0) },
            gatekeeper: rooms.gatekeeper,
            siteDoor: try rooms.siteTokens.map { tokens in
                SiteDoor(
                    principal: { try tokens.principal($0) }, quotas: try Rooms.rateLimit(configuration).quotas,
                    limiter: limiter, now: world.now)
            }, answers: answers)
        let figures = Figures(
            configuration: configuration, database: database, rooms: rooms, heartbeat: heartbeat, world: world)
        let operations = Operations(
            world: world, isReady: { try figures.isReady() },
            pendingMigrations: { try figures.pendingMigrations() }, overview: { try figures.overview($0) },
            system: { try figures.system() })
        let house = House(
            rooms: [operations.routes] + rooms.routes + [APIReference(configuration.site.apiDocument).routes],
            shell: shell, doorkeeper: doorkeeper, log: configuration.log,
            journal: Journal(now: world.now) { rooms.spool.write($0) }, crossOrigin: configuration.crossOrigin)
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
    let gatekeeper: Gatekeeper
    let audit: Audit
    let requestLogs: RequestLogs
    let spool: RequestSpool
    let losses: Losses
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
        let gatekeeper = try Self.gatekeeper(configuration, database, world, limiter)
        self.gatekeeper = gatekeeper
        accounts = Accounts(
            database: database, world: world, vault: vault, passwords: try Self.passwords(configuration),
            settings: configuration.sessions, limiter: limiter,
            connectionCounts: { try connections.connectionCounts($0) }, changed: { gatekeeper.changed() })
        siteTokens = try Self.siteTokens(configuration, database, world, client)
        let pageOf: @Sendable (String, [UInt8]) -> String? = { kind, id in
            switch kind {
            case "connection": Identifier<Connection>(bytes: id).map { ConnectionRoute.show($0).path }
            case "api_key": Identifier<APIKey>(bytes: id).map { APIKeyRoute.show($0).path }
            default: nil
            }
        }
        audit = Audit(database: database, world: world, pageOf: pageOf)
        requestLogs = RequestLogs(
            database: database, world: world, settings: configuration.requestLogs, log: configuration.log,
            neighbours: Neighbours(
                newKey: APIKeyRoute.create.path, auditLog: AuditRoute.log.path, pageOf: pageOf))
        let (requestLogs, mount) = (requestLogs, configuration.site.mount)
        apiKeys = try Self.apiKeys(configuration, database, world, gatekeeper) { key, scope in
            try requestLogs.keyUsage(key, by: scope, mount: mount)
        }
        let losses = try Losses(state: configuration.stateFolder)
        self.losses = losses
        spool = try RequestSpool(state: configuration.stateFolder, log: configuration.log) { losses.add($0) }
    }

    /// The routes of all rooms but Operations, which is told of all the others.
    var routes: [RoomRoutes] {
        [
            accounts.routes, connections.routes, connections.messageRoutes, connections.integrationsContract,
            connections.integrationsHubContract(returnAddresses), apiKeys.routes, requestLogs.routes, audit.routes,
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
                    [
                        NavigationItem(.apiKeys, "API keys", path: APIKeyRoute.list.path, needs: .read(.apiKeys)),
                        NavigationItem(
                            .apiReference, "API reference", path: APIReferenceRoute.page.path,
                            needs: .read(.organization)),
                    ]
                ),
                (
                    "Observe",
                    [
                        NavigationItem(
                            .requestLogs, "Request log", path: RequestLogsRoute.log.path, needs: .read(.requestLogs)),
                        NavigationItem(.usage, "Usage", path: RequestLogsRoute.usage.path, needs: .read(.usage)),
                        NavigationItem(.audit, "Audit log", path: AuditRoute.log.path, needs: .read(.audit)),
                    ]
                ),
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

    /// What the keys of this host's processes share lies in the state folder.
    private static func gatekeeper(
        _ configuration: Configuration, _ database: Database, _ world: World, _ limiter: Limiter
    ) throws -> Gatekeeper {
        Gatekeeper(
            database, world: world, memory: try .init(folder: configuration.stateFolder, limiter: limiter),
            guessesPerMinute: try configuration.settings.number(.guessesPerMinute, 1...1_000_000),
            log: configuration.log)
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

    private static func apiKeys(
        _ configuration: Configuration, _ database: Database, _ world: World, _ gatekeeper: Gatekeeper,
        usage: @escaping @Sendable (Identifier<APIKey>, OrganizationScope) throws -> TemplateValue?
    ) throws -> APIKeys {
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
                maxPerUser: try settings.number(.maxKeysPerUser, 1...1_000), rateLimit: try rateLimit(configuration),
                highestRateLimit: try settings.number(.highestRateLimit, 1...highestRateLimit)),
            gatekeeper: gatekeeper, usageBlock: usage)
    }

    /// What the columns of the database hold, less than which a limit is in any case.
    private static let highestRateLimit = 4_000_000_000

    /// What a script is good for when nothing is said.
    static func rateLimit(_ configuration: Configuration) throws(SettingsError) -> RateLimit {
        let settings = configuration.settings
        let highest = try settings.number(.highestRateLimit, 1...highestRateLimit)
        return RateLimit(
            perMinute: try settings.number(.rateLimitPerMinute, 1...highest),
            perHour: try settings.number(.rateLimitPerHour, 1...highest),
            perDay: try settings.number(.rateLimitPerDay, 1...highest))
    }
}

/// How many requests found no room on the disk, counted over all processes of a host.
struct Losses: Sendable {
    private let page: SharedPage

    /// The count that the processes of a host share.
    init(state: String) throws { page = try SharedPage(file: "\(state)/spool-losses", words: 1) }

    /// Since the host's folder was made.
    var count: Int { Int(clamping: page[0]) }

    func add(_ count: Int) { page.add(UInt64(count), to: 0) }
}
