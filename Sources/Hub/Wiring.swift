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
import Inbound
import LimitKit
import LogKit
import OAuthServer
import Operations
import Platforms
import ProcessKit
import RequestLogs
import SiteTokens
import TemplateKit
import TimeKit
import Webhooks

/// The house with its rooms, as it stands once everything was found to be in order.
struct BuiltHouse: Sendable {
    let configuration: Configuration
    let database: Database
    let rooms: Rooms
    let house: House
    let answers: IdempotentAnswers
    let limiter: Limiter
    let ring: KeyRing
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
            overlay: files(in: settings.text(.providers), ending: ".json").map { ($0.path, $0.bytes) },
            permitting: settings.truth(.smtpAllowAnyCertificate) ? [.anyCertificate] : [])
    }

    /// The templates of all rooms, a site's own in their place.
    func library() throws -> TemplateLibrary {
        let rooms = [
            ShellTemplates.sources, Accounts.templates, Connections.templates, APIKeys.templates, Webhooks.templates,
            Platforms.templates, Inbound.templates, OAuthServer.templates, Audit.templates, RequestLogs.templates,
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
        let ring = try KeyRing.load(path: configuration.keyringPath)
        let vault = Vault(ring: ring, world: world)
        let limiter = try configuration.limiter(world)
        let lasting = LastingKeys(vault, ring, database)
        let rooms = try Rooms(configuration, database, world, vault, limiter, lasting)
        let library = try configuration.library()
        try library.check()
        let shell = Shell(
            site: configuration.site, library: library, navigation: rooms.navigation,
            idleSeconds: Int(configuration.sessions.idle.components.seconds),
            cursors: CursorSeal(fetching: { lasting.keys(for: "cursors") }))
        let answers = IdempotentAnswers(database: database, vault: vault, world: world)
        let doorkeeper = Doorkeeper(
            site: configuration.site, session: { try rooms.accounts.principal(sessionToken: $0) },
            gatekeeper: rooms.gatekeeper, oauthServer: rooms.oauthServer,
            siteDoor: try rooms.siteTokens.map { tokens in
                SiteDoor(
                    principal: { try tokens.principal($0) }, quotas: try Rooms.rateLimit(configuration).quotas,
                    limiter: limiter, now: world.now)
            },
            platformDoor: SiteDoor(
                subject: "platform-key",
                principal: { key in
                    guard let principal = try rooms.platforms.principal(key) else {
                        throw Problem.unauthorized("invalid_credential", "This platform key opens nothing.")
                    }
                    return principal
                }, quotas: try Rooms.rateLimit(configuration).quotas, limiter: limiter, now: world.now),
            answers: answers)
        let readiness = try Readiness(database, Schema.migrator(configuration.databaseURL, log: configuration.log))
        let figures = Figures(
            configuration: configuration, database: database, rooms: rooms, heartbeat: heartbeat, world: world,
            readiness: readiness)
        let operations = Operations(
            world: world, schemaState: { try readiness.schemaState() }, overview: { try figures.overview($0) },
            system: { try figures.system() })
        let house = House(
            signposts: Signposts(
                [operations.routes] + rooms.routes + [APIReference(configuration.site.apiDocument).routes]),
            shell: shell, doorkeeper: doorkeeper, log: configuration.log,
            journal: Journal(now: world.now) { rooms.spool.write($0) }, crossOrigin: configuration.crossOrigin)
        return BuiltHouse(
            configuration: configuration, database: database, rooms: rooms, house: house, answers: answers,
            limiter: limiter, ring: ring)
    }
}
