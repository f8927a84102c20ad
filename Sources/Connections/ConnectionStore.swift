import DatabaseKit
import Domain
import JSONKit
import TimeKit

/// Which connections a list shows.
struct ConnectionFilter: Sendable {
    var providers: [String] = []
    var workspace: Identifier<Workspace>?
    /// What must stand in the name or the key of the service, in lower case.
    var search: String?
    /// The services that the search finds by their names for people.
    var searchedProviders: [String] = []
    var status: ConnectionStatus?
}

/// The connections of one organization.
struct ConnectionStore: Sendable {
    let database: Database
    let world: World
    let scope: OrganizationScope

    static let columns: SQL = """
        c.id, c.workspace_id, c.provider, c.name, c.status, c.status_detail, c.enabled, c.setup, c.secrets_sealed,
        c.metadata, c.tested_at, c.test_duration_ms, c.version, c.created_at, c.updated_at, c.created_by,
        c.tokens_version, c.tokens_sealed, c.token_expires_at, c.grant_ends_at, c.authorized_at, c.requested_scopes,
        c.granted_scopes, c.refreshed_at, c.refresh_due_at, c.refresh_failures, c.synced_at, c.sync_error
        """

    func count(in workspace: Identifier<Workspace>, _ transaction: Transaction) throws -> Int {
        try transaction.row(
            """
            SELECT COUNT(*) AS count
              FROM connections
             WHERE organization_id = \(scope.organization) AND workspace_id = \(workspace) AND removed_at IS NULL
            """)?.get("count") ?? 0
    }

    /// Connections by service, each service's `default` first, then by name; those after the given one.
    func list(_ filter: ConnectionFilter, after last: Identifier<Connection>?, limit: Int) throws -> [ConnectionRecord]
    {
        try database.rows(
            """
            SELECT \(Self.columns)
              FROM connections c
             WHERE c.organization_id = \(scope.organization) AND c.removed_at IS NULL
                   \(Self.condition(filter))
                   \(try after(last))
             ORDER BY c.provider, c.is_named, c.name, c.id
             LIMIT \(limit)
            """
        ).map(ConnectionRecord.init)
    }

    private static func condition(_ filter: ConnectionFilter) -> SQL {
        var condition: SQL = ""
        if !filter.providers.isEmpty { condition = "\(condition) AND \(isOne(of: filter.providers))" }
        if let workspace = filter.workspace { condition = "\(condition) AND c.workspace_id = \(workspace)" }
        if let search = filter.search {
            let pattern = "%" + search.map { "%_\\".contains($0) ? "\\\($0)" : "\($0)" }.joined() + "%"
            let isNamed: SQL = isASCII(search) ? "c.name LIKE \(pattern) OR c.provider LIKE \(pattern)" : "FALSE"
            condition = "\(condition) AND (\(isNamed) OR \(isOne(of: filter.searchedProviders)))"
        }
        switch filter.status {
        case nil, .undecryptable: break
        case .disabled: condition = "\(condition) AND c.enabled = 0"
        case let status?: condition = "\(condition) AND c.enabled = 1 AND c.status = \(status)"
        }
        return condition
    }

    private static func isOne(of providers: [String]) -> SQL {
        let possible = providers.filter(isASCII)
        return possible.isEmpty ? "FALSE" : "c.provider IN (\(list: possible))"
    }

    /// Whether a name or a key can be this: the server refuses to compare their columns with anything else.
    private static func isASCII(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }

    /// The place after a connection, which may have been removed meanwhile.
    ///
    /// Its service is compared alone too: the server makes a range of the index of that, and none of a comparison of rows.
    private func after(_ last: Identifier<Connection>?) throws -> SQL {
        guard let last else { return "" }
        let row = try database.row(
            """
            SELECT provider, is_named, name
              FROM connections
             WHERE id = \(last) AND organization_id = \(scope.organization)
            """)
        guard let row else { return "AND FALSE" }
        let (provider, isNamed) = (try row.get("provider", as: String.self), try row.get("is_named", as: Bool.self))
        let name = try row.get("name", as: String.self)
        return """
            AND c.provider >= \(provider)
            AND (c.provider, c.is_named, c.name, c.id) > (\(provider), \(isNamed), \(name), \(last))
            """
    }

