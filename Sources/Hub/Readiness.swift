import DatabaseKit
import ProcessKit
import ThreadKit
import TimeKit

/// What the schema is to this program, as whoever watches over the hub asks for it.
///
/// Anybody may ask, as often as they like: the database is asked at most once a second by a process, over a connection of
/// its pool. An answer is not kept beyond the loss of a connection, and a failure not at all, so that an outage and its
/// end are told at once.
final class Readiness: Sendable {
    /// How long an answer is kept.
    static let life = Duration.seconds(1)

    private struct Answer: Sendable {
        let state: SchemaState
        let moment: MonotonicTime
        let losses: Int
    }

    private let database: Database
    private let migrator: Migrator
    private let clock: @Sendable () -> MonotonicTime
    private let last = Lock<Answer?>(nil)

    init(_ database: Database, _ migrator: Migrator, clock: @escaping @Sendable () -> MonotonicTime = { .now() }) {
        (self.database, self.migrator, self.clock) = (database, migrator, clock)
    }

    /// The state of the schema, no older than a second.
    ///
    /// - Throws: `DatabaseError` while the database does not answer.
    func schemaState() throws(DatabaseError) -> SchemaState {
        let (moment, losses) = (clock(), database.losses)
        if let last = last.withLock({ $0 }), last.losses == losses, moment - last.moment < Self.life {
            return last.state
        }
        let state = try migrator.state(in: database)
        last.withLock { $0 = Answer(state: state, moment: moment, losses: losses) }
        return state
    }
}
