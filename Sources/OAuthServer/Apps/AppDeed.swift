import DatabaseKit
import Domain
import JSONKit
import TimeKit

/// What happens to an app, as the audit log and the events name it.
enum AppDeed: String, CaseIterable {
    case created
    case updated
    case secretRolled = "secret_rolled"
    case previousEnded = "previous_ended"
    case disabled
    case enabled
    case deleted
    /// A person, or somebody for them, has taken it back.
    case consentRevoked = "consent_revoked"
    /// All that it held was taken from it.
    case tokensRevoked = "tokens_revoked"

    /// The event that tells of it, whose name the audit log has, too.
    var event: DomainEventType {
        switch self {
        case .created: .appCreated
        case .updated: .appUpdated
        case .secretRolled: .appSecretRolled
        case .previousEnded: .appPreviousEnded
        case .disabled: .appDisabled
        case .enabled: .appEnabled
        case .deleted: .appDeleted
        case .consentRevoked: .appConsentRevoked
        case .tokensRevoked: .appTokensRevoked
        }
    }
}

extension OAuthServer {
    /// Notes what happened to an app, for the audit log and for those who are told of it, in its own transaction.
    ///
    /// Both stand in the organization in which it happened: for a consent the person's own, for all else the app's.
    func note(
        _ deed: AppDeed, _ app: AppRecord, details: JSON = [:], by scope: OrganizationScope, in transaction: Transaction
    ) throws {
        try audit.record(
            deed.event.rawValue, .init("oauth_app", app.id, name: app.name), details: details, by: scope,
            in: transaction)
        let which: [JSON.Member] = [
            .init("oauth_app_id", .string(app.id.text)), .init("client_id", .string(app.clientID)),
            .init("name", .string(app.name)), .init("user_id", JSON(app.owner?.text)),
        ]
        // Changes have names of their own, which must not stand for what the app is now.
        let more = deed == .updated ? [JSON.Member("changes", details)] : details.members ?? []
        try events.publish(deed.event, about: app.id, .object(which + more), for: scope.organization, in: transaction)
    }
}

/// A line of the audit log about an app.
struct AppActivity: Sendable {
    let action: String
    let actor: String
    let at: Timestamp

    init(action: String, actor: String, at: Timestamp) {
        self.action = action
        self.actor = actor
        self.at = at
    }

    init(_ row: Row) throws(DatabaseError) {
        self.init(
            action: try row.get("action"), actor: try row.get("actor_name"), at: try row.get("occurred_at"))
    }

    /// What was done; nil for what another part of the hub noted.
    var deed: AppDeed? { AppDeed.allCases.first { $0.event.rawValue == action } }
}
