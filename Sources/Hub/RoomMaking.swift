import APIKeys
import Accounts
import AdminShell
import CipherKit
import ClientKit
import Connections
import DatabaseKit
import Domain
import HTTPKit
import Inbound
import LimitKit
import LogKit
import OAuthServer
import Platforms
import ProcessKit
import SiteTokens
import TemplateKit
import TimeKit
import Webhooks

/// How rooms are made that need more than a line.
extension Rooms {
    /// The path of a thing's page, by what the audit log and events call its kind; nil for what has none.
    static func page(of kind: String, _ id: [UInt8]) -> String? {
        switch kind {
        case "connection": Identifier<Connection>(bytes: id).map { ConnectionRoute.show($0).path }
        case "api_key": Identifier<APIKey>(bytes: id).map { APIKeyRoute.show($0).path }
        case "oauth_app": Identifier<OAuthApp>(bytes: id).map { OAuthAppRoute.show($0).path }
        case "webhook": Identifier<Webhook>(bytes: id).map { WebhookPageRoute.show($0).path }
        case "platform_integration":
            Identifier<PlatformIntegration>(bytes: id).map { PlatformPageRoute.show($0).path }
        case "delivery": Identifier<Delivery>(bytes: id).map { WebhookPageRoute.delivery($0).path }
        case "inbound_source": Identifier<InboundSource>(bytes: id).map { InboundPageRoute.source($0).path }
        case "inbound_event": Identifier<InboundEvent>(bytes: id).map { InboundPageRoute.event($0).path }
        default: nil
        }
    }

    /// The room of connections once the rooms that refer to connections can tell it what relies on one.
    static func told(
        _ connections: Connections, _ database: Database, _ accounts: Accounts, _ platforms: Platforms,
        _ inbound: Inbound, _ webhooks: Webhooks
    ) -> Connections {
        var connections = connections
        connections.uses = { connection, scope in
            let notices = try accounts.noticeChannel(of: scope.organization, in: database)
            var uses = try inbound.uses(of: connection.id, scope)
            uses += try platforms.uses(of: connection.id, provider: connection.provider, scope)
            uses += try webhooks.uses(of: connection.id, scope).map { ($0.name, $0.path) }
            if notices?.connection == connection.id {
                uses.append(("Notices by e-mail", AccountRoute.organization.path))
            }
            return uses.map { Connections.Use($0.words, at: $0.path) }
        }
        return connections
    }

    /// Whoever waits for a hash holds a lane: few may, and not for long, so that strangers at the door hold up nobody else.
    static func passwords(_ configuration: Configuration) throws -> Passwords {
        let limiter = try SlotLimiter(
            file: "\(configuration.stateFolder)/password-slots", slots: configuration.scryptSlots,
            waiters: max(1, configuration.lanes / 8))
        return Passwords(parameters: configuration.passwordParameters) { body in
            do {
                try limiter.withSlot(deadline: .now() + .seconds(2), body)
            } catch is SlotLimiter.Busy {
                throw Problem(
                    503, "busy", "Many people are signing in just now. Try again in a few seconds.",
                    headers: ["retry-after": "5"])
            }
        }
    }

    /// What the keys of this host's processes share lies in the state folder.
    static func gatekeeper(
        _ configuration: Configuration, _ database: Database, _ world: World, _ limiter: Limiter
    ) throws -> Gatekeeper {
        Gatekeeper(
            database, world: world, memory: try .init(folder: configuration.stateFolder, limiter: limiter),
            guessesPerMinute: try configuration.settings.number(.guessesPerMinute, 1...1_000_000),
            log: configuration.log)
    }

    /// What webhooks are told of connections: those that take events at an address of their own.
    static func webhookNeighbours(_ connections: Connections) -> Webhooks.Neighbours {
        var neighbours = Webhooks.Neighbours()
        neighbours.receivers = { scope in
            try connections.eventReceivers(scope).map { .init(id: $0.id, name: $0.name, url: $0.url) }
        }
        neighbours.receiver = { id, scope, querying in
            try connections.eventReceiver(id, scope, in: querying).map { .init(id: $0.id, name: $0.name, url: $0.url) }
        }
        neighbours.connectionPath = { ConnectionRoute.show($0).path }
        return neighbours
    }

    /// Where it is told which requests of a platform were refused: an integration is a source by its own id.
    static func refusalsPath(_ integration: Identifier<PlatformIntegration>) -> String {
        let source = Identifier<InboundSource>(bytes: integration.bytes)
        return source.map { InboundPageRoute.debug($0).path } ?? InboundPageRoute.sources.path
    }

    static func inbound(
        _ configuration: Configuration, _ database: Database, _ world: World, _ vault: Vault, _ limiter: Limiter,
        _ connections: Connections, _ platforms: Platforms, _ catalogue: ProviderCatalogue,
        _ generation: SharedGeneration
    ) throws -> Inbound {
        var neighbours = Inbound.Neighbours()
        neighbours.providers = catalogue.providers.map { provider in
            .init(key: provider.key, name: provider.name, letters: provider.tileLetters, color: provider.tileColor)
        }
        neighbours.connection = { id, scope in
            try connections.brief(id, scope).map {
                .init(id: $0.id, provider: $0.provider, name: $0.name, workspace: $0.workspace)
            }
        }
        neighbours.connections = { scope in
            try connections.briefs(scope).map {
                .init(id: $0.id, provider: $0.provider, name: $0.name, workspace: $0.workspace)
            }
        }
        neighbours.connectionPath = { ConnectionRoute.show($0).path }
        neighbours.sources = [{ try platforms.inboundSource($0) }]
        neighbours.namedSources = [
            { source, scope in
                guard let id = Identifier<PlatformIntegration>(bytes: source.bytes),
                    let found = try platforms.inboundSource(of: id, scope)
                else { return nil }
                return Inbound.NamedSource(
                    name: found.name, address: found.address, path: PlatformPageRoute.show(id).path,
                    source: found.source)
            }
        ]
        neighbours.listeners = [{ try platforms.hear($0, in: $1) }]
        var settings = Inbound.Settings()
        settings.eventDays = max(4, configuration.webhooks.eventDays)
        let bell = Doorbell.Button(path: inboundBell(in: configuration.stateFolder))
        return Inbound(
            database: database, world: world, vault: vault, limiter: limiter,
            generation: generation, log: configuration.log, settings: settings, neighbours: neighbours,
            wake: { bell.press() })
    }

    /// What the processes of this host keep of apps and tokens is compared in the state folder.
    static func oauthServer(
        _ configuration: Configuration, _ database: Database, _ world: World, _ limiter: Limiter,
        _ lasting: LastingKeys
    ) throws -> OAuthServer {
        var settings = configuration.oauth
        settings.rateLimit = try rateLimit(configuration)
        settings.highestRateLimit = try configuration.settings.number(.highestRateLimit, 1...highestRateLimit)
        return OAuthServer(
            database: database, world: world, site: configuration.site, settings: settings, limiter: limiter,
            memory: try OAuthMemory(database, folder: configuration.stateFolder),
            successorKeys: { lasting.keys(for: "oauth-successors") },
            log: configuration.log)
    }

    static func siteTokens(
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

    static func apiKeys(
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
