import DatabaseKit
import Domain
import HTTPKit
import TimeKit

/// The apps of one organization.
struct AppStore: Sendable {
    let database: Database
    let world: World
    let scope: OrganizationScope

    /// Whose app the one who asks would make.
    func holder(in querying: some Querying) throws -> Holder {
        guard let holder = try Holder(scope, in: querying) else {
            throw Problem(
                403, "account_required",
                "An app would outlive this token, whose bearer has no account here that could hold it.")
        }
        return holder
    }

    // MARK: Reading

    /// Apps of a filter, the newest first.
    func apps(
        _ filter: AppFilter = .none, after last: Identifier<OAuthApp>? = nil, limit: Int
    ) throws -> [AppRecord] {
        let before: SQL = if let last { "AND a.id < \(last)" } else { "" }
        return try database.rows(
            """
            SELECT \(AppRecord.columns)
              FROM \(AppRecord.tables)
             WHERE a.organization_id = \(scope.organization) AND a.deleted_at IS NULL \(filter.condition) \(before)
             ORDER BY a.id DESC
             LIMIT \(limit)
            """
        ).map(AppRecord.init)
    }

    func app(_ id: Identifier<OAuthApp>) throws -> AppRecord? { try app(id, locking: "", in: database) }

    /// The app, held until the transaction ends.
    func lock(_ id: Identifier<OAuthApp>, in transaction: Transaction) throws -> AppRecord? {
        try transaction.row("SELECT id FROM oauth_apps WHERE id = \(id) FOR UPDATE").flatMap { _ in
            try app(id, locking: "LOCK IN SHARE MODE", in: transaction)
        }
    }

    private func app(_ id: Identifier<OAuthApp>, locking: SQL, in querying: some Querying) throws -> AppRecord? {
        try querying.row(
            """
            SELECT \(AppRecord.columns)
              FROM \(AppRecord.tables)
             WHERE a.id = \(id) AND a.organization_id = \(scope.organization) AND a.deleted_at IS NULL
             \(locking)
            """
        ).map(AppRecord.init)
    }

    /// How many apps a holder has made; nil for the command line, where nobody counts.
    func count(of holder: Holder, in querying: some Querying) throws -> Int? {
        guard let held = holder.condition else { return nil }
        return try querying.row(
            "SELECT COUNT(*) AS count FROM oauth_apps WHERE \(held) AND deleted_at IS NULL AND NOT is_dynamic"
        )?.get("count")
    }

    /// How many apps of this organization have registered themselves.
    func dynamicCount(in querying: some Querying) throws -> Int {
        try querying.row(
            """
            SELECT COUNT(*) AS count
              FROM oauth_apps
             WHERE organization_id = \(scope.organization) AND deleted_at IS NULL AND is_dynamic
            """
        )?.get("count") ?? 0
    }

    /// How many people have allowed an app something, each organization of theirs counted by itself.
    func consentCount(of id: Identifier<OAuthApp>) throws -> Int {
        try database.row("SELECT COUNT(*) AS count FROM oauth_consents WHERE app_id = \(id)")?.get("count") ?? 0
    }

    /// The last lines of the audit log about an app.
    func activity(_ id: Identifier<OAuthApp>) throws -> [AppActivity] {
        try database.rows(
            """
            SELECT action, actor_name, occurred_at
              FROM audit_events
             WHERE organization_id = \(scope.organization) AND object_id = \(id)
             ORDER BY id DESC
             LIMIT 8
            """
        ).map(AppActivity.init)
    }

    // MARK: Changing

    func insert(_ new: NewApp, holder: Holder, in transaction: Transaction) throws {
        let (now, terms) = (world.now(), new.terms)
        try transaction.execute(
            """
            INSERT INTO oauth_apps
                   (id, organization_id, user_id, issuer_id, name, description, website_url, privacy_policy_url,
                    redirect_uris, grants, scopes, is_confidential, is_dynamic, requires_pushed_requests,
                    requests_per_minute, requests_per_hour, requests_per_day, secret_hash, secret_last_four,
                    registration_hash, auth_method, created_at, updated_at)
            VALUES (\(new.id), \(scope.organization), \(holder.user), \(holder.issuer), \(terms.name),
                    \(terms.description), \(terms.websiteURL), \(terms.privacyPolicyURL), \(terms.redirectURIs.stored),
                    \(terms.grants.stored), \(terms.scopes.stored), \(new.secret != nil), \(new.isDynamic),
                    \(terms.requiresPushedRequests), \(terms.rateLimit.perMinute), \(terms.rateLimit.perHour),
                    \(terms.rateLimit.perDay), \(new.secret?.digest), \(new.secret?.lastFour),
                    \(new.registrationHash), \(terms.authMethod?.rawValue), \(now), \(now))
            """)
    }

