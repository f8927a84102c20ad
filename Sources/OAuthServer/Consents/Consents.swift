import DatabaseKit
import Domain
import TimeKit

/// What people allowed apps to do, each in one organization of theirs, remembered until they take it back.
struct Consents: Sendable {
    /// Whose consent to which app.
    struct Subject: Sendable, Equatable {
        let app: Identifier<OAuthApp>
        let user: Identifier<User>
        let organization: Identifier<Organization>
    }

    let world: World

    /// The scopes that the person has allowed the app; empty when they have not, or took it back.
    func remembered(
        _ subject: Subject, locking: SQL = "", in querying: some Querying
    ) throws(DatabaseError) -> [Scope] {
        let row = try querying.row(
            """
            SELECT scopes
              FROM oauth_consents
             WHERE user_id = \(subject.user) AND organization_id = \(subject.organization) AND app_id = \(subject.app)
             \(locking)
            """)
        return try row.map { row throws(DatabaseError) in Scope.list(stored: try row.get("scopes")) } ?? []
    }

    /// Remembers scopes besides those that were allowed before; tells those that are new.
    @discardableResult
    func remember(
        _ scopes: [Scope], _ subject: Subject, in transaction: Transaction
    ) throws(DatabaseError) -> [Scope] {
        let now = world.now()
        // The row is there and held before it is read, so that of two at once neither forgets what the other adds.
        try transaction.execute(
            """
            INSERT INTO oauth_consents (id, user_id, organization_id, app_id, scopes, created_at, updated_at)
            VALUES (\(Identifier<OAuthConsent>(world)), \(subject.user), \(subject.organization), \(subject.app), '',
                    \(now), \(now))
                ON DUPLICATE KEY UPDATE updated_at = VALUES(updated_at)
            """)
        let known = try remembered(subject, locking: "FOR UPDATE", in: transaction)
        let new = scopes.filter { scope in !known.contains { $0.covers(scope) } }
        guard !new.isEmpty else { return [] }
        try transaction.execute(
            """
            UPDATE oauth_consents
               SET scopes = \((known + new).stored)
             WHERE user_id = \(subject.user) AND organization_id = \(subject.organization) AND app_id = \(subject.app)
            """)
        return new
    }

    /// Forgets what a person has allowed an app, in one organization.
    func forget(_ subject: Subject, in transaction: Transaction) throws(DatabaseError) {
        try transaction.execute(
            """
            DELETE FROM oauth_consents
             WHERE user_id = \(subject.user) AND organization_id = \(subject.organization) AND app_id = \(subject.app)
            """)
    }

    /// Forgets all that people have allowed an app, since it was removed.
    func forgetAll(of app: Identifier<OAuthApp>, in transaction: Transaction) throws(DatabaseError) {
        try transaction.execute("DELETE FROM oauth_consents WHERE app_id = \(app)")
    }
}
