import DatabaseKit
import Domain
import TimeKit

/// By which connection, and to which addresses, an organization is told by e-mail of what needs somebody.
struct NoticeTerms: Sendable, Equatable {
    /// How many addresses there may be.
    static let mostAddresses = 10

    /// Nil when nothing is to be sent.
    var connection: Identifier<Connection>?
    var addresses: [String] = []

    /// Whether anything is sent.
    var isOn: Bool { connection != nil && !addresses.isEmpty }
}

/// The terms of notices, by organization.
struct NoticeStore: Sendable {
    let world: World
    let organization: Identifier<Organization>

    /// The terms and how often they were changed; none and 0 before the first time.
    func terms(in querying: some Querying) throws -> (terms: NoticeTerms, version: Int64) {
        let row = try querying.row(
            "SELECT connection_id, addresses, version FROM notices WHERE organization_id = \(organization)")
        guard let row else { return (NoticeTerms(), 0) }
        let addresses: String = try row.get("addresses")
        return (
            NoticeTerms(
                connection: try row.get("connection_id"), addresses: addresses.split(separator: " ").map(String.init)),
            try row.get("version")
        )
    }

    func write(_ terms: NoticeTerms, in transaction: Transaction) throws {
        let addresses = terms.addresses.joined(separator: " ")
        try transaction.execute(
            """
            INSERT INTO notices (organization_id, connection_id, addresses, updated_at)
            VALUES (\(organization), \(terms.connection), \(addresses), \(world.now()))
            ON DUPLICATE KEY UPDATE connection_id = VALUES(connection_id), addresses = VALUES(addresses),
                version = version + 1, updated_at = VALUES(updated_at)
            """)
    }
}
