import DatabaseKit
import LogKit

extension Schema {
    /// How long a process that boots waits for a word of the database.
    private static let bootPatience = Duration.seconds(5)

    /// Refuses a schema that a newer program made, or whose steps were changed since.
    ///
    /// A database that is away is not wrong, it comes back; one that lacks steps is told of by `/health/ready`.
    static func requireKnown(_ configuration: Configuration) throws {
        var settings = DatabaseSettings()
        settings.connections = 1
        settings.silenceTimeout = bootPatience
        let database = Database(configuration.databaseURL, settings: settings, log: configuration.log)
        guard let state = try? migrator(configuration.databaseURL, log: configuration.log).state(in: database) else {
            return
        }
        switch state {
        case .current, .behind: return
        case .unknown, .changed: throw CommandError(state.complaint ?? "the schema is not known")
        }
    }
}
