import DatabaseKit
import Domain
import JSONKit
import TimeKit

extension ConnectionStore {
    /// How long nobody reads the facts of a service again once they were read, or could not be.
    private static let rest = Duration.seconds(5)

    /// How long reading them may take: five calls, each made again with tokens that were renewed for it.
    private static let longest = Duration.minutes(3)

    /// Takes the turn to read facts; false when somebody else has it, or just had it. Whoever dies at it leaves them due
    /// again when the turn ends.
    ///
    /// A time far further ahead was written by a host whose clock goes fast, as ``claimTest(of:for:)`` says.
    func claimSync(of id: Identifier<Connection>) throws -> Bool {
        let now = world.now()
        let (until, credible) = (now + Self.longest, now + Self.longest + .minutes(1))
        return try database.execute(
            """
            UPDATE connections
               SET sync_rests_until = \(until), sync_due_at = \(until)
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
                   AND (sync_rests_until IS NULL OR sync_rests_until <= \(now) OR sync_rests_until > \(credible))
            """
        ).affectedRows == 1
    }

    /// Notes what was read, and when it is read again.
    ///
    /// - Parameter isNews: whether anything is told that was not told before.
    func recordSync(
        _ id: Identifier<Connection>, metadata: JSON, failure: String?, dueAt: Timestamp, isNews: Bool,
        in transaction: Transaction
    ) throws {
        let now = world.now()
        try transaction.execute(
            """
            UPDATE connections
               SET metadata = \(metadata.stored), sync_error = \(failure), sync_due_at = \(dueAt),
                   sync_rests_until = \(now + Self.rest),
                   synced_at = IF(\(failure == nil), \(now), synced_at),
                   sync_failures = IF(\(failure == nil), 0, sync_failures + 1), version = version + \(isNews)
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
            """)
    }

    /// How often in a row the facts could not be read.
    func syncFailures(of id: Identifier<Connection>, in transaction: Transaction) throws -> Int {
        try transaction.row(
            "SELECT sync_failures FROM connections WHERE id = \(id) AND organization_id = \(scope.organization)"
        )?.get("sync_failures") ?? 0
    }

    /// Says when facts are read, or a test is made, for the next time; nil for not until something else changes.
    func postpone(_ work: DueStore.Work, of id: Identifier<Connection>, to moment: Timestamp?) throws {
        try database.execute(
            """
            UPDATE connections
               SET \(work.column) = \(moment)
             WHERE id = \(id) AND organization_id = \(scope.organization)
            """)
    }
}
