import Domain

extension OAuthServer {
    /// How long things live, and how many there may be.
    public struct Settings: Sendable {
        /// For how many seconds an authorization code can be redeemed.
        public var codeSeconds = 600
        /// For how many seconds an access token opens anything.
        public var accessSeconds = 3_600
        /// After how many seconds without use a refresh token ends.
        public var refreshSeconds = 2_592_000
        /// For how many seconds a refresh token that was used gives the same successor again.
        public var refreshGraceSeconds = 30
        /// For how many seconds a device waits for somebody to type its code.
        public var deviceSeconds = 600
        /// How many seconds a device waits between two questions.
        public var deviceInterval = 5
        /// For how many seconds a pushed request can be used.
        public var pushedSeconds = 60
        /// How many apps a user may have, those not counted that registered themselves.
        public var maxAppsPerUser = 5
        /// Whether programs may register themselves, with a credential that may change apps.
        public var allowsRegistration = false
        /// How many requests an app is good for unless its maker says otherwise.
        public var rateLimit = RateLimit()
        /// How many wrong secrets are answered like the first, in a minute: of one app, and from one address.
        public var guessesPerMinute = 60
        /// The most requests that an app may be made good for, in any time.
        public var highestRateLimit = 1_000_000_000

        /// What is usual.
        public init() {}
    }
}
