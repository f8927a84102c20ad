import DatabaseKit

/// What this host may ask of the database server, beside what the server grants.
struct ConnectionBudget {
    /// How many connections the processes of this host may hold.
    let connections: Int
    /// How many connections the server grants to all (`max_connections`).
    let granted: Int
    /// How many prepared statements the server keeps over all connections (`max_prepared_stmt_count`).
    let statements: Int

    /// What is wanted, and what the server says it grants.
    init(_ configuration: Configuration, _ database: Database) throws {
        let row = try database.row(
            "SELECT @@max_connections AS connections, @@max_prepared_stmt_count AS statements")
        self.init(
            workers: configuration.workers, connectionsEach: configuration.databaseConnections,
            granted: try row?.get("connections") ?? 0, statements: try row?.get("statements") ?? 0)
    }

    /// One process more than there are workers carries out the jobs.
    init(workers: Int, connectionsEach: Int, granted: Int, statements: Int) {
        connections = (workers + 1) * connectionsEach
        (self.granted, self.statements) = (granted, statements)
    }

    /// What may go wrong under load, and what to change.
    var warnings: [String] {
        var found: [String] = []
        // While a reload is under way the new crew stands beside the old one.
        if 2 * connections > granted {
            let moment = connections > granted ? "under load" : "during a reload"
            found.append(
                "this host may hold \(connections) database connections, and twice as many during a reload, but max_connections is \(granted): \(moment) requests may get 503. Raise max_connections, or lower HUB_WORKERS or HUB_DATABASE_CONNECTIONS."
            )
        }
        let wanted = connections * Database.statementsPerConnection
        if wanted > statements {
            found.append(
                "\(connections) connections may keep \(wanted) prepared statements, but max_prepared_stmt_count is \(statements): beyond that statements are prepared again and again. Raise max_prepared_stmt_count."
            )
        }
        return found
    }
}
