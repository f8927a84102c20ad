import AdminShell
import Domain
import HTTPKit

/// The addresses of accounts and organizations.
public enum AccountRoute: Route {
    case signIn
    case signOut
    case setUp
    case account
    case changePassword
    case chooseTheme
    case endSession(Identifier<Session>)
    case endOtherSessions
    case organization
    case renameOrganization
    case switchOrganization
    case addWorkspace
    case renameWorkspace(Identifier<Workspace>)
    case removeWorkspace(Identifier<Workspace>)
    case setNotices
    case organizationJSON
    case noticesJSON
    case workspacesJSON
    case workspaceJSON(Identifier<Workspace>)

    /// Reads a path; nil when it is none of these.
    public init?(_ path: Path) {
        switch path.pattern {
        case "sign-in": self = .signIn
        case "sign-out": self = .signOut
        case "set-up": self = .setUp
        case "account": self = .account
        case "account/password": self = .changePassword
        case "account/theme": self = .chooseTheme
        case "account/sessions/:id/end": self = .endSession(path.id())
        case "account/sessions/end-others": self = .endOtherSessions
        case "organization": self = .organization
        case "organization/name": self = .renameOrganization
        case "organization/notices": self = .setNotices
        case "organization/switch": self = .switchOrganization
        case "organization/workspaces": self = .addWorkspace
        case "organization/workspaces/:id/name": self = .renameWorkspace(path.id())
        case "organization/workspaces/:id/remove": self = .removeWorkspace(path.id())
        case "api/v1/organization": self = .organizationJSON
        case "api/v1/notices": self = .noticesJSON
        case "api/v1/workspaces": self = .workspacesJSON
        case "api/v1/workspaces/:id": self = .workspaceJSON(path.id())
        default: return nil
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .signIn: "/sign-in"
        case .signOut: "/sign-out"
        case .setUp: "/set-up"
        case .account: "/account"
        case .changePassword: "/account/password"
        case .chooseTheme: "/account/theme"
        case .endSession(let id): "/account/sessions/\(id)/end"
        case .endOtherSessions: "/account/sessions/end-others"
        case .organization: "/organization"
        case .renameOrganization: "/organization/name"
        case .setNotices: "/organization/notices"
        case .switchOrganization: "/organization/switch"
        case .addWorkspace: "/organization/workspaces"
        case .renameWorkspace(let id): "/organization/workspaces/\(id)/name"
        case .removeWorkspace(let id): "/organization/workspaces/\(id)/remove"
        case .organizationJSON: "/api/v1/organization"
        case .noticesJSON: "/api/v1/notices"
        case .workspacesJSON: "/api/v1/workspaces"
        case .workspaceJSON(let id): "/api/v1/workspaces/\(id)"
        }
    }

    /// Who may use the route, by method.
    public var access: MethodAccess {
        switch self {
        case .signIn, .setUp: [.get: .open, .post: .open]
        case .signOut, .switchOrganization, .changePassword, .chooseTheme, .endSession, .endOtherSessions:
            [.post: .person]
        case .account: [.get: .person]
        case .organization: [.get: .right(.read(.organization))]
        case .renameOrganization, .setNotices, .addWorkspace, .renameWorkspace: [.post: .right(.write(.organization))]
        case .removeWorkspace: [.get: .right(.write(.organization)), .post: .right(.write(.organization))]
        case .organizationJSON: [.get: .right(.read(.organization)), .patch: .right(.write(.organization))]
        case .noticesJSON: [.get: .right(.read(.organization)), .put: .right(.write(.organization))]
        case .workspacesJSON: [.get: .right(.read(.organization)), .post: .right(.write(.organization))]
        case .workspaceJSON:
            [
                .get: .right(.read(.organization)), .patch: .right(.write(.organization)),
                .delete: .right(.write(.organization)),
            ]
        }
    }

    /// One of each case.
    public static var samples: [AccountRoute] {
        let session = Identifier<Session>(.real)
        let workspace = Identifier<Workspace>(.real)
        return [
            .signIn, .signOut, .setUp, .account, .changePassword, .chooseTheme, .endSession(session), .endOtherSessions,
            .organization, .renameOrganization, .switchOrganization, .addWorkspace, .renameWorkspace(workspace),
            .removeWorkspace(workspace),
            .organizationJSON, .setNotices, .noticesJSON,
            .workspacesJSON, .workspaceJSON(workspace),
        ]
    }
}
