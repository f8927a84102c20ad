import AdminShell
import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import LimitKit
import LogKit
import TemplateKit
import TimeKit

/// People who sign in, the organizations they belong to, and the door they come through.
public struct Accounts: Sendable {
    /// How the door is set.
    public struct Settings: Sendable {
        /// After so long without a request a session ends.
        public var idle: Duration
        /// After so long a session ends whatever happens.
        public var absolute: Duration

        /// Times of a session.
        public init(idle: Duration, absolute: Duration) {
            self.idle = idle
            self.absolute = absolute
        }
    }

    /// The name of the session's cookie, without prefix.
    public static let sessionCookie = "hub_session"

    let database: Database
    let world: World
    let audit: AuditTrail
    let vault: Vault
    let passwords: Passwords
    let accounts: AccountStore
    let sessions: SessionStore
    /// Attempts by address.
    let limiter: Limiter
    /// How many connections each workspace has; told by the room that knows.
    let connectionCounts: @Sendable (OrganizationScope) throws -> [Identifier<Workspace>: Int]
    /// How many things a workspace holds that would be left without it; told by the rooms that know.
    let workspaceUses: @Sendable (Identifier<Workspace>, OrganizationScope, Transaction) throws -> Int
    /// Over which connections notices can be sent; told by the room that knows.
    let mail: NoticeMail
    /// Tells whoever keeps in memory what a user may do where.
    let changed: @Sendable () -> Void
    /// Ends what apps may do for a person who has another password, and tells its owner once that is committed.
    let passwordChanged: @Sendable (Identifier<User>, Transaction) throws -> Void

    /// The room.
    ///
    /// - Parameter changed: called after a change of an organization, a membership or a user was committed and before its
    ///   answer; it must not wait.
    public init(
        database: Database, world: World, vault: Vault, passwords: Passwords, settings: Settings,
        limiter: Limiter,
        connectionCounts: @escaping @Sendable (OrganizationScope) throws -> [Identifier<Workspace>: Int],
        workspaceUses: @escaping @Sendable (Identifier<Workspace>, OrganizationScope, Transaction) throws -> Int = {
            _, _, _ in 0
        },
        mail: NoticeMail = NoticeMail(choices: { _ in [] }, isAddress: { _ in false }),
        changed: @escaping @Sendable () -> Void = {},
        passwordChanged: @escaping @Sendable (Identifier<User>, Transaction) throws -> Void = { _, _ in }
    ) {
        self.database = database
        self.world = world
        self.vault = vault
        self.passwords = passwords
        self.limiter = limiter
        self.connectionCounts = connectionCounts
        self.workspaceUses = workspaceUses
        self.mail = mail
        self.changed = changed
        self.passwordChanged = passwordChanged
        audit = AuditTrail(world: world)
        accounts = AccountStore(database: database, world: world)
        sessions = SessionStore(database: database, world: world, idle: settings.idle, absolute: settings.absolute)
    }

    /// The routes and who performs them.
    public var routes: RoomRoutes {
        RoomRoutes(AccountRoute.self) { route, call in try respond(route, call) }
    }

    /// Whose browser sent a session cookie; nil when the session is unknown or over.
    public func principal(sessionToken: String) throws -> Principal? {
        try sessions.principal(token: sessionToken)
    }

    /// How many people belong to an organization.
    public func memberCount(_ scope: OrganizationScope) throws -> Int {
        try organization(scope).memberCount()
    }

    /// Forgets all that is over, for as long as the closure says yes.
    public func purge(while goesOn: () -> Bool = { true }) throws {
        try accounts.purge(while: goesOn)
    }

    func organization(_ scope: OrganizationScope) -> OrganizationStore {
        OrganizationStore(database: database, world: world, scope: scope)
    }

    private func respond(_ route: AccountRoute, _ call: Call) throws -> Response {
        switch (route, call.request.method) {
        case (.signIn, .post): try signIn(call)
        case (.signIn, _): try signInPage(call)
        case (.signOut, _): try signOut(call)
        case (.setUp, .post): try setUp(call)
        case (.setUp, _): try setUpPage(call)
        case (.account, _): try accountPage(call)
        case (.changePassword, _): try changePassword(call)
        case (.chooseTheme, _): try chooseTheme(call)
        case (.endSession(let id), _): try endSession(id, call)
        case (.endOtherSessions, _): try endOtherSessions(call)
        case (.organization, _): try organizationPage(call)
        case (.renameOrganization, _): try renameOrganization(call)
        case (.switchOrganization, _): try switchOrganization(call)
        case (.setNotices, _): try setNoticesFromPage(call)
        case (.addWorkspace, _): try addWorkspace(call)
        case (.renameWorkspace(let id), _): try renameWorkspace(id, call)
        case (.removeWorkspace(let id), .post): try removeWorkspace(id, call)
        case (.removeWorkspace(let id), _): try removeWorkspacePage(id, call)
        case (.organizationJSON, .patch): try patchOrganization(call)
        case (.organizationJSON, _): try organizationJSON(call)
        case (.noticesJSON, .put): try putNotices(call)
        case (.noticesJSON, _): try noticesJSON(call)
        case (.workspacesJSON, .post): try postWorkspace(call)
        case (.workspacesJSON, _): try workspacesJSON(call)
        case (.workspaceJSON(let id), .patch): try patchWorkspace(id, call)
        case (.workspaceJSON(let id), .delete): try deleteWorkspace(id, call)
        case (.workspaceJSON(let id), _): try workspaceJSON(id, call)
        }
    }
}
