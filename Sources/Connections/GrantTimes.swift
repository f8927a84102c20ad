import Domain
import TimeKit

extension GrantTimes {
    /// The times of what was granted just now.
    ///
    /// - Parameters:
    ///   - started: when the call began: counted from then on, no token is thought to live longer than it does.
    ///   - hasRefreshToken: whether there is a refresh token now, given by this answer or by one before.
    ///   - old: what is renewed; nil when somebody signed in.
    ///   - jitter: from 0 to 1, so that what was granted together is not renewed together.
    init(
        _ answer: TokenAnswer, _ oauth: ProviderOAuth, started: Timestamp, hasRefreshToken: Bool,
        renewing old: Grant? = nil, jitter: Double
    ) {
        let renewsItself = oauth.exchange == .longLived
        let expiresAt = answer.lifetime.map { started + $0 }
        // A service that says nothing of the grant's end when it renews has not moved it, unless its file says so.
        let extends = old == nil || renewsItself || answer.refresh != nil
        let grantLifetime = answer.refreshLifetime ?? (extends ? oauth.grantLifetime : nil)
        let canRefresh = renewsItself || hasRefreshToken
        let endsAt = grantLifetime.map { started + $0 } ?? (renewsItself || !canRefresh ? expiresAt : old?.endsAt)
        self.expiresAt = expiresAt
        self.endsAt = endsAt
        guard canRefresh, let expiresAt, let lifetime = answer.lifetime else {
            refreshDueAt = nil
            return
        }
        let margin = Self.margin(of: lifetime)
        var dueAt = expiresAt - margin - margin * (0.1 * jitter)
        // What a renewal extends is renewed before anybody has to be warned of its end.
        if extends, let endsAt { dueAt = min(dueAt, endsAt - oauth.grantWarning - .days(1)) }
        let earliest = oauth.minimumAge.map { started + $0 } ?? started + lifetime * 0.25
        refreshDueAt = max(dueAt, min(earliest, expiresAt))
    }

    /// How long before its end a token is renewed: five minutes, or a tenth of a long life (A2-21), and never more than
    /// half of a short one.
    static func margin(of lifetime: Duration) -> Duration {
        min(max(.minutes(5), lifetime / 10), lifetime / 2)
    }
}
