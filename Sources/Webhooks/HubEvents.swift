import Domain
import JSONKit

/// What the hub's own events mean and what they say, for those who write a receiver.
extension DomainEventType {
    /// What happened, in a sentence.
    var meaning: String {
        switch self {
        case .connectionConnected: "A connection works, for the first time or again."
        case .connectionExpiring: "A connection works, but will soon end unless somebody signs in again."
        case .connectionError: "A connection has stopped working."
        case .connectionNeedsReauth: "A connection works again only once a person has signed in."
        case .connectionDisconnected: "A connection's credentials were dropped."
        case .connectionRemoved: "A connection was removed."
        case .connectionDisabled: "A connection was put aside for now."
        case .connectionEnabled: "A connection was taken back into use."
        case .connectionUpdated: "Somebody changed what a connection is set up with."
        case .connectionRefreshFailed: "The tokens of a connection could not be renewed several times in a row."
        case .messageSent: "A message was handed to the service."
        case .messageFailed: "A message could not be sent, or not surely."
        case .platformConnected: "A chat platform answers to its integration, for the first time or again."
        case .platformError: "A chat platform no longer answers to its integration."
        case .channelMessageReceived: "Somebody wrote in a channel that is set to `inbound` or `both`."
        case .channelMessageSent: "A message was posted to a channel."
        case .channelMessageFailed: "A message could not be posted to a channel, or not surely."
        case .keyCreated: "An API key was made."
        case .keyUpdated: "An API key's terms were changed."
        case .keyRolled: "An API key got another secret; the old one ends after its grace."
        case .keyPreviousEnded: "The secret before the last roll of an API key was ended."
        case .keyDisabled: "An API key was put aside for now."
        case .keyEnabled: "An API key was taken back into use."
        case .keyRevoked: "An API key was revoked, for good."
        case .keyExpiring: "An API key will end by itself in 30, 7 or 1 days."
        case .keyUnused: "Nobody has used an API key for 90 days."
        case .appAccessRevoked:
            "What an app could do for a person was ended, by the app, the person or somebody who keeps it."
        case .appTokenReused:
            "A code or a refresh token of an app came a second time, so somebody has stolen it: what it gave was ended."
        case .appCreated: "An app was made, or has registered itself."
        case .appUpdated: "What an app is or may do was changed."
        case .appSecretRolled: "An app got another secret; the old one ends after its grace."
        case .appPreviousEnded: "The secret before the last roll of an app was ended."
        case .appDisabled: "An app was put aside for now; nothing it holds opens anything."
        case .appEnabled: "An app was taken back into use."
        case .appDeleted: "An app was removed, with all that it held."
        case .appConsentRevoked: "A person has taken back what they had allowed an app."
        case .appTokensRevoked: "All access of an app was ended; people must allow it anew."
        case .webhookCreated: "A webhook was made."
        case .webhookUpdated: "A webhook was changed."
        case .webhookSecretRolled: "A webhook got another secret; the old one signs, too, until its grace ends."
        case .webhookEnabled: "A webhook goes on."
        case .webhookPaused: "A webhook waits; its events are kept."
        case .webhookFailing: "For an hour every attempt to deliver to a webhook has failed."
        case .webhookDisabled: "A webhook takes nothing any more: after 410, or after five days of failures."
        case .webhookDeleted: "A webhook was removed."
        }
    }

