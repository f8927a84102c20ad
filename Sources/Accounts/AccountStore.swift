import CipherKit
import DatabaseKit
import Domain
import TimeKit

/// A person as the database knows them.
struct Account: Sendable {
    let id: Identifier<User>
    let email: String
    let name: String
    let passwordHash: String
    let isDisabled: Bool

    init(_ row: Row) throws(DatabaseError) {
        id = try row.get("id")
        email = try row.get("email")
        name = try row.get("name")
        passwordHash = try row.get("password_hash")
        isDisabled = try row.get("disabled_at", as: Timestamp?.self) != nil
    }
}

/// People, their organizations, and what they try at the door.
///
/// This store stands before any organization is known, so it takes no ``OrganizationScope``.
struct AccountStore: Sendable {
    let database: Database
    let world: World

    // MARK: People

    func isEmpty() throws -> Bool {
        try database.row("SELECT id FROM users LIMIT 1") == nil
    }

    /// The same, while nobody else can change it.
    func isEmpty(in transaction: Transaction) throws -> Bool {
        try transaction.row("SELECT id FROM users LIMIT 1 FOR UPDATE") == nil
    }

    func account(email: String, in querying: some Querying) throws -> Account? {
        try querying.row(
            """
            SELECT id, email, name, password_hash, disabled_at
              FROM users
             WHERE email = \(email)
            """
        ).map(Account.init)
    }

    func account(_ id: Identifier<User>) throws -> Account? {
        try database.row(
            """
            SELECT id, email, name, password_hash, disabled_at
              FROM users
             WHERE id = \(id)
            """
        ).map(Account.init)
    }

    /// People in the order of their making, at most 200 after the given one.
    func accounts(after last: Identifier<User>?) throws -> [Row] {
        try database.rows(
            """
            SELECT u.id, u.email, u.name, o.name AS organization, m.role
              FROM users u
              LEFT JOIN memberships m ON m.user_id = u.id
              LEFT JOIN organizations o ON o.id = m.organization_id
             WHERE u.id > \(last?.bytes ?? [UInt8](repeating: 0, count: 16))
             ORDER BY u.id, o.name
             LIMIT 200
            """)
    }

    func insert(
        _ id: Identifier<User>, email: String, name: String, passwordHash: String, in transaction: Transaction
    ) throws {
        let now = world.now()
        try transaction.execute(
            """
            INSERT INTO users (id, email, name, password_hash, created_at, updated_at)
            VALUES (\(id), \(email), \(name), \(passwordHash), \(now), \(now))
            """)
    }

    func setPasswordHash(_ hash: String, of id: Identifier<User>, in querying: some Querying) throws {
        try querying.execute("UPDATE users SET password_hash = \(hash), updated_at = \(world.now()) WHERE id = \(id)")
    }

    func setTheme(_ theme: String, of id: Identifier<User>) throws {
        try database.execute("UPDATE users SET theme = \(theme), updated_at = \(world.now()) WHERE id = \(id)")
    }

    // MARK: Organizations

    /// The organization with an id, or else the first ten of a name; the first two of all when nothing is said.
    func organizations(called text: String?, in querying: some Querying) throws -> [Row] {
        guard let text else { return try querying.rows("SELECT id, name FROM organizations ORDER BY id LIMIT 2") }
        // The id first: anybody may give an organization a name that looks like another's id.
        if let id = Identifier<Organization>(text) {
            let rows = try querying.rows("SELECT id, name FROM organizations WHERE id = \(id)")
            if !rows.isEmpty { return rows }
        }
        return try querying.rows("SELECT id, name FROM organizations WHERE name = \(text) ORDER BY id LIMIT 10")
    }

    func insertOrganization(_ id: Identifier<Organization>, name: String, in transaction: Transaction) throws {
        let now = world.now()
        try transaction.execute(
            "INSERT INTO organizations (id, name, created_at, updated_at) VALUES (\(id), \(name), \(now), \(now))")
    }

    func setMembership(
        of user: Identifier<User>, in organization: Identifier<Organization>, role: Role, _ transaction: Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO memberships (organization_id, user_id, role, created_at)
            VALUES (\(organization), \(user), \(role), \(world.now()))
                ON DUPLICATE KEY UPDATE role = VALUES(role)
            """)
    }

    // MARK: Set-up links

    func insertSetUpLink(tokenHash: [UInt8], expiresAt: Timestamp) throws {
        try database.execute(
            """
            INSERT INTO set_up_links (token_hash, created_at, expires_at)
            VALUES (\(tokenHash), \(world.now()), \(expiresAt))
            """)
    }

    func hasSetUpLink(tokenHash: [UInt8], in querying: some Querying) throws -> Bool {
        try querying.row(
            "SELECT created_at FROM set_up_links WHERE token_hash = \(tokenHash) AND expires_at > \(world.now())")
            != nil
    }

    func removeSetUpLinks(in transaction: Transaction) throws {
        try transaction.execute("DELETE FROM set_up_links")
    }

    // MARK: Failures at the door

    /// Counts an attempt before it is judged, so that guesses sent at once cannot pass together.
    ///
    /// - Returns: how long the attempt must wait instead; zero when it may go on.
    func reserveAttempt(_ subjects: [(key: [UInt8], throttle: Throttle)]) throws -> Duration {
        try database.transaction { transaction in
            let now = world.now()
            var longest = Duration.zero
            for subject in subjects {
                let row = try transaction.row(
                    "SELECT failures, last_failed_at FROM sign_in_failures WHERE subject = \(subject.key) FOR UPDATE")
                guard let row else { continue }
                let wait = try subject.throttle.wait(
                    failures: row.get("failures"), lastFailedAt: row.get("last_failed_at"), now: now)
                longest = max(longest, wait)
            }
            guard longest == .zero else { return longest }
            for subject in subjects { try count(subject.key, at: now, in: transaction) }
            return .zero
        }
    }

    private func count(_ subject: [UInt8], at now: Timestamp, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO sign_in_failures (subject, failures, last_failed_at)
            VALUES (\(subject), 1, \(now))
                ON DUPLICATE KEY UPDATE
                   failures = IF(last_failed_at < \(now - Throttle.memory), 1, failures + 1),
                   last_failed_at = VALUES(last_failed_at)
            """)
    }

    /// Forgets the failures of an account, since its owner has come.
    func forgiveAttempt(account: [UInt8]) throws {
        try database.execute("DELETE FROM sign_in_failures WHERE subject = \(account)")
    }

    /// Takes back an attempt that could not be judged.
    func takeBackAttempt(account: [UInt8]) throws {
        try database.execute(
            "UPDATE sign_in_failures SET failures = failures - 1 WHERE subject = \(account) AND failures > 0")
    }

    /// Forgets failures, links and sessions that no longer count, for as long as the closure says yes.
    func purge(while goesOn: () -> Bool) throws {
        let now = world.now()
        try database.deleteAll(
            "DELETE FROM sign_in_failures WHERE last_failed_at < \(now - Throttle.memory)", while: goesOn)
        try database.deleteAll("DELETE FROM set_up_links WHERE expires_at < \(now)", while: goesOn)
        try database.deleteAll("DELETE FROM sessions WHERE expires_at < \(now)", while: goesOn)
    }
}
