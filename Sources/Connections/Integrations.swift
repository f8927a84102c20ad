import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// The functions of PhoenixKit's `Integrations`, for programs that are built with the hub: each under its own name, with
/// its own result and its own errors, in one organization.
///
/// Wherever a connection is named, `provider` alone means its `default`, `provider:name` a named one, and an id the same
/// one under whatever name. Secrets leave by ``getCredentials(_:)`` alone, which the audit log notes.
public struct Integrations: Sendable {
    let room: Connections
    let scope: OrganizationScope

    /// A connection, as far as it may be shown.
    public struct Integration: Sendable {
        /// Its id, which stays whatever it is called.
        public let id: Identifier<Connection>
        /// The key of its service.
        public let provider: String
        /// Its name, `default` for the one that stands for its service.
        public let name: String
        /// `oauth2`, `api_key`, `key_secret`, `bot_token`, `credentials` or `webhook`; nil when its provider file is gone.
        public let authType: String?
        /// How it is.
        public let status: ConnectionStatus
        /// What that means and what to do.
        public let validationStatus: String
        /// When it was tried last.
        public let lastValidatedAt: Timestamp?
        /// The values of its set-up that are no secrets.
        public let setUp: [String: String]
        /// What the service said of itself, as JSON.
        public let metadata: JSON

        init(_ view: ConnectionView) {
            id = view.record.id
            provider = view.record.provider
            name = view.record.name
            authType = view.provider?.kind.rawValue
            status = view.status
            validationStatus = view.sentence
            lastValidatedAt = view.record.testedAt
            let secrets = Set(view.provider?.fields.filter { $0.kind == .secret }.map(\.name) ?? [])
            setUp = SetUp(keeping: view).open.filter { !secrets.contains($0.key) && $0.key != SetUp.extraName }
            metadata = view.record.metadata
        }
    }

    // MARK: Names

    /// The key under which PhoenixKit stores a connection: `integration:google:default`.
    ///
    /// - Throws: ``IntegrationsError/invalidProviderKey``.
    public static func settingsKey(_ providerKey: String) throws(IntegrationsError) -> String {
        guard case .named(let provider, let name) = ConnectionName(providerKey),
            ConnectionName(providerKey).isWellFormed
        else { throw .invalidProviderKey }
        return "integration:\(provider):\(name)"
    }

    // MARK: Listing

    /// Every service that can be connected.
    public func listProviders() -> [Provider] { room.catalogue.providers }

    /// Every connection there is, by service, each service's `default` first.
    public func listIntegrations() throws(IntegrationsError) -> [Integration] {
        try asked { try list([]) }
    }

    /// The connections of a service, `default` first.
    public func listConnections(_ provider: String) throws(IntegrationsError) -> [Integration] {
        try asked { try list([provider]) }
    }

    /// The connections of several services by one statement; a service without any has an empty list.
    public func loadAllConnections(_ providers: [String]) throws(IntegrationsError) -> [String: [Integration]] {
        guard !providers.isEmpty else { return [:] }
        let found = try asked { try list(providers) }
        let empty = Dictionary(providers.map { ($0, [Integration]()) }) { first, _ in first }
        return empty.merging(Dictionary(grouping: found, by: \.provider)) { $1 }
    }

    private func list(_ providers: [String]) throws -> [Integration] {
        var filter = ConnectionFilter()
        filter.providers = providers
        let records = try room.store(scope).list(filter, after: nil, limit: 10_000)
        return try records.map { Integration(try room.view($0, scope, in: room.database)) }
    }

    // MARK: One connection

    /// How a connection is and how it is set up.
    ///
    /// - Throws: ``IntegrationsError/notConfigured``, ``IntegrationsError/deleted``,
    ///   ``IntegrationsError/invalidProviderKey``.
    public func getIntegration(_ providerKey: String) throws(IntegrationsError) -> Integration {
        try asked { Integration(try find(providerKey)) }
    }

    /// Everything that calls need, secrets among them. The audit log notes it.
    ///
    /// - Throws: ``IntegrationsError/notConfigured`` when there is no connection, or one without credentials;
    ///   ``IntegrationsError/deleted`` for one that was removed.
    public func getCredentials(_ providerKey: String) throws(IntegrationsError) -> Secret<[String: String]> {
        try asked {
            let view = try find(providerKey)
            guard view.isActive else { throw IntegrationsError.notConfigured }
            return try room.credentials(of: view, by: scope)
        }
    }

    /// Whether a connection is there, switched on, and has credentials that were not found to be bad: those that nobody
    /// has tried yet count, as after PhoenixKit's `save_setup`.
    public func connected(_ providerKey: String) -> Bool {
        guard let view = try? find(providerKey) else { return false }
        return view.isActive && !view.status.needsPerson
    }

    // MARK: Setting up

    /// Stores values of a set-up over those that are there, and keeps the tokens. Makes the connection where there is none.
    ///
    /// - Throws: ``IntegrationsError/refused(_:)`` naming each value that is not taken.
    @discardableResult
    public func saveSetup(
        _ providerKey: String, _ values: [String: String]
    ) throws(IntegrationsError) -> Integration {
        try asked {
            let body = JSON.object([
                JSON.Member("setup", .object(values.map { JSON.Member($0.key, .string($0.value)) }))
            ])
            do {
                let id = try find(providerKey).record.id
                try room.update(id, by: scope) { old in
                    var input = try Input(body)
                    var change = Change(keeping: old)
                    change.setUp = try room.setUp(of: old, &input, isForm: false)
                    guard input.isComplete else { throw input.refusal }
                    return change
                }
            } catch let problem as Problem where problem.code == IntegrationsError.notConfigured.code {
                var input = try Input(body)
                let (provider, name) = try newName(providerKey)
                let setUp = SetUp.read(
                    provider, &input, isForm: false, given: room.environment.fields(of: provider))
                guard input.isComplete else { throw input.refusal }
                _ = try room.create(provider, Placing(name: name), setUp, by: scope)
            }
            return Integration(try find(providerKey))
        }
    }

