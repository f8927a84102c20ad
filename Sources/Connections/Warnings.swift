import Domain
import TimeKit

/// Ends that are known before they come.
extension Connections {
    /// How long before its credentials end a person is told.
    private static let credentialWarning = Duration.days(30)
    /// How long before addresses of a service stop working.
    private static let sunsetWarning = Duration.days(90)

    /// What is said of a connection that will soon end, so that a person acts in time; nil when no end is near.
    ///
    /// - Parameter grantEndsAt: when what was granted ends, where that is known.
    func warning(_ view: ConnectionView, grantEndsAt: Timestamp?) -> String? {
        let now = world.now()
        var ends: [(at: Timestamp, sentence: String)] = []
        if let oauth = view.provider?.oauth, let grantEndsAt,
            grantEndsAt - Self.notice(oauth.grantWarning, of: view.record.grant, ending: grantEndsAt) <= now
        {
            ends.append(
                (
                    grantEndsAt,
                    "The sign-in at \(view.serviceName) ends on \(grantEndsAt.day). Sign in again before then."
                ))
        }
        if let name = view.provider?.ends, let day = view.values[name].flatMap({ Timestamp(day: $0) }),
            day - Self.credentialWarning <= now
        {
            let label = view.provider?.field(name)?.label ?? name
            ends.append(
                (
                    day,
                    "Its credentials at \(view.serviceName) end on \(day.day) (\(label)). Make new ones there and enter them here."
                ))
        }
        for sunset in view.provider?.sunsets ?? [] where now < sunset.date && sunset.date - Self.sunsetWarning <= now {
            ends.append((sunset.date, "\(sunset.date.day): \(sunset.sentence)"))
        }
        return ends.min { $0.at < $1.at }.map { Self.shortened($0.sentence) }
    }
}

extension Connections {
    /// How long before a grant's end people are told: for one that lives for hours not from its beginning on.
    private static func notice(_ warning: Duration, of grant: Grant, ending endsAt: Timestamp) -> Duration {
        grant.authorizedAt.map { min(warning, (endsAt - $0) / 2) } ?? warning
    }
}

extension Timestamp {
    /// `2027-03-14`
    var day: String { String(rfc3339.prefix(10)) }
}
