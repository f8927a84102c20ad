import AdminShell
import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import LimitKit
import LogKit
import TimeKit

/// The hub's own authorization server: apps that ask for access, and people who give it (RFC 6749).
public struct OAuthServer: Sendable {
    let database: Database
    let world: World
    let site: Site
    let settings: Settings
    /// Counts what apps take.
    public let limiter: Limiter
    let memory: OAuthMemory
    let successorKeys: @Sendable () -> [SymmetricKey]
    let log: Log
    let audit: AuditTrail
    let events: DomainEvents
    let uses = GrantUses()
    /// Tokens that apps get for themselves are committed together by those who ask at once.
    let ownTokens = Gathering<Int, NewAccessToken, Void>(mostOfOne: 1, most: 64)

    /// The room.
    ///
    /// - Parameters:
    ///   - memory: what this process keeps of apps and tokens; it is told of each change after its commit.
    ///   - successorKeys: the keys under which the successor of a refresh token is kept for its grace, the present one first; fetched
    ///     when they are wanted, outside of any transaction.
    public init(
        database: Database, world: World, site: Site, settings: Settings = Settings(), limiter: Limiter,
        memory: OAuthMemory, successorKeys: @escaping @Sendable () -> [SymmetricKey], log: Log = Log()
    ) {
        self.database = database
        self.world = world
        self.site = site
        self.settings = settings
        self.limiter = limiter
        self.memory = memory
        self.successorKeys = successorKeys
        self.log = log
        audit = AuditTrail(world: world)
        events = DomainEvents(world: world)
    }

    /// The routes and who performs them.
    public var routes: [RoomRoutes] {
        [
            endpointRoutes, RoomRoutes(OAuthAppRoute.self) { route, call in try respond(route, call) },
            RoomRoutes(ConsentRoute.self) { route, call in try respond(route, call) },
            RoomRoutes(RegistrationRoute.self) { route, call in try respond(route, call) },
        ]
    }

    var consents: Consents { Consents(world: world) }
}
