import DatabaseKit
import Domain
import JSONKit
import LogKit
import TimeKit

/// How a connection is (api.md §3).
public enum ConnectionStatus: String, CaseIterable, Sendable, Bindable, Readable {
    /// Not tested yet, or its secrets were dropped.
    case disconnected
    /// It worked when it was tried last.
    case connected
    /// It works, but will soon end.
    case expiring
    /// It did not work when it was tried last.
    case error
    /// It works again once a person has signed in.
    case needsReauth = "needs_reauth"
    /// Switched off by a person.
    case disabled
    /// Its secrets cannot be opened: never stored, found on reading.
    case undecryptable

    /// The state as pages name it.
    var word: String {
        switch self {
        case .disconnected: "Not connected"
        case .connected: "Connected"
        case .expiring: "Expiring"
        case .error: "Failing"
        case .needsReauth: "Needs sign-in again"
        case .disabled: "Disabled"
        case .undecryptable: "Undecryptable"
        }
    }

    /// The tone of its dot: `good`, `warn`, `bad` or `off`.
    var tone: String {
        switch self {
        case .connected: "good"
        case .expiring: "warn"
        case .error, .needsReauth, .undecryptable: "bad"
        case .disconnected, .disabled: "off"
        }
    }

    /// Whether a person must do something.
    var needsPerson: Bool { self == .error || self == .needsReauth || self == .undecryptable }
}

extension ConnectionStatus {
    /// How a connection is, of what is stored and of whether what is sealed opens.
    init(stored: ConnectionStatus, isEnabled: Bool, isReadable: Bool) {
        self = !isReadable ? .undecryptable : isEnabled ? stored : .disabled
    }
}

/// A connection as the database knows it, its secrets still sealed.
struct ConnectionRecord: Sendable {
    let id: Identifier<Connection>
    let workspace: Identifier<Workspace>?
    let provider: String
    let name: String
    let storedStatus: ConnectionStatus
    let statusDetail: String?
    let isEnabled: Bool
    let setup: JSON
    let sealedSecrets: [UInt8]?
    let grant: Grant
    let metadata: JSON
    let testedAt: Timestamp?
    let testDuration: Duration?
    let syncedAt: Timestamp?
    let syncError: String?
    let version: Int64
    let createdAt: Timestamp
    let updatedAt: Timestamp
    let createdBy: String
}

extension ConnectionRecord {
    init(_ row: Row) throws {
        id = try row.get("id")
        workspace = try row.get("workspace_id")
        provider = try row.get("provider")
        name = try row.get("name")
        storedStatus = try row.get("status")
        statusDetail = try row.get("status_detail")
        isEnabled = try row.get("enabled")
        setup = try JSON(parsing: Array(row.get("setup", as: String.self).utf8))
        sealedSecrets = try row.get("secrets_sealed")
        grant = try Grant(row)
        metadata = try JSON(parsing: Array(row.get("metadata", as: String.self).utf8))
        testedAt = try row.get("tested_at")
        testDuration = try row.get("test_duration_ms", as: Int?.self).map { .milliseconds($0) }
        syncedAt = try row.get("synced_at")
        syncError = try row.get("sync_error")
        version = try row.get("version")
        createdAt = try row.get("created_at")
        updatedAt = try row.get("updated_at")
        createdBy = try row.get("created_by")
    }
}

extension Grant {
    init(_ row: Row) throws {
        version = try row.get("tokens_version")
        sealed = try row.get("tokens_sealed")
        expiresAt = try row.get("token_expires_at")
        endsAt = try row.get("grant_ends_at")
        authorizedAt = try row.get("authorized_at")
        requestedScopes = try Self.scopes(row.get("requested_scopes")) ?? []
        grantedScopes = try Self.scopes(row.get("granted_scopes"))
        refreshedAt = try row.get("refreshed_at")
        refreshDueAt = try row.get("refresh_due_at")
        refreshFailures = try row.get("refresh_failures")
    }

    /// Scopes as they are stored: one space between two.
    private static func scopes(_ text: String?) -> [String]? {
        text.map { $0.split(separator: " ").map(String.init) }
    }
}

