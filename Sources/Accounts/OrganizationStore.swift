import DatabaseKit
import Domain
import TimeKit

/// A part of an organization.
public struct WorkspaceRecord: Sendable {
    /// Its id.
    public let id: Identifier<Workspace>
    /// Its name.
    public let name: String
    /// How often it was changed.
    public let version: Int64
    /// When it was made.
    public let createdAt: Timestamp

    init(_ row: Row) throws(DatabaseError) {
        id = try row.get("id")
        name = try row.get("name")
        version = try row.get("version")
        createdAt = try row.get("created_at")
    }
}

/// One organization: its name, its workspaces, its members.
struct OrganizationStore: Sendable {
    let database: Database
    let world: World
    let scope: OrganizationScope

    func organization() throws -> Row? {
        try database.row("SELECT name, version, created_at FROM organizations WHERE id = \(scope.organization)")
    }

    /// The version of the organization, which nobody changes until the transaction is over.
    func lockedVersion(in transaction: Transaction) throws -> Int64? {
        try transaction.row("SELECT version FROM organizations WHERE id = \(scope.organization) FOR UPDATE")?.get(
            "version")
    }

    /// The version of a workspace, which nobody changes until the transaction is over; nil for one of somebody else.
    func lockedVersion(of id: Identifier<Workspace>, in transaction: Transaction) throws -> Int64? {
        try transaction.row(
            "SELECT version FROM workspaces WHERE id = \(id) AND organization_id = \(scope.organization) FOR UPDATE"
        )?.get("version")
    }

    func rename(_ name: String, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE organizations
               SET name = \(name), version = version + 1, updated_at = \(world.now())
             WHERE id = \(scope.organization)
            """)
    }

    func workspaces() throws -> [WorkspaceRecord] {
        try database.rows(
            """
            SELECT id, name, version, created_at
              FROM workspaces
             WHERE organization_id = \(scope.organization)
             ORDER BY name
             LIMIT 200
            """
        ).map(WorkspaceRecord.init)
    }

    /// A part of the workspaces, in the order of their making.
    func workspaces(after last: Identifier<Workspace>?, limit: Int) throws -> [WorkspaceRecord] {
        try database.rows(
            """
            SELECT id, name, version, created_at
              FROM workspaces
             WHERE organization_id = \(scope.organization) AND id > \(last?.bytes ?? [UInt8](repeating: 0, count: 16))
             ORDER BY id
             LIMIT \(limit)
            """
        ).map(WorkspaceRecord.init)
    }

    func workspace(_ id: Identifier<Workspace>) throws -> WorkspaceRecord? { try workspace(id, in: database) }

    func workspace(_ id: Identifier<Workspace>, in querying: some Querying) throws -> WorkspaceRecord? {
        try querying.row(
            """
            SELECT id, name, version, created_at
              FROM workspaces
             WHERE id = \(id) AND organization_id = \(scope.organization)
            """
        ).map(WorkspaceRecord.init)
    }

    func insertWorkspace(_ id: Identifier<Workspace>, name: String, in transaction: Transaction) throws {
        let now = world.now()
        try transaction.execute(
            """
            INSERT INTO workspaces (id, organization_id, name, created_at, updated_at)
            VALUES (\(id), \(scope.organization), \(name), \(now), \(now))
            """)
    }

    /// Gives a workspace another name; false when there is no such workspace here.
    func renameWorkspace(_ id: Identifier<Workspace>, _ name: String, in transaction: Transaction) throws -> Bool {
        try transaction.execute(
            """
            UPDATE workspaces
               SET name = \(name), version = version + 1, updated_at = \(world.now())
             WHERE id = \(id) AND organization_id = \(scope.organization)
            """
        ).affectedRows == 1
    }

    func deleteWorkspace(_ id: Identifier<Workspace>, in transaction: Transaction) throws {
        try transaction.execute(
            "DELETE FROM workspaces WHERE id = \(id) AND organization_id = \(scope.organization)")
    }

    func memberCount() throws -> Int {
        let row = try database.row(
            "SELECT COUNT(*) AS count FROM memberships WHERE organization_id = \(scope.organization)")
        return try row?.get("count") ?? 0
    }

    func members() throws -> [Row] {
        try database.rows(
            """
            SELECT u.id, u.name, u.email, m.role,
                   (SELECT MAX(s.last_seen_at) FROM sessions s WHERE s.user_id = u.id) AS seen_at
              FROM memberships m
              JOIN users u ON u.id = m.user_id
             WHERE m.organization_id = \(scope.organization)
             ORDER BY u.name, u.id
             LIMIT 200
            """)
    }
}

/// Reads the workspaces of an organization, for rooms that let one choose among them.
public struct WorkspaceReader: Sendable {
    private let database: Database
    private let world: World

    /// A reader.
    public init(database: Database, world: World) {
        self.database = database
        self.world = world
    }

    /// The workspaces by name.
    public func list(_ scope: OrganizationScope) throws -> [(id: Identifier<Workspace>, name: String)] {
        try OrganizationStore(database: database, world: world, scope: scope).workspaces().map { ($0.id, $0.name) }
    }

    /// Holds a workspace until the transaction ends, so that it is not removed meanwhile; false when there is none.
    public func hold(
        _ id: Identifier<Workspace>, _ scope: OrganizationScope, in transaction: Transaction
    ) throws -> Bool {
        try transaction.row(
            """
            SELECT id
              FROM workspaces
             WHERE id = \(id) AND organization_id = \(scope.organization)
              LOCK IN SHARE MODE
            """) != nil
    }
}
