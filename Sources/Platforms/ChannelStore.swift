import DatabaseKit
import Domain
import TimeKit

/// Which way the messages of a channel go.
enum SyncDirection: String, Sendable, CaseIterable, Bindable, Readable {
    /// From the platform.
    case inbound
    /// To the platform.
    case outbound
    /// Both ways.
    case both
}

/// A channel as it stands in the database.
struct ChannelRecord: Sendable {
    let id: Identifier<PlatformChannel>
    let integration: Identifier<PlatformIntegration>
    /// The platform's own id.
    let platformID: String
    /// The platform's id of the server or team that it belongs to.
    let serverID: String?
    let name: String
    let kind: String
    let topic: String?
    /// What somebody said of syncing messages; nil when nobody has.
    let autoSync: Bool?
    let direction: SyncDirection?
    let conversation: Identifier<Conversation>?
    /// Since when the platform no longer has it.
    let vanishedAt: Timestamp?
    let version: Int64
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let columns: SQL = """
        c.id, c.integration_id, c.platform_channel_id, c.platform_server_id, c.channel_name, c.channel_type,
        c.channel_topic, c.auto_sync_messages, c.sync_direction, c.lvng_conversation_id, c.vanished_at, c.version,
        c.created_at, c.updated_at
        """

    /// Whether messages are synced by themselves: where nobody has said, a direction says so.
    var isSynced: Bool { autoSync ?? (direction != nil) }

    /// Whether what is written there is told to others.
    var isHeard: Bool { (direction == .inbound || direction == .both) && isSynced }
}

extension ChannelRecord {
    init(_ row: Row) throws(DatabaseError) {
        self.init(
            id: try row.get("id"), integration: try row.get("integration_id"),
            platformID: try row.get("platform_channel_id"), serverID: try row.get("platform_server_id"),
            name: try row.get("channel_name"), kind: try row.get("channel_type"),
            topic: try row.get("channel_topic"), autoSync: try row.get("auto_sync_messages"),
            direction: try row.get("sync_direction"), conversation: try row.get("lvng_conversation_id"),
            vanishedAt: try row.get("vanished_at"), version: try row.get("version"),
            createdAt: try row.get("created_at"), updatedAt: try row.get("updated_at"))
    }
}

/// A conversation of the site, which the hub knows by its id alone.
enum Conversation {}

/// A channel as a platform describes it.
struct FoundChannel: Sendable, Equatable {
    let id: String
    let name: String
    let kind: String
    let topic: String?
    let serverID: String?

    /// A channel, its texts cut to what is kept of them.
    ///
    /// - Returns: nil for an id that is no id.
    init?(id: String?, name: String?, kind: String, topic: String?, serverID: String?) {
        guard let id, (1...200).contains(id.unicodeScalars.count) else { return nil }
        self.id = id
        self.name = String(String.UnicodeScalarView((name ?? id).unicodeScalars.prefix(250)))
        self.kind = String(kind.prefix(32))
        self.topic = topic.flatMap { topic in
            topic.isEmpty ? nil : String(String.UnicodeScalarView(topic.unicodeScalars.prefix(1_024)))
        }
        self.serverID = serverID.flatMap { $0.unicodeScalars.count <= 200 ? $0 : nil }
    }
}

/// The channels of an organization's integrations. A platform key sees those of its own one.
struct ChannelStore: Sendable {
    let database: Database
    let world: World
    let scope: OrganizationScope

    /// How many channels an integration may have.
    static let most = 10_000

    private var visible: SQL {
        let ours: SQL = "c.organization_id = \(scope.organization)"
        guard scope.actor.kind == .platformKey else { return ours }
        return "\(ours) AND c.integration_id = \(scope.actor.id)"
    }

    // MARK: Reading

    /// All channels of an integration, by name; those that vanished stand among them.
    func list(of integration: Identifier<PlatformIntegration>) throws -> [ChannelRecord] {
        try database.rows(
            """
            SELECT \(ChannelRecord.columns)
              FROM platform_channels c
             WHERE c.integration_id = \(integration) AND \(visible)
             ORDER BY c.channel_name, c.id
             LIMIT \(Self.most)
            """
        ).map(ChannelRecord.init)
    }

    /// A part of the channels by name, those whose name holds a text.
    func page(
        of integration: Identifier<PlatformIntegration>, search: String?, after last: Identifier<PlatformChannel>?,
        limit: Int
    ) throws -> [ChannelRecord] {
        let named: SQL = if let search { "AND INSTR(c.channel_name, \(search)) > 0" } else { "" }
        let behind: SQL =
            if let last {
                """
                AND (c.channel_name, c.id) > (SELECT l.channel_name, l.id FROM platform_channels l WHERE l.id = \(last))
                """
            } else { "" }
        return try database.rows(
            """
            SELECT \(ChannelRecord.columns)
              FROM platform_channels c
             WHERE c.integration_id = \(integration) AND \(visible) \(named) \(behind)
             ORDER BY c.channel_name, c.id
             LIMIT \(limit)
            """
        ).map(ChannelRecord.init)
    }