    func find(_ id: Identifier<Connection>, in querying: some Querying) throws -> ConnectionRecord? {
        try querying.row(
            """
            SELECT \(Self.columns)
              FROM connections c
             WHERE c.id = \(id) AND c.organization_id = \(scope.organization) AND c.removed_at IS NULL
            """
        ).map(ConnectionRecord.init)
    }

    /// The same, while nobody else may change it.
    func lock(_ id: Identifier<Connection>, in transaction: Transaction) throws -> ConnectionRecord? {
        try transaction.row(
            """
            SELECT \(Self.columns)
              FROM connections c
             WHERE c.id = \(id) AND c.organization_id = \(scope.organization) AND c.removed_at IS NULL
               FOR UPDATE
            """
        ).map(ConnectionRecord.init)
    }

    /// The connection of a service by its name, outside of workspaces first.
    func find(provider: String, name: String) throws -> ConnectionRecord? {
        guard Self.isASCII(provider + name) else { return nil }
        return try database.row(
            """
            SELECT \(Self.columns)
              FROM connections c
             WHERE c.organization_id = \(scope.organization) AND c.removed_at IS NULL
                   AND c.provider = \(provider) AND c.name = \(name)
             ORDER BY c.workspace_id IS NOT NULL, c.id
             LIMIT 1
            """
        ).map(ConnectionRecord.init)
    }

    /// Whether a connection was removed a while ago: its row is still there.
    func wasRemoved(_ id: Identifier<Connection>) throws -> Bool {
        try database.row(
            """
            SELECT 1
              FROM connections
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NOT NULL
            """) != nil
    }

    /// The living connection that holds a name in a workspace.
    func holder(
        provider: String, name: String, workspace: Identifier<Workspace>?, in transaction: Transaction
    ) throws -> Identifier<Connection>? {
        try transaction.row(
            """
            SELECT id
              FROM connections
             WHERE organization_id = \(scope.organization) AND removed_at IS NULL AND provider = \(provider)
                   AND name = \(name) AND workspace_id <=> \(workspace)
               FOR UPDATE
            """)?.get("id")
    }

    func insert(
        _ id: Identifier<Connection>, provider: String, name: String, workspace: Identifier<Workspace>?, setup: JSON,
        sealedSecrets: [UInt8]?, in transaction: Transaction
    ) throws {
        let now = world.now()
        try transaction.execute(
            """
            INSERT INTO connections
                   (id, organization_id, workspace_id, provider, name, status, status_changed_at, setup, secrets_sealed,
                    metadata, created_by, created_at, updated_at)
            VALUES (\(id), \(scope.organization), \(workspace), \(provider), \(name), \(ConnectionStatus.disconnected),
                    \(now), \(setup.stored), \(sealedSecrets), '{}', \(scope.actor.name), \(now), \(now))
            """)
    }

