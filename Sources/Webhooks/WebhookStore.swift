import DatabaseKit
import Domain
import TimeKit

/// The webhooks of one organization, as far as the one who asks may see them: members their own, others all.
struct WebhookStore: Sendable {
    let database: Database
    let world: World
    let scope: OrganizationScope

    /// What is written of a webhook, its secrets sealed.
    struct Writing {
        var url: (sealed: [UInt8], shown: String, receiver: String)?
        var connection: Identifier<Connection>??
        var events: [EventPattern]?
        var description: String?
        var headersSealed: [UInt8]??
        var perSecond: Int??
        var ordering: WebhookRecord.Ordering?

        /// Whether there is nothing to write.
        var isEmpty: Bool {
            url == nil && events == nil && description == nil && headersSealed == nil && perSecond == nil
                && ordering == nil && connection == nil
        }
    }

    // MARK: Reading

    /// Which webhooks may be seen: a condition on `w`.
    private func visible(in querying: some Querying) throws -> SQL {
        let ours: SQL = "w.organization_id = \(scope.organization)"
        guard scope.role == .member else { return ours }
        return "\(ours) AND w.user_id = \(try Holder(scope, in: querying)?.user)"
    }

    /// Webhooks, the newest first.
    func list(after last: Identifier<Webhook>?, limit: Int) throws -> [WebhookRecord] {
        let before: SQL = if let last { "AND w.id < \(last)" } else { "" }
        return try database.rows(
            """
            SELECT \(WebhookRecord.columns)
              FROM webhooks w
             WHERE \(try visible(in: database)) \(before)
             ORDER BY w.id DESC
             LIMIT \(limit)
            """
        ).map(WebhookRecord.init)
    }

    func find(_ id: Identifier<Webhook>) throws -> WebhookRecord? { try find(id, locking: "", in: database) }

    /// Webhooks by their ids; those that are gone, or not to be seen, are missing.
    func find(_ ids: Set<Identifier<Webhook>>) throws -> [WebhookRecord] {
        try Chunks.of(Array(ids)).flatMap { part in
            try database.rows(
                """
                SELECT \(WebhookRecord.columns)
                  FROM webhooks w
                 WHERE w.id IN (\(list: part)) AND \(try visible(in: database))
                """
            ).map(WebhookRecord.init)
        }
    }

    /// The webhook, held until the transaction ends.
    func lock(_ id: Identifier<Webhook>, in transaction: Transaction) throws -> WebhookRecord? {
        try find(id, locking: "FOR UPDATE", in: transaction)
    }

    private func find(_ id: Identifier<Webhook>, locking: SQL, in querying: some Querying) throws -> WebhookRecord? {
        try querying.row(
            """
            SELECT \(WebhookRecord.columns)
              FROM webhooks w
             WHERE w.id = \(id) AND \(try visible(in: querying))
             \(locking)
            """
        ).map(WebhookRecord.init)
    }

    /// The webhooks that send to a connection, the newest first.
    func sending(to connection: Identifier<Connection>) throws -> [WebhookRecord] {
        let which: SQL = """
            AND \(try visible(in: database))
             ORDER BY w.id DESC
             LIMIT 20
            """
        return try sending(to: connection, which: which, in: database)
    }

    /// All webhooks of the organization that send to a connection, held until the transaction ends.
    func lockSending(
        to connection: Identifier<Connection>, in transaction: Transaction
    ) throws -> [WebhookRecord] {
        try sending(
            to: connection, which: "AND w.organization_id = \(scope.organization) ORDER BY w.id FOR UPDATE",
            in: transaction)
    }

    private func sending(
        to connection: Identifier<Connection>, which: SQL, in querying: some Querying
    ) throws -> [WebhookRecord] {
        try querying.rows(
            """
            SELECT \(WebhookRecord.columns)
              FROM webhooks w
             WHERE w.connection_id = \(connection) \(which)
            """
        ).map(WebhookRecord.init)
    }

    /// How many were disabled, or are active and fail since before a moment.
    func needingSomebody(failingBefore moment: Timestamp) throws -> Int {
        try database.row(
            """
            SELECT COUNT(*) AS count
              FROM webhooks w
             WHERE \(try visible(in: database))
               AND (w.state = 'active' AND w.failing_since <= \(moment) OR w.state = 'disabled')
            """)?.get("count") ?? 0
    }

    /// How many webhooks a holder has; nil where nobody counts.
    func count(of holder: Holder, in querying: some Querying) throws -> Int? {
        guard let held = holder.condition else { return nil }
        return try querying.row("SELECT COUNT(*) AS count FROM webhooks WHERE \(held)")?.get("count")
    }

