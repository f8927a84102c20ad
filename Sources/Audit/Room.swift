import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import TimeKit

/// Reading of who did what. Writing it is ``Domain/AuditTrail``'s duty.
public struct Audit: Sendable {
    let database: Database
    let world: World
    /// The path of a thing's page below the mount prefix, by its kind and id; nil where there is none.
    let pageOf: @Sendable (_ kind: String, _ id: [UInt8]) -> String?

    /// The room.
    ///
    /// - Parameter pageOf: where a thing has its page, by the kind and id that the log knows.
    public init(
        database: Database, world: World,
        pageOf: @escaping @Sendable (_ kind: String, _ id: [UInt8]) -> String? = { _, _ in nil }
    ) {
        self.database = database
        self.world = world
        self.pageOf = pageOf
    }

    /// The routes and who performs them.
    public var routes: RoomRoutes {
        RoomRoutes(AuditRoute.self) { route, call in
            switch route {
            case .log: try logPage(call)
            case .logJSON: try logJSON(call)
            }
        }
    }

    /// The newest entries.
    public func latest(_ scope: OrganizationScope, limit: Int) throws -> [AuditEntry] {
        try store(scope).entries(AuditFilter(), after: nil, limit: limit)
    }

    /// How many entries there are since a moment.
    public func count(_ scope: OrganizationScope, since moment: Timestamp) throws -> Int {
        try store(scope).count(since: moment)
    }

    func store(_ scope: OrganizationScope) -> AuditStore {
        AuditStore(database: database, scope: scope)
    }
}
