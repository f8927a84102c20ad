import DatabaseKit

/// Counts the changes of what processes keep in memory, so that they see when it has grown old.
///
/// Whoever keeps something reads the number first and the thing then; as long as the number stays, so does the thing.
public enum Generations {
    /// API keys, and the users, memberships and organizations that they are resolved with.
    public static let apiKeys = "api_keys"
    /// Where webhooks of other services come in, and the secrets by which they are known.
    public static let inboundSources = "inbound_sources"
    /// Webhooks, as far as events are addressed by them, and the kinds of events that organizations have described.
    public static let webhooks = "webhooks"
    /// Apps, what they were allowed and the tokens that they hold.
    public static let oauth = "oauth"

    /// Notes a change, in the transaction that makes it.
    ///
    /// The row stays locked until the transaction ends, so this comes last in it: changes of one kind then never wait for
    /// each other in a circle.
    public static func bump(_ name: String, in transaction: some Querying) throws(DatabaseError) {
        try transaction.execute(
            """
            INSERT INTO generations (name, value)
            VALUES (\(name), 1)
            ON DUPLICATE KEY UPDATE value = value + 1
            """)
    }

    /// How many changes have been committed.
    public static func value(of name: String, in querying: some Querying) throws(DatabaseError) -> Int64 {
        try querying.row("SELECT value FROM generations WHERE name = \(name)")?.get("value") ?? 0
    }
}