    /// Makes a connection without a set-up under a name of its own.
    ///
    /// - Throws: ``IntegrationsError/refused(_:)`` with `name_taken` when there is one, `unknown_provider` for a service
    ///   that the hub does not know; ``IntegrationsError/invalidProviderKey`` when the name cannot be one.
    @discardableResult
    public func addConnection(_ provider: String, _ name: String) throws(IntegrationsError) -> Integration {
        try asked {
            let (provider, name) = try newName("\(provider):\(name)")
            let id = try room.create(provider, Placing(name: name), SetUp(open: [:], secrets: [:]), by: scope)
            return Integration(try room.find(.id(id), scope))
        }
    }

    /// Removes a named connection.
    ///
    /// - Throws: ``IntegrationsError/refused(_:)`` with `default_connection`: the one named `default` cannot be removed.
    public func removeConnection(_ provider: String, _ name: String) throws(IntegrationsError) {
        _ = try asked { try room.remove(find("\(provider):\(name)").record.id, by: scope) }
    }

    /// Drops what a connection is connected by, and keeps the rest of its set-up. One that is not there is disconnected
    /// already.
    public func disconnect(_ providerKey: String) throws(IntegrationsError) {
        do throws(IntegrationsError) {
            _ = try asked { try room.disconnect(find(providerKey).record.id, by: scope) }
        } catch IntegrationsError.notConfigured, IntegrationsError.deleted {}
    }

    private func newName(_ providerKey: String) throws -> (Provider, String) {
        guard case .named(let key, let name) = ConnectionName(providerKey), ConnectionName(providerKey).isWellFormed
        else { throw IntegrationsError.invalidProviderKey }
        guard let provider = try room.provider(key, scope, in: room.database, isAskedFor: true) else {
            throw Problem(404, "unknown_provider", "There is no provider \(key).")
        }
        return (provider, name)
    }

    // MARK: Trying

    /// Tries a connection with the service's cheapest read and notes how it went.
    ///
    /// - Throws: ``IntegrationsError/invalid(_:)`` with the reason when it does not work.
    public func validateConnection(_ providerKey: String) throws(IntegrationsError) {
        let outcome = try asked { try room.test(find(providerKey), by: scope) }
        guard outcome.isSuccess else { throw .invalid(outcome.sentence) }
    }

    /// Notes how a connection did; writes and tells only when that is another outcome than the one before.
    ///
    /// - Parameter reason: what did not work, safe to show; nil when all is well.
    public func recordValidation(_ providerKey: String, failure reason: String?) throws(IntegrationsError) {
        try asked { try room.recordOutcome(reason, of: find(providerKey), by: scope) }
    }

    // MARK: Tokens

    /// Renews the access token now and gives the new one. When it cannot be renewed, the connection says so from then on;
    /// when it can be again, it is connected again by itself.
    ///
    /// - Throws: ``IntegrationsError/refused(_:)`` with `not_refreshable`, `needs_reauth` or `refresh_failed`.
    public func refreshAccessToken(_ providerKey: String) throws(IntegrationsError) -> Secret<String> {
        try asked {
            let view = try room.refresh(find(providerKey), by: scope)
            guard case .open(let tokens) = view.tokens else { throw IntegrationsError.notConfigured }
            return tokens.access
        }
    }

    // MARK: Former systems

    /// Takes over rows of a former system, and says of each what was done; read again, they change nothing.
    ///
    /// - Throws: ``IntegrationsError/invalid(_:)`` when the file makes no sense.
    @discardableResult
    public func runLegacyMigrations(
        _ file: [UInt8], _ how: LegacyImport
    ) throws(IntegrationsError) -> [LegacyImport.Outcome] {
        try asked {
            var outcomes: [LegacyImport.Outcome] = []
            do {
                try room.importLegacy(file, how, by: scope) { outcomes.append($0) }
            } catch let error as LegacyFileError {
                throw IntegrationsError.invalid(error.description)
            }
            return outcomes
        }
    }

    // MARK: -

    func find(_ providerKey: String) throws -> ConnectionView {
        try room.find(ConnectionName(providerKey), scope)
    }

    /// Performs what is asked, and says of errors what they are here.
    func asked<Result>(_ perform: () throws -> Result) throws(IntegrationsError) -> Result {
        do {
            return try perform()
        } catch let error as IntegrationsError {
            throw error
        } catch let problem as Problem {
            throw IntegrationsError(problem)
        } catch {
            throw .unavailable
        }
    }
}

extension Connections {
    /// The functions of PhoenixKit's `Integrations` for an organization.
    public func integrations(_ scope: OrganizationScope) -> Integrations { Integrations(room: self, scope: scope) }
}

extension Placing {
    /// A name outside of workspaces.
    fileprivate init(name: String) { self.init(name: name, workspace: nil) }
}