    func rename(_ id: Identifier<Connection>, to name: String, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE connections
               SET name = \(name), version = version + 1, updated_at = \(world.now())
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
            """)
    }

    func setEnabled(_ isEnabled: Bool, of id: Identifier<Connection>, in transaction: Transaction) throws {
        let now = world.now()
        try transaction.execute(
            """
            UPDATE connections
               SET enabled = \(isEnabled), status_changed_at = \(now), version = version + 1, updated_at = \(now)
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
            """)
    }

    /// Takes the right to test a connection, for so long at most; false when somebody else has it, or just had it.
    ///
    /// A time far further ahead than that was written by a host whose clock goes fast, and is no reason to wait for it.
    /// Not one a little further ahead: who reads the clock first may well come second to the row, by as long as a request
    /// may take, and clocks of hosts differ a little.
    func claimTest(of id: Identifier<Connection>, for longest: Duration) throws -> Bool {
        let now = world.now()
        let credible = now + longest + .minutes(1)
        return try database.execute(
            """
            UPDATE connections
               SET test_rests_until = \(now + longest)
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
                   AND (test_rests_until IS NULL OR test_rests_until <= \(now) OR test_rests_until > \(credible))
            """
        ).affectedRows == 1
    }

    /// Notes how a test went.
    ///
    /// - Parameters:
    ///   - isChange: whether it works or fails since now.
    ///   - isNews: whether anything is told of it that was not told before; the version stays when not, so that a
    ///     test repeated now and then refuses nobody's `If-Match`.
    ///   - rest: how long the next test has to wait.
    ///   - probeDueAt: when the next one is made by itself.
    ///   - syncsNow: whether facts are read soon, where that was never planned.
    func recordTest(
        _ id: Identifier<Connection>, status: ConnectionStatus, detail: String?, metadata: JSON, duration: Duration,
        isChange: Bool, isNews: Bool, rest: Duration, probeDueAt: Timestamp, syncsNow: Bool,
        in transaction: Transaction
    ) throws {
        let now = world.now()
        try transaction.execute(
            """
            UPDATE connections
               SET status = \(status), status_detail = \(detail), metadata = \(metadata.stored), tested_at = \(now),
                   test_duration_ms = \(duration.milliseconds), test_rests_until = \(now + rest),
                   probe_due_at = \(probeDueAt), sync_due_at = IF(\(syncsNow), COALESCE(sync_due_at, \(now)), sync_due_at),
                   status_changed_at = IF(\(isChange), \(now), status_changed_at), version = version + \(isNews)
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
            """)
    }

    /// What ends a grant on our side.
    static let withoutTokens: SQL = """
        tokens_sealed = NULL, tokens_version = tokens_version + 1, token_expires_at = NULL, grant_ends_at = NULL,
        authorized_at = NULL, granted_scopes = NULL, grant_key = NULL, grant_client = NULL, refresh_due_at = NULL,
        refresh_lease = NULL, refresh_lease_until = NULL, refresh_failures = 0, refreshed_at = NULL, probe_due_at = NULL,
        sync_due_at = NULL, sync_rests_until = NULL, synced_at = NULL, sync_failures = 0, sync_error = NULL
        """

    /// Drops what a service granted and keeps the set-up.
    func forgetGrant(_ id: Identifier<Connection>, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE connections
               SET \(Self.withoutTokens)
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
            """)
    }

    /// Drops tokens and keys, and keeps the rest of the set-up.
    ///
    /// - Parameter detail: what is to be done to connect it again.
    func disconnect(
        _ id: Identifier<Connection>, setup: JSON, sealedSecrets: [UInt8]?, detail: String, in transaction: Transaction
    ) throws {
        let now = world.now()
        try transaction.execute(
            """
            UPDATE connections
               SET setup = \(setup.stored), secrets_sealed = \(sealedSecrets), \(Self.withoutTokens), metadata = '{}',
                   status = \(ConnectionStatus.disconnected), status_detail = \(detail), status_changed_at = \(now),
                   tested_at = NULL, test_duration_ms = NULL, test_rests_until = NULL, version = version + 1, updated_at = \(now)
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
            """)
    }

    /// Removes a connection: its secrets at once, its row after a while.
    func remove(_ id: Identifier<Connection>, in transaction: Transaction) throws {
        let now = world.now()
        try transaction.execute(
            """
            UPDATE connections
               SET removed_at = \(now), secrets_sealed = NULL, \(Self.withoutTokens), setup = '{}', metadata = '{}', version = version + 1,
                   updated_at = \(now)
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
            """)
    }
}

extension JSON {
    /// The whole value as it is stored.
    var stored: String { String(decoding: bytes, as: UTF8.self) }
}