    // MARK: Changing

    func insert(
        _ id: Identifier<Webhook>, _ writing: Writing, secretSealed: [UInt8], state: WebhookRecord.State,
        holder: Holder, in transaction: Transaction
    ) throws {
        let now = world.now()
        try transaction.execute(
            """
            INSERT INTO webhooks
                   (id, organization_id, user_id, issuer_id, connection_id, description, url_sealed, url_shown, receiver,
                    events, headers_sealed, secret_sealed, per_second, ordering, skip_after, state, created_at, updated_at)
            VALUES (\(id), \(scope.organization), \(holder.user), \(holder.issuer), \(writing.connection ?? nil),
                    \(writing.description ?? ""), \(writing.url?.sealed ?? []), \(writing.url?.shown ?? ""),
                    \(writing.url?.receiver ?? ""), \((writing.events ?? []).stored),
                    \(writing.headersSealed ?? nil), \(secretSealed), \(writing.perSecond ?? nil),
                    \((writing.ordering ?? .none).word), \((writing.ordering ?? .none).skipAfter), \(state.rawValue),
                    \(now), \(now))
            """)
    }

    /// Writes what is given and leaves the rest.
    func update(_ id: Identifier<Webhook>, _ writing: Writing, in transaction: Transaction) throws {
        var changes: [SQL] = []
        if let url = writing.url {
            // Another receiver has yet to fail.
            changes.append(
                """
                url_sealed = \(url.sealed), url_shown = \(url.shown), receiver = \(url.receiver), failing_since = NULL,
                failed_at = NULL, failing_told_at = NULL, slow_until = NULL
                """)
        }
        if let connection = writing.connection { changes.append("connection_id = \(connection)") }
        if let events = writing.events { changes.append("events = \(events.stored)") }
        if let description = writing.description { changes.append("description = \(description)") }
        if let headers = writing.headersSealed { changes.append("headers_sealed = \(headers)") }
        if let perSecond = writing.perSecond { changes.append("per_second = \(perSecond)") }
        if let ordering = writing.ordering {
            changes.append("ordering = \(ordering.word), skip_after = \(ordering.skipAfter)")
        }
        guard !changes.isEmpty else { return }
        try touch(id, SQL(joining: changes, by: ", "), in: transaction)
    }

    /// Gives a webhook another secret; the one before signs beside it until then.
    func roll(
        _ id: Identifier<Webhook>, secretSealed: [UInt8], previousSealed: [UInt8]?, previousEndsAt: Timestamp?,
        in transaction: Transaction
    ) throws {
        try touch(
            id,
            """
            secret_sealed = \(secretSealed), previous_sealed = \(previousSealed), previous_ends_at = \(previousEndsAt)
            """, in: transaction)
    }

    /// Lets a webhook go on, or wait; whatever it failed at before counts no more.
    func setActive(_ isActive: Bool, _ id: Identifier<Webhook>, in transaction: Transaction) throws {
        try setState(isActive ? .active : .paused, because: nil, of: id, in: transaction)
    }

    /// Another state, and why it has it, where nobody asked for that.
    func setState(
        _ state: WebhookRecord.State, because reason: WebhookRecord.DisabledReason?, of id: Identifier<Webhook>,
        in transaction: Transaction
    ) throws {
        let disabledAt = state == .disabled ? world.now() : nil
        try touch(
            id,
            """
            state = \(state.rawValue), disabled_reason = \(reason?.rawValue), disabled_at = \(disabledAt),
            failing_since = NULL, failed_at = NULL, failing_told_at = NULL, slow_until = NULL
            """, in: transaction)
    }

    func delete(_ id: Identifier<Webhook>, in transaction: Transaction) throws {
        try transaction.execute(
            "DELETE FROM webhooks WHERE id = \(id) AND organization_id = \(scope.organization)")
    }

    private func touch(_ id: Identifier<Webhook>, _ changes: SQL, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE webhooks
               SET \(changes), version = version + 1, updated_at = \(world.now())
             WHERE id = \(id) AND organization_id = \(scope.organization)
            """)
    }
}

extension WebhookRecord.Ordering {
    /// As it is stored.
    var word: String {
        switch self {
        case .none: "none"
        case .block: "block"
        case .skip: "skip"
        }
    }

    /// After how many failures one is given up; nil where none is.
    var skipAfter: Int? {
        if case .skip(let count) = self { count } else { nil }
    }
}
