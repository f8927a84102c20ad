import AdminShell
import Domain
import HTTPKit
import JSONKit

/// The addresses at which people let apps in, and turn them out again.
public enum ConsentRoute: Route {
    /// Asks whether an app may do what it asks for: `?request=` names what waits.
    case consent
    /// Asks for the code that a device shows.
    case device
    /// What was answered to a device.
    case decideDevice
    /// The apps that the person has let in.
    case apps
    /// Turns one out.
    case revoke(Identifier<OAuthConsent>)
    /// The apps that the caller's person has let in, for scripts.
    case appsJSON
    /// One of them, for scripts.
    case appJSON(Identifier<OAuthConsent>)
    /// What people of the organization let the apps of others do there.
    case thirdParty
    /// Ends one of these.
    case endThirdParty(Identifier<OAuthGrant>)
    /// The same for scripts.
    case thirdPartyJSON
    /// One of these, for scripts.
    case thirdPartyGrantJSON(Identifier<OAuthGrant>)

    /// Reads a path; nil when it is none of these.
    public init?(_ path: Path) {
        switch path.pattern {
        case "oauth/consent": self = .consent
        case "oauth/device": self = .device
        case "oauth/device/decision": self = .decideDevice
        case "apps": self = .apps
        case "apps/:id/revoke": self = .revoke(path.id())
        case "api/v1/app-consents": self = .appsJSON
        case "api/v1/app-consents/:id": self = .appJSON(path.id())
        case "oauth-apps/third-party": self = .thirdParty
        case "oauth-apps/third-party/:id/revoke": self = .endThirdParty(path.id())
        case "api/v1/third-party-grants": self = .thirdPartyJSON
        case "api/v1/third-party-grants/:id": self = .thirdPartyGrantJSON(path.id())
        default: return nil
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .consent: "/oauth/consent"
        case .device: "/oauth/device"
        case .decideDevice: "/oauth/device/decision"
        case .apps: "/apps"
        case .revoke(let id): "/apps/\(id)/revoke"
        case .appsJSON: "/api/v1/app-consents"
        case .appJSON(let id): "/api/v1/app-consents/\(id)"
        case .thirdParty: "/oauth-apps/third-party"
        case .endThirdParty(let id): "/oauth-apps/third-party/\(id)/revoke"
        case .thirdPartyJSON: "/api/v1/third-party-grants"
        case .thirdPartyGrantJSON(let id): "/api/v1/third-party-grants/\(id)"
        }
    }

    /// Who may use the route, by method. What one has allowed is one's own, whatever the role.
    public var access: MethodAccess {
        switch self {
        case .consent, .device: [.get: .person, .post: .person]
        case .decideDevice, .revoke: [.post: .person]
        case .apps: [.get: .person]
        case .appsJSON: [.get: .right(.read(.oauthApps))]
        case .appJSON: [.delete: .right(.read(.oauthApps))]
        case .thirdParty, .thirdPartyJSON: [.get: .right(.read(.oauthApps))]
        case .endThirdParty: [.post: .right(.write(.oauthApps))]
        case .thirdPartyGrantJSON: [.delete: .right(.write(.oauthApps))]
        }
    }

    /// One of each case.
    public static var samples: [ConsentRoute] {
        let consent = Identifier<OAuthConsent>(.real)
        let grant = Identifier<OAuthGrant>(.real)
        return [
            .consent, .device, .decideDevice, .apps, .revoke(consent), .appsJSON, .appJSON(consent), .thirdParty,
            .endThirdParty(grant), .thirdPartyJSON, .thirdPartyGrantJSON(grant),
        ]
    }

    /// What scripts can do at this address; nil for pages.
    public var api: APIPath? {
        switch self {
        case .appsJSON: Self.appsAPI
        case .appJSON: Self.appAPI
        case .thirdPartyJSON: Self.thirdPartyAPI
        case .thirdPartyGrantJSON: Self.thirdPartyGrantAPI
        case .consent, .device, .decideDevice, .apps, .revoke, .thirdParty, .endThirdParty: nil
        }
    }

    private static let tag = APITag("Apps with access", "What a person has allowed apps to do, in one organization.")

    private static let appsAPI = APIPath(
        "/api/v1/app-consents", tag,
        [
            .get: APIOperation(
                "listAppConsents", "Lists the apps that the caller's person has allowed something here.",
                details: "A key speaks of the person who holds it.", answers: .list(of: consentSchema))
        ])

    private static let appAPI = APIPath(
        "/api/v1/app-consents/{id}", tag,
        [
            .delete: APIOperation(
                "revokeAppConsent", "Takes back what was allowed; all tokens that came of it end.",
                details: "A key needs `oauth_apps:write` for it.",
                answers: .nothing("The app has no access any more."))
        ])

    private static let thirdPartyAPI = APIPath(
        "/api/v1/third-party-grants", tag,
        [
            .get: APIOperation(
                "listThirdPartyGrants", "Lists what people here let the apps of other organizations do here.",
                answers: .list(of: thirdPartySchema))
        ])

    private static let thirdPartyGrantAPI = APIPath(
        "/api/v1/third-party-grants/{id}", tag,
        [
            .delete: APIOperation(
                "revokeThirdPartyGrant", "Ends what a person here let the app of another organization do here.",
                details: "All grants of that person to the app end with it, and the app must ask anew.",
                answers: .nothing("The app has no access for that person any more."))
        ])

    private static let thirdPartySchema = JSONSchema.object(
        .required("id", .id, "The id."), .required("oauth_app_id", .id, "The app."),
        .required("name", .text(example: "Nightly export"), "What the app is called."),
        .required("made_by", .text(example: "Other Shop"), "Whose app it is."),
        .required("user_id", .id, "Who let it in."), .required("user", .text(example: "Mia Novak"), "Their name."),
        .required("scopes", .list(of: .text(example: "connections:read")), "What it may do."),
        .required("created_at", .time, "Since when."), .required("expires_at", .time, "Until when."),
        .required("last_used_at", JSONSchema.time.orNull, "When it was last used.")
    ).named("ThirdPartyGrant")

    private static let consentSchema = JSONSchema.object(
        .required("id", .id, "The id."), .required("oauth_app_id", .id, "The app."),
        .required("name", .text(example: "Nightly export"), "What the app is called."),
        .required("organization_id", .id, "Where it was allowed."),
        .required("scopes", .list(of: .text(example: "connections:read")), "What was allowed."),
        .required("has_access", .truth(), "Whether the app holds anything now."),
        .required("created_at", .time, "Since when."),
        .required("last_used_at", JSONSchema.time.orNull, "When it was last used.")
    ).named("AppConsent")
}
