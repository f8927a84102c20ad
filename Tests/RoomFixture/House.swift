import AdminShell
import CipherKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import LogKit
import TemplateKit
import ThreadKit
import TimeKit

/// A house for the tests of one room: a database of its own with the whole schema, a clock that stands still, a shell.
///
/// `HUB_TEST_DATABASE_URL` says on which server; `Tests/mariadb run swift test` sets it.
public final class House: Sendable {
    /// Why there is no house.
    public struct Missing: Error, CustomStringConvertible {
        /// A sentence.
        public let description: String
    }

    /// The database, dropped with the house.
    public let database: Database
    /// The clock stands until ``pass(_:)`` moves it; chance is real.
    public let world: World
    private let server: Database
    private let name: String
    private let clock: Clock

    /// A new house.
    public init(connections: Int = 8) throws {
        guard let text = ProcessInfo.processInfo.environment["HUB_TEST_DATABASE_URL"] else {
            throw Missing(description: "run the tests by Tests/mariadb run swift test")
        }
        let clock = Clock()
        self.clock = clock
        world = World(now: { clock.now }, randomBytes: { Random.bytes($0) })
        name = "hub_" + UUID().uuidString.lowercased().replacing("-", with: "")
        server = Database(try DatabaseURL(text), connections: 1)
        let shared = try DatabaseURL(text).name
        let url = try DatabaseURL(text.replacing("/\(shared)", with: "/\(name)"))
        database = Database(url, connections: connections, log: Log(threshold: .error))
        try server.execute("CREATE DATABASE \(unescaped: name) CHARACTER SET utf8mb4")
        for statement in try Self.schema() { try database.execute("\(unescaped: statement)") }
    }

    deinit {
        _ = try? server.execute("DROP DATABASE IF EXISTS \(unescaped: name)")
    }

    private static func schema() throws -> [String] {
        let folder = URL(filePath: #filePath).appending(path: "../../../sql").standardized
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.filter { $0.pathExtension == "sql" }.sorted { $0.path < $1.path }.map { file in
            try String(contentsOf: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
                .trimmingCharacters(in: CharacterSet(charactersIn: ";"))
        }
    }

    /// Lets time pass.
    public func pass(_ duration: Duration) { clock.pass(duration) }

    // MARK: People

    /// A new organization.
    public func organization(_ name: String = "Acme Shop") throws -> Identifier<Organization> {
        let id = Identifier<Organization>(world)
        let now = world.now()
        try database.execute(
            "INSERT INTO organizations (id, name, created_at, updated_at) VALUES (\(id), \(name), \(now), \(now))")
        return id
    }

    /// A new person with a role.
    public func user(
        _ email: String, _ role: Role, in organization: Identifier<Organization>
    ) throws -> Identifier<User> {
        let id = Identifier<User>(world)
        let now = world.now()
        try database.execute(
            """
            INSERT INTO users (id, email, name, password_hash, created_at, updated_at)
            VALUES (\(id), \(email), \(email), '', \(now), \(now))
            """)
        try database.execute(
            """
            INSERT INTO memberships (organization_id, user_id, role, created_at)
            VALUES (\(organization), \(id), \(role), \(now))
            """)
        return id
    }

    /// A person in their browser.
    public func principal(
        _ user: Identifier<User>, _ email: String, _ role: Role, in organization: Identifier<Organization>
    ) -> Principal {
        Principal(
            actor: Actor(kind: .user, id: user.bytes, name: email),
            memberships: [.init(organization: organization, name: "Acme Shop", role: role)],
            browser: .init(
                session: Identifier(world), user: user, name: email, organization: organization, theme: "system",
                csrfToken: "token"))
    }

    /// A new person with a role, in their browser.
    public func person(
        _ role: Role, in organization: Identifier<Organization>, email: String = "\(UUID().uuidString)@example.net"
    ) throws -> Principal {
        try principal(user(email, role, in: organization), email, role, in: organization)
    }

    /// The scope of a principal's first organization.
    public func scope(of principal: Principal) throws -> OrganizationScope {
        guard let organization = principal.memberships.first?.organization,
            let scope = OrganizationScope(
                of: principal, in: organization, remoteAddress: "203.0.113.9", requestID: "test")
        else { throw Missing(description: "the principal belongs nowhere") }
        return scope
    }

    /// The scope of the command line.
    public func commandLine(_ organization: Identifier<Organization>) -> OrganizationScope {
        OrganizationScope(
            trusted: organization, name: "Acme Shop", actor: Actor(kind: .commandLine, name: "root"), requestID: "-")
    }

    /// Every action in the audit log, the oldest first.
    public func auditedActions() throws -> [String] {
        try database.rows("SELECT action FROM audit_events ORDER BY id LIMIT 1000").map { try $0.get("action") }
    }
}

/// A clock that moves when told.
private final class Clock: Sendable {
    private let time = Lock(Timestamp(seconds: 1_800_000_000))

    var now: Timestamp { time.withLock { $0 } }

    func pass(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}