    func find(_ id: Identifier<PlatformChannel>, in querying: some Querying) throws -> ChannelRecord? {
        try find("c.id = \(id)", in: querying)
    }

    /// The channel, held until the transaction ends.
    func lock(_ id: Identifier<PlatformChannel>, in transaction: Transaction) throws -> ChannelRecord? {
        try find("c.id = \(id)", locking: "FOR UPDATE", in: transaction)
    }

    func find(
        platformID: String, of integration: Identifier<PlatformIntegration>, in querying: some Querying
    ) throws -> ChannelRecord? {
        try find("c.integration_id = \(integration) AND c.platform_channel_id = \(platformID)", in: querying)
    }

    private func find(_ condition: SQL, locking: SQL = "", in querying: some Querying) throws -> ChannelRecord? {
        try querying.row(
            """
            SELECT \(ChannelRecord.columns)
              FROM platform_channels c
             WHERE \(condition) AND \(visible)
             \(locking)
            """
        ).map(ChannelRecord.init)
    }

    // MARK: Syncing

    /// Takes over what the platform says; settings stay as they are, and a channel that had vanished is back.
    func upsert(
        _ found: [FoundChannel], of integration: Identifier<PlatformIntegration>, in transaction: Transaction
    ) throws {
        let now = world.now()
        for start in stride(from: 0, to: found.count, by: 200) {
            let lines = found[start..<min(start + 200, found.count)].map { channel -> SQL in
                """
                (\(Identifier<PlatformChannel>(world)), \(scope.organization), \(integration), \(channel.id),
                 \(channel.serverID), \(channel.name), \(channel.kind), \(channel.topic), \(now), \(now))
                """
            }
            try transaction.execute(
                """
                INSERT INTO platform_channels
                       (id, organization_id, integration_id, platform_channel_id, platform_server_id, channel_name,
                        channel_type, channel_topic, created_at, updated_at)
                VALUES \(SQL(joining: lines, by: ", "))
                    ON DUPLICATE KEY UPDATE
                       version = version + 1, updated_at = VALUES(updated_at), vanished_at = NULL,
                       platform_server_id = VALUES(platform_server_id), channel_name = VALUES(channel_name),
                       channel_type = VALUES(channel_type), channel_topic = VALUES(channel_topic)
                """)
        }
    }

    /// Marks channels that the platform no longer has.
    ///
    /// - Returns: how many vanished.
    func markVanished(
        _ gone: [Identifier<PlatformChannel>], of integration: Identifier<PlatformIntegration>,
        in transaction: Transaction
    ) throws -> Int {
        var count = 0
        for start in stride(from: 0, to: gone.count, by: 500) {
            count += try transaction.execute(
                """
                UPDATE platform_channels
                   SET vanished_at = \(world.now()), version = version + 1, updated_at = \(world.now())
                 WHERE id IN (\(list: Array(gone[start..<min(start + 500, gone.count)])))
                   AND integration_id = \(integration) AND organization_id = \(scope.organization)
                   AND vanished_at IS NULL
                """
            ).affectedRows
        }
        return count
    }

    /// How many channels an integration has, vanished ones too.
    func count(of integration: Identifier<PlatformIntegration>, in querying: some Querying) throws -> Int {
        try querying.row(
            """
            SELECT COUNT(*) AS count
              FROM platform_channels c
             WHERE c.integration_id = \(integration) AND \(visible)
            """)?.get("count") ?? 0
    }

    // MARK: Settings

    /// What is given of the settings; nil leaves one as it is.
    struct Settings: Sendable {
        var autoSync: Bool?
        var direction: SyncDirection??
        var conversation: Identifier<Conversation>??

        var isEmpty: Bool { autoSync == nil && direction == nil && conversation == nil }
    }

    func update(_ id: Identifier<PlatformChannel>, _ settings: Settings, in transaction: Transaction) throws {
        var changes: [SQL] = []
        if let autoSync = settings.autoSync { changes.append("auto_sync_messages = \(autoSync)") }
        if let direction = settings.direction { changes.append("sync_direction = \(direction)") }
        if let conversation = settings.conversation { changes.append("lvng_conversation_id = \(conversation)") }
        guard !changes.isEmpty else { return }
        try transaction.execute(
            """
            UPDATE platform_channels
               SET \(SQL(joining: changes, by: ", ")), version = version + 1, updated_at = \(world.now())
             WHERE id = \(id) AND organization_id = \(scope.organization)
            """)
    }

    func deleteAll(of integration: Identifier<PlatformIntegration>, in transaction: Transaction) throws {
        try transaction.execute(
            """
            DELETE FROM platform_channels
             WHERE integration_id = \(integration) AND organization_id = \(scope.organization)
            """)
    }
}
