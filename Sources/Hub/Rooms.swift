import APIKeys
import Accounts
import AdminShell
import Audit
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
import Operations
import Platforms
import ProcessKit
import RequestLogs
import SiteTokens
import TemplateKit
import TimeKit
import Webhooks

/// The rooms, and what each is told of the others.
struct Rooms: Sendable {
    let accounts: Accounts
    let connections: Connections
    let apiKeys: APIKeys
    let gatekeeper: Gatekeeper
    let audit: Audit
    let webhooks: Webhooks
    let platforms: Platforms
    let inbound: Inbound
    let oauthServer: OAuthServer
    let requestLogs: RequestLogs
    let spool: RequestSpool
    let losses: Losses
    /// Tokens of the existing site; nil when they do not count.
    let siteTokens: SiteTokens?
    let returnAddresses: ReturnAddresses

    init(
        _ configuration: Configuration, _ database: Database, _ world: World, _ vault: Vault, _ limiter: Limiter,
        _ lasting: LastingKeys
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
        let gatekeeper = try Self.gatekeeper(configuration, database, world, limiter)
        self.gatekeeper = gatekeeper
        let inboundGeneration = try SharedGeneration(file: "\(configuration.stateFolder)/inbound-generation")
        let platforms = Platforms(
            database: database, world: world, vault: vault, client: client, platforms: catalogue.channelPlatforms,
            neighbours: .init(
                workspaces: { try workspaces.list($0) }, holdWorkspace: { try workspaces.hold($0, $1, in: $2) },
                credentials: { id, scope in
                    let lent = try connections.lend(id, scope)
                    return ConnectionCredentials(provider: lent.provider, values: lent.values)
                }, connections: { try connections.connections(of: $0, $1) },
                organizationPath: AccountRoute.organization.path, activityPath: AuditRoute.log.path,
                refusalsPath: { Rooms.refusalsPath($0) }),
            log: configuration.log, inboundChanged: { inboundGeneration.advance() })
        self.platforms = platforms
        let oauthServer = try Self.oauthServer(configuration, database, world, limiter, lasting)
        self.oauthServer = oauthServer
        accounts = Accounts(
            database: database, world: world, vault: vault, passwords: try Self.passwords(configuration),
            settings: configuration.sessions, limiter: limiter,
            connectionCounts: { try connections.connectionCounts($0) },
            workspaceUses: { workspace, scope, transaction in
                try connections.count(in: workspace, scope, transaction)
                    + platforms.count(in: workspace, scope, in: transaction)
            },
            mail: NoticeMail(
                choices: { try connections.mailConnections($0) }, isAddress: { Connections.isMailAddress($0) }),
            changed: {
                gatekeeper.changed()
                oauthServer.changed()
            }, passwordChanged: { try oauthServer.passwordChanged(of: $0, in: $1) })
        siteTokens = try Self.siteTokens(configuration, database, world, client)
        let bell = Doorbell.Button(path: Self.bell(in: configuration.stateFolder))
        let (accounts, site) = (accounts, configuration.site)
        webhooks = Webhooks(
            database: database, world: world, vault: vault, client: client, log: configuration.log,
            settings: configuration.webhooks, neighbours: Self.webhookNeighbours(connections),
            tellOthers: { told, transaction in
                guard let notice = Notice(told.type, told.data),
                    let channel = try accounts.noticeChannel(of: told.organization, in: transaction)
                else { return }
                let page = Identifier<Notice>(notice.about.id).flatMap { Self.page(of: notice.about.kind, $0.bytes) }
                try connections.notify(
                    channel.addresses, notice.subject,
                    [notice.text, page.map { site.origin + site.mount + $0 }].compactMap(\.self).joined(
                        separator: "\n\n"),
                    over: channel.connection, of: told.organization, in: transaction)
            }, wake: { bell.press() })
        inbound = try Self.inbound(
            configuration, database, world, vault, limiter, connections, platforms, catalogue, inboundGeneration)
        self.connections = Self.told(connections, database, accounts, platforms, inbound, webhooks)
        audit = Audit(database: database, world: world, pageOf: { Self.page(of: $0, $1) })
        requestLogs = RequestLogs(
            database: database, world: world, settings: configuration.requestLogs, log: configuration.log,
            neighbours: Neighbours(
                newKey: APIKeyRoute.create.path, auditLog: AuditRoute.log.path, pageOf: { Self.page(of: $0, $1) }))
        let (requestLogs, mount) = (requestLogs, configuration.site.mount)
        apiKeys = try Self.apiKeys(configuration, database, world, gatekeeper) { key, scope in
            try requestLogs.keyUsage(key, by: scope, mount: mount)
        }
        let losses = try Losses(state: configuration.stateFolder)
        self.losses = losses
        spool = try RequestSpool(
            state: configuration.stateFolder, gateFolder: configuration.gateFolder, log: configuration.log
        ) { losses.add($0) }
    }

    /// The routes of all rooms but Operations, which is told of all the others.
    var routes: [RoomRoutes] {
        [
            accounts.routes, connections.routes, connections.messageRoutes, connections.integrationsContract,
            connections.integrationsHubContract(returnAddresses), apiKeys.routes, webhooks.routes,
            webhooks.pageRoutes, platforms.routes, platforms.pageRoutes, inbound.routes, inbound.pageRoutes,
            requestLogs.routes, audit.routes,
        ] + oauthServer.routes
    }

    /// Where the dispatcher of a host is rung for.
    static func bell(in stateFolder: String) -> String { "\(stateFolder)/deliveries.bell" }

    /// Where whoever publishes what came in is rung for.
    static func inboundBell(in stateFolder: String) -> String { "\(stateFolder)/inbound.bell" }
}