    func save(_ terms: AppTerms, of id: Identifier<OAuthApp>, in transaction: Transaction) throws {
        try update(
            id,
            """
            name = \(terms.name), description = \(terms.description), website_url = \(terms.websiteURL),
            privacy_policy_url = \(terms.privacyPolicyURL), redirect_uris = \(terms.redirectURIs.stored),
            grants = \(terms.grants.stored), scopes = \(terms.scopes.stored),
            requires_pushed_requests = \(terms.requiresPushedRequests), auth_method = \(terms.authMethod?.rawValue),
            requests_per_minute = \(terms.rateLimit.perMinute), requests_per_hour = \(terms.rateLimit.perHour),
            requests_per_day = \(terms.rateLimit.perDay)
            """, in: transaction)
    }

    /// Puts another secret in the place of the present one, which counts until `previousEnd`; at once over without.
    func roll(
        _ id: Identifier<OAuthApp>, to secret: ClientSecret, previousEnd: Timestamp?, in transaction: Transaction
    ) throws {
        // MariaDB assigns from left to right, so what is kept is read before it is overwritten.
        let kept: SQL =
            previousEnd == nil
            ? "previous_hash = NULL, previous_last_four = NULL, previous_ends_at = NULL"
            : "previous_hash = secret_hash, previous_last_four = secret_last_four, previous_ends_at = \(previousEnd)"
        try update(
            id, "\(kept), secret_hash = \(secret.digest), secret_last_four = \(secret.lastFour)", in: transaction)
    }

    /// Ends the secret before the last roll.
    func endPrevious(_ id: Identifier<OAuthApp>, in transaction: Transaction) throws {
        try update(
            id, "previous_hash = NULL, previous_last_four = NULL, previous_ends_at = NULL", in: transaction)
    }

    /// Puts an app aside, or takes it back into use.
    func disable(_ id: Identifier<OAuthApp>, at moment: Timestamp?, in transaction: Transaction) throws {
        try update(id, "disabled_at = \(moment)", in: transaction)
    }

    /// Ends every token that an app has got for itself; the moment until which those were made.
    func endOwnTokens(_ id: Identifier<OAuthApp>, in transaction: Transaction) throws -> Timestamp {
        // The clock of another host may be ahead of this one's.
        let row = try transaction.row(
            "SELECT MAX(id) AS last FROM oauth_access_tokens WHERE app_id = \(id) AND grant_id IS NULL")
        let last: Identifier<OAuthToken>? = try row?.get("last")
        let end = max(world.now(), last?.made ?? world.now())
        try update(id, "own_tokens_after = \(end)", in: transaction)
        return end
    }

    /// Removes an app: its row stays for what the logs say of it, its secrets do not.
    func delete(_ id: Identifier<OAuthApp>, in transaction: Transaction) throws {
        try update(
            id,
            """
            deleted_at = \(world.now()), secret_hash = NULL, secret_last_four = NULL, previous_hash = NULL,
            previous_last_four = NULL, previous_ends_at = NULL, registration_hash = NULL
            """, in: transaction)
    }

    private func update(_ id: Identifier<OAuthApp>, _ changes: SQL, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE oauth_apps
               SET \(changes), version = version + 1, updated_at = \(world.now())
             WHERE id = \(id) AND organization_id = \(scope.organization)
            """)
    }
}

/// An app that is about to be made.
struct NewApp: Sendable {
    let id: Identifier<OAuthApp>
    let terms: AppTerms
    /// Its secret; nil for a public app.
    let secret: ClientSecret?
    var isDynamic = false
    /// The digest of the token by which an app that registered itself changes what it said.
    var registrationHash: [UInt8]?
}

/// Which apps of a list are asked for.
struct AppFilter: Sendable, Equatable {
    /// A kind of app that somebody looks for.
    enum State: String, CaseIterable, Sendable {
        case active, disabled
    }

    var state: State?
    /// A part of the name, or a client id.
    var text: String?

    static let none = AppFilter()

    private init() {}

    /// Reads `state` and `q`; refusals are noted in the input.
    init(_ query: inout Input) {
        state = query.parsed("state", orSay: "There is no such state.") { State(rawValue: $0) }
        text = query.optionalText("q", 1...100)
    }

    /// The filter as a condition on `oauth_apps a`, beginning with AND.
    var condition: SQL {
        var condition: SQL =
            switch state {
            case nil: ""
            case .active: "AND a.disabled_at IS NULL"
            case .disabled: "AND a.disabled_at IS NOT NULL"
            }
        if let text {
            let pattern = text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
            let id: SQL = if let id = ClientID(text)?.id { "OR a.id = \(id)" } else { "" }
            condition = "\(condition) AND (a.name LIKE \("%\(pattern)%") \(id))"
        }
        return condition
    }
}

extension [RedirectURI] {
    /// As they are stored: one to a line.
    var stored: String { map(\.text).joined(separator: "\n") }
}
