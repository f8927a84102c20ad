import DatabaseKit
import Domain
import JSONKit
import TimeKit

/// The kinds of events that an organization has described.
struct EventTypeStore: Sendable {
    let database: Database
    let world: World
    let organization: Identifier<Organization>

    /// The most kinds of one organization.
    static let most = 500

    func all() throws -> [EventType] {
        try database.rows(
            """
            SELECT name, description, json_schema, example, deprecated_at, version
              FROM event_types
             WHERE organization_id = \(organization)
             ORDER BY name
             LIMIT \(Self.most)
            """
        ).compactMap(Self.type)
    }

    func find(_ name: EventName) throws -> EventType? { try find(name, locking: "", in: database) }

    func lock(_ name: EventName, in transaction: Transaction) throws -> EventType? {
        try find(name, locking: "FOR UPDATE", in: transaction)
    }

    private func find(_ name: EventName, locking: SQL, in querying: some Querying) throws -> EventType? {
        try querying.row(
            """
            SELECT name, description, json_schema, example, deprecated_at, version
              FROM event_types
             WHERE organization_id = \(organization) AND name = \(name.description)
             \(locking)
            """
        ).flatMap(Self.type)
    }

    func count(in querying: some Querying) throws -> Int {
        try querying.row("SELECT COUNT(*) AS count FROM event_types WHERE organization_id = \(organization)")?
            .get("count") ?? 0
    }

    /// Writes a kind, new or changed.
    func write(_ type: EventType, in transaction: Transaction) throws {
        let now = world.now()
        let schema = type.schema.map { String(decoding: $0.json.bytes, as: UTF8.self) }
        let example = type.example.map { String(decoding: $0.bytes, as: UTF8.self) }
        try transaction.execute(
            """
            INSERT INTO event_types
                   (organization_id, name, description, json_schema, example, deprecated_at, created_at, updated_at)
            VALUES (\(organization), \(type.name.description), \(type.description), \(schema), \(example),
                    \(type.deprecatedAt), \(now), \(now))
                ON DUPLICATE KEY UPDATE description = \(type.description), json_schema = \(schema), example = \(example),
                   deprecated_at = \(type.deprecatedAt), version = version + 1, updated_at = \(now)
            """)
    }

    func delete(_ name: EventName, in transaction: Transaction) throws {
        try transaction.execute(
            "DELETE FROM event_types WHERE organization_id = \(organization) AND name = \(name.description)")
    }

    private static func type(_ row: Row) throws -> EventType? {
        guard let name = EventName(try row.get("name")) else { return nil }
        let schema: String? = try row.get("json_schema")
        let example: String? = try row.get("example")
        return EventType(
            name: name, description: try row.get("description"),
            schema: schema.flatMap { try? SchemaRule(JSON(parsing: Array($0.utf8))) },
            example: example.flatMap { try? JSON(parsing: Array($0.utf8)) }, deprecatedAt: try row.get("deprecated_at"),
            version: try row.get("version"))
    }
}
