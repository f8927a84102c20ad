import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TemplateKit
import TimeKit

/// The credentials of scripts.
public struct APIKeys: Sendable {
    /// How keys are made.
    public struct Settings: Sendable {
        /// The most characters that a prefix may have.
        public static let longestPrefix = 20

        /// What each new key begins with: letters, digits and `_`, which stands last.
        public var prefix: String
        /// After how many days a key ends unless its maker says otherwise.
        public var defaultExpiryDays: Int
        /// How many living keys a user may hold.
        public var maxPerUser: Int
        /// How many requests a key is good for unless its maker says otherwise.
        public var rateLimit: RateLimit
        /// The most requests that a key may be made good for, in any time.
        public var highestRateLimit: Int

        /// Settings; ``isPrefix(_:)`` must hold for the prefix.
        public init(
            prefix: String = "sk_", defaultExpiryDays: Int = 365, maxPerUser: Int = 10,
            rateLimit: RateLimit = RateLimit(), highestRateLimit: Int = 1_000_000_000
        ) {
            self.prefix = prefix
            self.defaultExpiryDays = defaultExpiryDays
            self.maxPerUser = maxPerUser
            self.rateLimit = rateLimit
            self.highestRateLimit = highestRateLimit
        }

        /// Whether a text can stand before a key, so that the key is still read as one.
        public static func isPrefix(_ text: String) -> Bool {
            (1...longestPrefix).contains(text.utf8.count) && text.hasSuffix("_")
                && text.utf8.allSatisfy { byte in
                    switch byte {
                    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: true
                    default: false
                    }
                }
        }
    }

    /// A key that will soon end by itself.
    public struct Expiring: Sendable {
        /// Its name.
        public let name: String
        /// When it ends.
        public let expiresAt: Timestamp
    }

    /// How long before its end a key is called to attention.
    static let warning = Duration.days(14)

    let database: Database
    let world: World
    let audit: AuditTrail
    let events: DomainEvents
    let settings: Settings
    let gatekeeper: Gatekeeper
    let usageBlock: @Sendable (Identifier<APIKey>, OrganizationScope) throws -> TemplateValue?

    /// The room.
    ///
    /// - Parameters:
    ///   - gatekeeper: where the keys of this room come in; it is told of each change after its commit and before the
    ///     answer.
    ///   - usageBlock: what the partial `key-usage` shows on a key's page; nil for nothing, as for who may not see it.
    public init(
        database: Database, world: World, settings: Settings = Settings(), gatekeeper: Gatekeeper,
        usageBlock: @escaping @Sendable (Identifier<APIKey>, OrganizationScope) throws -> TemplateValue? = { _, _ in nil
        }
    ) {
        self.database = database
        self.world = world
        self.settings = settings
        self.gatekeeper = gatekeeper
        self.usageBlock = usageBlock
        audit = AuditTrail(world: world)
        events = DomainEvents(world: world)
    }

    /// The routes and who performs them.
    public var routes: RoomRoutes {
        RoomRoutes(APIKeyRoute.self) { route, call in try respond(route, call) }
    }

    /// Makes a key for the command line and gives it this once.
    ///
    /// - Parameter wanted: an object as scripts send it, by `POST /api/v1/api-keys`.
    /// - Throws: `Problem` that names what is refused; `DatabaseError`.
    public func create(_ wanted: JSON, by scope: OrganizationScope) throws -> Secret<String> {
        var input = try Input(wanted)
        let terms = termsReader.patched(termsReader.defaults, &input, isNew: true)
        guard input.isComplete else { throw input.refusal }
        return try create(terms, by: scope).text.secret
    }

    /// Makes a key with these rights and the usual terms.
    ///
    /// - Parameter scopes: rights as they are written, such as `connections:read`.
    /// - Throws: as ``create(_:by:)`` does.
    public func create(name: String, scopes: [String], by scope: OrganizationScope) throws -> Secret<String> {
        try create(["name": .string(name), "scopes": .array(scopes.map(JSON.string))], by: scope)
    }

    /// How many keys open something now, of those that the one who asks may see.
    public func activeCount(_ scope: OrganizationScope) throws -> Int {
        try store(scope).activeCount()
    }

    /// Keys that end within two weeks, the first to end first, of those that the one who asks may see.
    public func expiring(_ scope: OrganizationScope, limit: Int) throws -> [Expiring] {
        try store(scope).expiring(before: world.now() + Self.warning, limit: limit).compactMap { key in
            key.expiresAt.map { Expiring(name: key.name, expiresAt: $0) }
        }
    }

    /// Changes keys, and tells those who keep them in memory.
    func change<Result>(
        isolation: Database.Isolation = .repeatableRead, _ body: (Transaction) throws -> Result
    ) throws -> Result {
        do {
            let result = try database.transaction(isolation: isolation, body)
            gatekeeper.changed()
            return result
        } catch let error as DatabaseError where error.code == .commitUnknown {
            // It may have happened.
            gatekeeper.changed()
            throw error
        }
    }

    func store(_ scope: OrganizationScope) -> KeyStore {
        KeyStore(database: database, world: world, scope: scope)
    }

    private func respond(_ route: APIKeyRoute, _ call: Call) throws -> Response {
        switch (route, call.request.method) {
        case (.list, _): try listPage(call)
        case (.create, .post): try createKey(call)
        case (.create, _): try newPage(call)
        case (.show(let id), _): try showPage(id, call)
        case (.edit(let id), .post): try editKey(id, call)
        case (.edit(let id), _): try editPage(id, call)
        case (.roll(let id), .post): try rollKey(id, call)
        case (.roll(let id), _): try rollPage(id, call)
        case (.endPrevious(let id), _): try endPreviousSecret(id, call)
        case (.disable(let id), _): try disableKey(id, call)
        case (.enable(let id), _): try enableKey(id, call)
        case (.revoke(let id), .post): try revokeKey(id, call)
        case (.revoke(let id), _): try revokePage(id, call)
        case (.revokeUnused, .post): try revokeUnusedKeys(call)
        case (.revokeUnused, _): try revokeUnusedPage(call)
        default: try respondInJSON(route, call)
        }
    }

    private func respondInJSON(_ route: APIKeyRoute, _ call: Call) throws -> Response {
        switch (route, call.request.method) {
        case (.listJSON, .post): try postKey(call)
        case (.listJSON, _): try listJSON(call)
        case (.keyJSON(let id), .patch): try patchKey(id, call)
        case (.keyJSON(let id), .delete): try deleteKey(id, call)
        case (.keyJSON(let id), _): try keyJSON(id, call)
        case (.verify, _): try verify(call)
        case (.rollJSON(let id), _): try postRoll(id, call)
        case (.previousJSON(let id), _): try deletePrevious(id, call)
        case (.disableJSON(let id), _): try postDisable(id, call)
        case (.enableJSON(let id), _): try postEnable(id, call)
        case (.revokeUnusedJSON, _): try postRevokeUnused(call)
        default: throw Problem.notFound
        }
    }
}
