import DatabaseKit
import Domain
import TimeKit

/// What one organization has sent and is sending.
struct OutgoingMessageStore: Sendable {
    let database: Database
    let world: World
    let scope: OrganizationScope

    /// How long an attempt may take before others call it cut off; longer than all calls of an attempt together.
    static let lease = Duration.seconds(90)

    /// What proves that a repeated request is the same one.
    struct RequestKey: Sendable {
        /// The digest of who asks and the key they gave.
        let key: [UInt8]
        /// The digest of what is asked.
        let digest: [UInt8]
    }

    /// A new message, waiting; or under way already, when a token of a lease is given.
    func insert(
        _ id: MessageID, _ content: MessageContent, sealed: [UInt8], to connection: ConnectionRecord,
        key: RequestKey?, lease token: [UInt8]?, in transaction: Transaction
    ) throws {
        let now = world.now()
        let status: MessageStatus = token == nil ? .queued : .sending
        try transaction.execute(
            """
            INSERT INTO outgoing_messages
                   (id, organization_id, connection_id, kind, provider, recipient_hint, content_sealed, status, attempts,
                    due_at, lease_token, lease_until, attempted_at, request_key, request_digest,
                    actor_kind, actor_id, actor_name, request_id, created_at, updated_at)
            VALUES (\(id), \(scope.organization), \(connection.id), \(content.kind.rawValue), \(connection.provider),
                    \(content.recipientHint), \(sealed), \(status), \(token == nil ? 0 : 1),
                    \(token == nil ? now : nil), \(token), \(token.map { _ in now + Self.lease }),
                    \(token.map { _ in now }), \(key?.key), \(key?.digest), \(scope.actor.kind.rawValue),
                    \(scope.actor.id), \(scope.actor.name), \(scope.requestID), \(now), \(now))
            """)
    }

    /// The newest first, those before the given one.
    func list(
        _ connection: Identifier<Connection>, kind: MessageContent.Kind? = nil, status: MessageStatus?,
        after last: MessageID?, limit: Int
    ) throws -> [OutgoingMessage] {
        let before: SQL = last.map { "AND m.id < \($0)" } ?? ""
        var wanted: SQL = status.map { "AND m.status = \($0)" } ?? ""
        if let kind { wanted = "\(wanted) AND m.kind = \(kind.rawValue)" }
        return try database.rows(
            """
            SELECT \(OutgoingMessage.columns)
              FROM outgoing_messages m
             WHERE m.organization_id = \(scope.organization) AND m.connection_id = \(connection) \(wanted) \(before)
             ORDER BY m.id DESC
             LIMIT \(limit)
            """
        ).map(OutgoingMessage.init)
    }

    func find(_ id: MessageID, in querying: some Querying) throws -> OutgoingMessage? {
        try querying.row(
            """
            SELECT \(OutgoingMessage.columns)
              FROM outgoing_messages m
             WHERE m.id = \(id) AND m.organization_id = \(scope.organization)
            """
        ).map(OutgoingMessage.init)
    }

    /// The same, while nobody else may change it.
    func lock(_ id: MessageID, in transaction: Transaction) throws -> OutgoingMessage? {
        try transaction.row(
            """
            SELECT \(OutgoingMessage.columns)
              FROM outgoing_messages m
             WHERE m.id = \(id) AND m.organization_id = \(scope.organization)
               FOR UPDATE
            """
        ).map(OutgoingMessage.init)
    }

    /// How long a key of repetition is remembered.
    private static let keyLife = Duration.hours(24)

    /// What the same request made within the last day; an older one gives the key free.
    func find(_ key: RequestKey, in transaction: Transaction) throws -> OutgoingMessage? {
        let row = try transaction.row(
            """
            SELECT \(OutgoingMessage.columns)
              FROM outgoing_messages m
             WHERE m.request_key = \(key.key) AND m.organization_id = \(scope.organization)
            """)
        guard let message = try row.map(OutgoingMessage.init) else { return nil }
        guard message.createdAt <= world.now() - Self.keyLife else { return message }
        try transaction.execute(
            """
            UPDATE outgoing_messages
               SET request_key = NULL
             WHERE id = \(message.id) AND organization_id = \(scope.organization)
            """)
        return nil
    }

    /// Begins an attempt.
    func begin(_ id: MessageID, lease token: [UInt8], in transaction: Transaction) throws {
        let now = world.now()
        try transaction.execute(
            """
            UPDATE outgoing_messages
               SET status = 'sending', attempts = attempts + 1, due_at = NULL, lease_token = \(token),
                   lease_until = \(now + Self.lease), attempted_at = \(now), version = version + 1, updated_at = \(now)
             WHERE id = \(id) AND organization_id = \(scope.organization)
            """)
    }

    /// Notes the end of a message and forgets its content; false when the attempt was not ours any more.
    ///
    /// A message that was not taken gives its key of repetition back: the same request may try anew.
    func end(
        _ id: MessageID, lease token: [UInt8], _ status: MessageStatus, providerID: String?,
        _ trouble: OutgoingMessage.Trouble?, in transaction: Transaction
    ) throws -> Bool {
        let now = world.now()
        return try transaction.execute(
            """
            UPDATE outgoing_messages
               SET status = \(status), content_sealed = NULL, provider_id = \(providerID?.prefixScalars(500)),
                   error_code = \(trouble?.code), error = \(trouble?.sentence.prefixScalars(1_000)), due_at = NULL,
                   lease_token = NULL, lease_until = NULL, sent_at = \(status == .sent ? now : nil),
                   request_key = IF(\(status == .failed), NULL, request_key), version = version + 1, updated_at = \(now)
             WHERE id = \(id) AND organization_id = \(scope.organization) AND lease_token = \(token)
            """
        ).affectedRows == 1
    }

    /// Lets a message wait for its next attempt; false when the attempt was not ours any more.
    func putOff(
        _ id: MessageID, lease token: [UInt8], until moment: Timestamp, _ trouble: OutgoingMessage.Trouble,
        in transaction: Transaction
    ) throws -> Bool {
        try transaction.execute(
            """
            UPDATE outgoing_messages
               SET status = 'queued', error_code = \(trouble.code), error = \(trouble.sentence.prefixScalars(1_000)),
                   due_at = \(moment), lease_token = NULL, lease_until = NULL, version = version + 1,
                   updated_at = \(world.now())
             WHERE id = \(id) AND organization_id = \(scope.organization) AND lease_token = \(token)
            """
        ).affectedRows == 1
    }
}
