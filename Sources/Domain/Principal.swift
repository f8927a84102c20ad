import TimeKit

/// Kinds of things that have an ``Identifier``.
public enum Organization {}
/// A part of an organization.
public enum Workspace {}
/// A person who signs in.
public enum User {}
/// A signed-in browser.
public enum Session {}
/// A credential of a script.
public enum APIKey {}
/// A service that an organization is signed in to.
public enum Connection {}
/// A program that asks for access by OAuth 2.0, in somebody's name or in its own.
public enum OAuthApp {}
/// What a person allowed an app to do, once and for later.
public enum OAuthConsent {}
/// One access that an app was given, with all tokens that came of it.
public enum OAuthGrant {}
/// A token that an app holds.
public enum OAuthToken {}
/// A line of the audit log.
public enum AuditEvent {}
/// Something that happened, of which others are told.
public enum DomainEvent {}

/// Who does something, as the audit log names them.
public struct Actor: Sendable, Equatable {
    /// What kind of actor it is.
    public enum Kind: String, Sendable {
        /// A person in a browser.
        case user
        /// A script with an API key.
        case apiKey = "api_key"
        /// The bearer of a token that the existing site signed.
        case siteToken = "site_token"
        /// An app with an access token.
        case oauthApp = "oauth_app"
        /// A script with the key of one platform integration.
        case platformKey = "platform_key"
        /// Somebody at the command line of the server.
        case commandLine = "command_line"
        /// The hub itself, at work in the background.
        case hub
    }

    /// What kind of actor it is.
    public let kind: Kind
    /// The sixteen bytes of the user's or key's id, or of a digest that stands for a bearer who is no user; nil for the
    /// command line and the hub.
    public let id: [UInt8]?
    /// The user's address, the key's name, or what the site calls a bearer who is no user.
    public let name: String
    /// The person for whom an app acts, or whose it is when it acts for itself; nil for all others.
    public let user: Identifier<User>?

    /// An actor.
    public init(kind: Kind, id: [UInt8]? = nil, name: String, user: Identifier<User>? = nil) {
        self.kind = kind
        self.id = id
        self.name = name
        self.user = user
    }
}

/// Somebody who has proved who they are, and where they belong: an object, since it goes with the request all its way.
public final class Principal: Sendable {
    /// One organization and the role in it.
    public struct Membership: Sendable, Equatable {
        /// The organization.
        public let organization: Identifier<Organization>
        /// Its name.
        public let name: String
        /// What the principal may do there.
        public let role: Role

        /// A membership as it stands in the database.
        public init(organization: Identifier<Organization>, name: String, role: Role) {
            self.organization = organization
            self.name = name
            self.role = role
        }
    }

    /// A signed-in browser.
    public struct Browser: Sendable {
        /// The session.
        public let session: Identifier<Session>
        /// The user.
        public let user: Identifier<User>
        /// The user's name.
        public let name: String
        /// The organization that its pages show.
        public let organization: Identifier<Organization>?
        /// The appearance chosen in the account: `system`, `light` or `dark`.
        public let theme: String
        /// What every form of this session must carry.
        public let csrfToken: String

        /// A session as it stands in the database.
        public init(
            session: Identifier<Session>, user: Identifier<User>, name: String,
            organization: Identifier<Organization>?, theme: String, csrfToken: String
        ) {
            self.session = session
            self.user = user
            self.name = name
            self.organization = organization
            self.theme = theme
            self.csrfToken = csrfToken
        }
    }

    /// As whom the audit log knows them.
    public let actor: Actor
    /// Where they belong.
    public let memberships: [Membership]
    /// The rights that a credential is limited to; nil for a person, who has those of the role.
    public let limits: [Scope]?
    /// The signed-in browser, when this is one.
    public let browser: Browser?

    /// Somebody whose credential has been checked.
    public init(actor: Actor, memberships: [Membership], limits: [Scope]? = nil, browser: Browser? = nil) {
        self.actor = actor
        self.memberships = memberships
        self.limits = limits
        self.browser = browser
    }
}

/// The proof that somebody may act in an organization; a store cannot be made without one.
public final class OrganizationScope: Sendable {
    /// The organization.
    public let organization: Identifier<Organization>
    /// Its name.
    public let name: String
    /// The role that the rights come from.
    public let role: Role
    /// Who acts.
    public let actor: Actor
    /// From where, for the audit log; `-` for the hub itself.
    public let remoteAddress: String
    /// In which request, for the audit log.
    public let requestID: String
    private let limits: [Scope]?

    /// The scope of a principal in one of their organizations; nil when they do not belong there.
    public init?(
        of principal: Principal, in organization: Identifier<Organization>, remoteAddress: String, requestID: String
    ) {
        guard let membership = principal.memberships.first(where: { $0.organization == organization }) else {
            return nil
        }
        self.organization = organization
        name = membership.name
        role = membership.role
        actor = principal.actor
        limits = principal.limits
        self.remoteAddress = remoteAddress
        self.requestID = requestID
    }

    /// The scope of the hub's own work, or of the server's command line.
    package init(trusted organization: Identifier<Organization>, name: String, actor: Actor, requestID: String) {
        self.organization = organization
        self.name = name
        role = .owner
        self.actor = actor
        limits = nil
        remoteAddress = "-"
        self.requestID = requestID
    }

    /// Whether the role and the credential both hold a right; a key never exceeds the one who made it.
    public func allows(_ scope: Scope) -> Bool {
        role.allows(scope) && (limits.map { $0.contains { $0.covers(scope) } } ?? true)
    }
}
