/// What the hub itself has to tell. Each is described among the kinds of events, since nothing else can be published.
public enum DomainEventType: String, CaseIterable, Sendable {
    // MARK: Connections

    case connectionConnected = "connection.connected"
    case connectionExpiring = "connection.expiring"
    case connectionError = "connection.error"
    case connectionNeedsReauth = "connection.needs_reauth"
    case connectionDisconnected = "connection.disconnected"
    case connectionRemoved = "connection.removed"
    case connectionDisabled = "connection.disabled"
    case connectionEnabled = "connection.enabled"
    case connectionUpdated = "connection.updated"
    case connectionRefreshFailed = "connection.refresh_failed"
    case messageSent = "message.sent"
    case messageFailed = "message.failed"

    // MARK: Chat platforms

    case platformConnected = "platform_integration.connected"
    case platformError = "platform_integration.error"
    case channelMessageReceived = "channel.message_received"
    case channelMessageSent = "channel.message_sent"
    case channelMessageFailed = "channel.message_failed"

    // MARK: API keys

    case keyCreated = "api_key.created"
    case keyUpdated = "api_key.updated"
    case keyRolled = "api_key.rolled"
    case keyPreviousEnded = "api_key.previous_ended"
    case keyDisabled = "api_key.disabled"
    case keyEnabled = "api_key.enabled"
    case keyRevoked = "api_key.revoked"
    case keyExpiring = "api_key.expiring"
    case keyUnused = "api_key.unused"

    // MARK: Apps

    case appAccessRevoked = "oauth_app.access_revoked"
    case appTokenReused = "oauth_app.token_reused"
    case appCreated = "oauth_app.created"
    case appUpdated = "oauth_app.updated"
    case appSecretRolled = "oauth_app.secret_rolled"
    case appPreviousEnded = "oauth_app.previous_ended"
    case appDisabled = "oauth_app.disabled"
    case appEnabled = "oauth_app.enabled"
    case appDeleted = "oauth_app.deleted"
    case appConsentRevoked = "oauth_app.consent_revoked"
    case appTokensRevoked = "oauth_app.tokens_revoked"

    // MARK: Webhooks

    case webhookCreated = "webhook.created"
    case webhookUpdated = "webhook.updated"
    case webhookSecretRolled = "webhook.secret_rolled"
    case webhookEnabled = "webhook.enabled"
    case webhookPaused = "webhook.paused"
    case webhookFailing = "webhook.failing"
    case webhookDisabled = "webhook.disabled"
    case webhookDeleted = "webhook.deleted"
}
