import Domain
import TimeKit

/// Ends that are known before they come.
extension Connections {
    /// What is said of a connection that will soon end, so that a person acts in time; nil when no end is near.
    ///
    /// - Parameter grantEndsAt: when what was granted ends, where that is known.
    func warning(_ view: ConnectionView, grantEndsAt: Timestamp?) -> String? {
        let now = world.now()
        var ends: [(at: Timestamp, sentence: String)] = []
        if let oauth = view.provider?.oauth, let grantEndsAt, grantEndsAt - oauth.grantWarning <= now {
            ends.append(
                (
                    grantEndsAt,
                    "The sign-in at \(view.serviceName) ends on \(grantEndsAt.day). Sign in again before then."
                ))
        }
        return ends.min { $0.at < $1.at }?.sentence
    }
}

extension Timestamp {
    /// `2027-03-14`
    var day: String { String(rfc3339.prefix(10)) }
}