/// What a set-up's secrets turned out to be.
enum Secrets: Sendable {
    /// They open.
    case open([String: String])
    /// There are none: never given, or dropped by disconnecting.
    case none
    /// They do not open: damaged, out of place, or their key is missing.
    case sealed

    /// The values, none when they do not open.
    var values: [String: String] {
        if case .open(let values) = self { values } else { [:] }
    }
}

/// What a connection's tokens turned out to be.
enum HeldTokens: Sendable {
    /// They open.
    case open(Tokens)
    /// Nobody signed in yet, or they were dropped.
    case none
    /// They do not open: damaged, out of place, or their key is missing.
    case sealed
}

/// A connection with its secrets looked at, and what it is called.
struct ConnectionView: Sendable {
    let record: ConnectionRecord
    let secrets: Secrets
    let tokens: HeldTokens
    /// Nil when its provider file is gone.
    let provider: Provider?
    /// What the hub's own settings give for fields that this connection leaves empty (seed 3).
    var environment: [String: Secret<String>] = [:]

    /// How it is: what cannot be opened is undecryptable, whatever was stored.
    var status: ConnectionStatus {
        ConnectionStatus(
            stored: record.storedStatus, isEnabled: record.isEnabled, isReadable: isReadable)
    }

    /// Whether everything that is sealed opens.
    var isReadable: Bool {
        if case .sealed = secrets { return false }
        if case .sealed = tokens { return false }
        return true
    }

    var serviceName: String { provider?.name ?? record.provider }

    /// `Telegram “alerts”`
    var title: String { "\(serviceName) “\(record.name)”" }

    /// What the state means and what to do.
    var sentence: String {
        switch status {
        case .disconnected: record.statusDetail ?? "It has not been tested yet. Test it to see whether it works."
        case .connected: "Ready to use."
        case .disabled: "Somebody switched it off. Nothing is sent until it is enabled again."
        case .undecryptable:
            "Its secrets cannot be opened with the key ring that this hub has. Nothing was overwritten: restore the key ring, or remove the connection."
        case .expiring, .error, .needsReauth: record.statusDetail ?? "The last test failed."
        }
    }

    /// Whose access it is, in a few words; nil when that is not known.
    var access: String? { record.metadata["access"]?.text }

    /// All values of the set-up, secrets among them, and `access_token` where there is one.
    var values: [String: String] {
        var values: [String: String] = [:]
        for member in record.setup.members ?? [] where member.name != SetUp.extraName {
            values[member.name] = member.value.text
        }
        values.merge(secrets.values) { _, secret in secret }
        if case .open(let tokens) = tokens {
            values["access_token"] = tokens.access.reveal { $0 }
        } else if let own = provider?.oauth?.ownToken {
            values["access_token"] = values[own]
        }
        return values
    }

    /// What it is connected by: the access token, or a key that was entered; nil when there is neither.
    var credential: Secret<String>? {
        let values = values
        if provider?.oauth != nil, let token = values["access_token"] { return Secret(token) }
        let entered = (provider?.keys ?? []).filter { values[$0.name] != nil }
        return (entered.first(where: \.isRequired) ?? entered.first).flatMap { values[$0.name] }.map { Secret($0) }
    }

    /// The values by which the hub shows a service who it is: those of the hub's settings where the connection has no
    /// client of its own. They serve signing in and refreshing, and are lent to nobody.
    var signInValues: [String: String] {
        let own = values
        guard environment.keys.allSatisfy({ own[$0] == nil }) else { return own }
        return own.merging(environment.mapValues { $0.reveal { $0 } }) { own, _ in own }
    }

    /// The same for signing in at another tenant than the set-up names; nil for the one that it names.
    func signInValues(at tenant: String?) -> [String: String] {
        guard let tenant, let field = provider?.oauth?.tenantField else { return signInValues }
        return signInValues.merging([field: tenant]) { $1 }
    }

    /// What the service said of itself: when it was read, at the last test, at sign-in.
    var facts: [JSON] {
        let all = ["synced", "facts", "grant"].flatMap { record.metadata[$0]?.elements ?? [] }
        var seen: Set<String> = []
        return all.filter { seen.insert($0["label"]?.text ?? "").inserted }
    }
}
