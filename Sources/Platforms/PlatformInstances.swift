import DatabaseKit
import Domain
import HTTPKit
import LogKit
import ThreadKit

/// An integration ready for use: its interface with the credentials in place.
struct PlatformInstance: Sendable {
    let service: any ChannelService
    /// What must not stand in words that are shown.
    let secrets: [String]
}

/// An integration as it is kept in memory.
enum OpenIntegration: Sendable {
    /// With credentials of its own.
    case ready(PlatformInstance)
    /// What a connection lends may be renewed at any time, so that it is asked for anew at each use.
    case lent(PlatformConfig)
}

/// The integrations that this process has opened.
///
/// One is taken only for the version of the configuration that it was made of, and this version is read with the
/// integration for each use. So whoever changes the configuration drops it in every worker of every host at once, by the
/// very commit that makes the change; there is nobody to tell, and so nobody who could miss it.
final class PlatformInstances: Sendable {
    private struct Kept {
        let version: Int64
        let integration: OpenIntegration
    }

    private static let room = 1_000
    private let kept = Lock<[Identifier<PlatformIntegration>: Kept]>([:])

    /// How many are kept now.
    var count: Int { kept.withLock { $0.count } }

    /// The integration in this version; opened when it is not here.
    func integration(of record: IntegrationRecord, open: () throws -> OpenIntegration) throws -> OpenIntegration {
        if let found = kept.withLock({ $0[record.id] }), found.version == record.configVersion {
            return found.integration
        }
        let made = Kept(version: record.configVersion, integration: try open())
        kept.withLock { kept in
            if kept.count >= Self.room { kept.removeAll() }
            kept[record.id] = made
        }
        return made.integration
    }

    /// Forgets an integration that was removed.
    func drop(_ id: Identifier<PlatformIntegration>) { kept.withLock { $0[id] = nil } }
}

extension Platforms {
    /// The interface of an integration.
    ///
    /// Never called inside a transaction: the connection that lends its credentials may renew them first.
    ///
    /// - Throws: `Problem` 409 `not_configured`; what the connection says that lends its credentials.
    func instance(of record: IntegrationRecord, _ scope: OrganizationScope) throws -> PlatformInstance {
        guard let platform = registry[record.platform] else {
            throw Problem(409, "not_configured", "This platform is no longer among those that the hub knows.")
        }
        let integration = try instances.integration(of: record) {
            let config = try config(of: record, in: database) ?? PlatformConfig([])
            return try config.connection == nil ? .ready(make(platform, config, scope)) : .lent(config)
        }
        return switch integration {
        case .ready(let instance): instance
        case .lent(let config): try make(platform, config, scope)
        }
    }

    private func make(
        _ platform: ChannelPlatform, _ config: PlatformConfig, _ scope: OrganizationScope
    ) throws -> PlatformInstance {
        var values: [String: String] = [:]
        for name in PlatformConfig.known { values[name] = config[name] }
        if let connection = config.connection {
            let lent = try lent(connection, scope)
            guard lent.provider == platform.key else {
                throw Problem(
                    409, "not_configured",
                    "The connection that this integration uses is of another service than \(platform.name).")
            }
            lent.values.reveal { values.merge($0) { own, _ in own } }
        }
        guard let service = Self.service(platform.kind, values) else {
            let needed = platform.kind.needs.first?.joined(separator: " or ") ?? "a token"
            throw Problem(
                409, "not_configured",
                "The configuration lacks what \(platform.name) needs: \(needed), or a connection.")
        }
        let secret = ["bot_token", "access_token", "signing_secret", "secret_token"]
        return PlatformInstance(service: service, secrets: secret.compactMap { values[$0] })
    }

    private func lent(
        _ connection: Identifier<Connection>, _ scope: OrganizationScope
    ) throws -> ConnectionCredentials {
        do {
            return try neighbours.credentials(connection, scope)
        } catch let problem as Problem where problem.status == 404 {
            throw Problem(409, "not_configured", "The connection that this integration uses is not there any more.")
        }
    }

    /// The interface of a platform; nil when a value is missing.
    static func service(_ kind: ChannelPlatform.Kind, _ values: [String: String]) -> (any ChannelService)? {
        let application = values["application_id"] ?? values["app_id"] ?? values["client_id"]
        switch kind {
        case .slack:
            return (values["bot_token"] ?? values["access_token"]).map {
                Slack(token: Secret($0), team: values["team_id"])
            }
        case .discord:
            let server = values["guild_id"] ?? values["server_id"]
            if let bot = values["bot_token"] {
                return Discord(credential: Secret("Bot \(bot)"), server: server, application: application)
            }
            return values["access_token"].map {
                Discord(credential: Secret("Bearer \($0)"), server: server, application: application)
            }
        case .microsoftTeams:
            return values["access_token"].map {
                Teams(token: Secret($0), team: values["team_id"], application: application)
            }
        case .telegram: return values["bot_token"].flatMap { Telegram($0) }
        }
    }

    /// How the platform of an integration is called, all calls together within this time.
    func calls(_ record: IntegrationRecord, _ instance: PlatformInstance, within time: Duration) -> PlatformCalls {
        PlatformCalls(
            name: registry[record.platform]?.name ?? record.platform, client: client, now: world.now, rest: rest,
            deadline: .now + time, secrets: instance.secrets)
    }
}