    /// Its data as they are sent.
    var example: JSON {
        switch self {
        case .connectionConnected: Self.connection(["status": ["from": "disconnected", "to": "connected"]])
        case .connectionExpiring:
            Self.connection(["status": ["from": "connected", "to": "expiring"]], detail: "The sign-in ends in 7 days.")
        case .connectionError:
            Self.connection(["status": ["from": "connected", "to": "error"]], detail: "The service answered 500.")
        case .connectionNeedsReauth:
            Self.connection(["status": ["from": "connected", "to": "needs_reauth"]], detail: "Access was withdrawn.")
        case .connectionDisconnected, .connectionRemoved, .connectionDisabled, .connectionEnabled: Self.connection([:])
        case .connectionUpdated: Self.connection(["changed": ["webhook_url"]])
        case .connectionRefreshFailed: Self.connection(["failures": 3], detail: "The service cannot be reached.")
        case .messageSent: Self.message(["provider_id": "4711"])
        case .messageFailed: Self.message(["code": "refused"])
        case .platformConnected: Self.integration(nil)
        case .platformError: Self.integration("Slack refused these credentials (invalid_auth).")
        case .channelMessageReceived:
            Self.channel([
                "platform_message_id": "1763719200.000100",
                "author": ["id": "U0123456789", "name": "ana", "is_bot": false], "text": "Is anybody there?",
                "is_cut": false, "sent_at": "2026-11-21T10:00:00.000Z", "thread_id": .null,
            ])
        case .channelMessageSent: Self.channel(["message_id": Self.id, "platform_message_id": "1763719200.000100"])
        case .channelMessageFailed:
            Self.channel(["message_id": Self.id, "error": "Slack refused this (channel_not_found)."])
        case .keyCreated: Self.key(Self.terms)
        case .keyUpdated: Self.key(["changes": ["name": ["from": "export", "to": "nightly export"]]])
        case .keyRolled: Self.key(["new_last_four": "Qm3T", "previous_ends_at": Self.later])
        case .keyPreviousEnded: Self.key(["previous_last_four": "Yz9Q"])
        case .keyDisabled, .keyEnabled, .keyRevoked: Self.key([:])
        case .keyExpiring: Self.key(["expires_at": Self.later, "days": 7])
        case .keyUnused: Self.key(["last_used_at": .null, "created_at": "2026-08-01T10:00:00.000Z"])
        case .appAccessRevoked: Self.access("client")
        case .appTokenReused: Self.access("refresh_reuse")
        case .appCreated: Self.app(Self.appTerms)
        case .appUpdated: Self.app(["changes": ["name": ["from": "Export", "to": "Nightly export"]]])
        case .appSecretRolled: Self.app(["new_last_four": "Qm3T", "previous_ends_at": Self.later])
        case .appPreviousEnded: Self.app(["previous_last_four": "Yz9Q"])
        case .appDisabled, .appEnabled, .appDeleted: Self.app([:])
        case .appConsentRevoked: Self.app(["person_id": Self.id, "person": "mia@acme.example"])
        case .appTokensRevoked: Self.app(["count": 12, "own_tokens_before": "2026-11-21T10:00:00.000Z"])
        case .webhookCreated, .webhookUpdated, .webhookSecretRolled, .webhookEnabled, .webhookDeleted:
            Self.webhook("active", nil)
        case .webhookPaused: Self.webhook("paused", nil)
        case .webhookFailing: Self.webhook("active", nil, failingSince: "2026-11-21T09:00:00.000Z")
        case .webhookDisabled: Self.webhook("disabled", "failing")
        }
    }

    private static let id: JSON = "01981f0e-7a3c-7d10-9c4b-5e8f2a6b7c8d"
    private static let later: JSON = "2026-11-28T10:00:00.000Z"

    private static func connection(_ more: JSON, detail: String? = nil) -> JSON {
        let which: JSON = [
            "connection_id": id, "provider": "google", "name": "default", "workspace_id": .null,
            "detail": JSON(detail),
        ]
        return joined(which, more)
    }

    private static func message(_ more: JSON) -> JSON {
        let said = joined(["kind": "text", "connection_id": id, "attempts": 1], more)
        return joined(said, ["message_id": id, "provider": "telegram"])
    }

    private static func integration(_ error: String?) -> JSON {
        ["integration_id": id, "workspace_id": id, "platform": "slack", "error": JSON(error)]
    }

    private static func channel(_ more: JSON) -> JSON {
        let which: JSON = [
            "integration_id": id, "workspace_id": id, "platform": "slack", "channel_id": id,
            "platform_channel_id": "C0123456789", "channel_name": "engineering", "lvng_conversation_id": .null,
        ]
        return joined(which, more)
    }

    private static func key(_ more: JSON) -> JSON {
        let which: JSON = [
            "api_key_id": id, "name": "nightly export", "prefix": "sk_3f9a1c7e", "last_four": "Yz9Q", "user_id": id,
        ]
        return joined(which, more)
    }

    private static let terms: JSON = [
        "scopes": ["connections:read"],
        "rate_limit": ["requests_per_minute": 60, "requests_per_hour": 1_000, "requests_per_day": 10_000],
        "expires_at": "2027-11-21T10:00:00.000Z", "allowed_ips": [],
    ]

    private static func access(_ reason: String) -> JSON {
        [
            "oauth_app_id": id, "name": "Nightly export", "grant_id": id, "user_id": id, "user": "ana@acme.example",
            "reason": .string(reason),
        ]
    }

    private static func app(_ more: JSON) -> JSON {
        let which: JSON = [
            "oauth_app_id": id, "client_id": "app_00BuqSfyMDaMt1tN6HNcwX", "name": "Nightly export", "user_id": id,
        ]
        return joined(which, more)
    }

    private static let appTerms: JSON = [
        "description": "Copies orders to the warehouse", "redirect_uris": ["https://export.example/callback"],
        "scopes": ["connections:read"], "grant_types": ["authorization_code", "refresh_token"],
        "website_url": "https://export.example", "privacy_policy_url": .null,
        "require_pushed_authorization_requests": false,
        "rate_limit": ["requests_per_minute": 60, "requests_per_hour": 1_000, "requests_per_day": 10_000],
        "confidential": true, "dynamic": false,
    ]

    private static func webhook(_ state: String, _ reason: String?, failingSince: String? = nil) -> JSON {
        [
            "webhook_id": id, "url": "https://example.com/webhook", "description": "Orders to the warehouse",
            "state": .string(state), "disabled_reason": JSON(reason), "failing_since": JSON(failingSince),
        ]
    }

    private static func joined(_ one: JSON, _ other: JSON) -> JSON {
        .object((one.members ?? []) + (other.members ?? []))
    }
}
