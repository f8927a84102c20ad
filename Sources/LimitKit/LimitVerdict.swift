import TimeKit

/// Whether something was taken, and how each quota stands afterwards.
public struct LimitVerdict: Equatable, Sendable {
    /// How one quota stands.
    public struct Standing: Equatable, Sendable {
        /// Which quota.
        public let quota: Quota
        /// How much can still be taken now; never below zero.
        public let remaining: Int
        /// When more than ``remaining`` can be taken: how long until the oldest of what counts leaves the window, and where
        /// this quota refused, until what was asked for fits. Zero while nothing counts.
        public let resetsIn: Duration
        /// Whether this quota was in the way.
        public let isViolated: Bool
    }

    /// Whether it was taken: from every quota, or else from none.
    public let isAllowed: Bool
    /// How each quota stands, in the order in which they were given.
    public let standings: [Standing]
    /// The moment it was decided at: the one given, or the slightly later one at which this subject's last was.
    ///
    /// In the order of these moments no window ever holds more than its limit.
    public let decidedAt: Timestamp
    /// The same moment as the slot counts it, by which a unit finds its bucket when it is given back.
    let slotTime: Int64

    /// The quotas that were in the way.
    public var violated: [Quota] { standings.filter(\.isViolated).map(\.quota) }

    /// After how long the same may be tried again; nil when it was taken.
    public var retryAfter: Duration? {
        isAllowed ? nil : standings.filter(\.isViolated).map(\.resetsIn).max() ?? .seconds(1)
    }
}
