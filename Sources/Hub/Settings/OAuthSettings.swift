import OAuthServer

extension OAuthServer.Settings {
    /// Reads what is said of codes, tokens and apps; limits are those of API keys.
    init(_ settings: Settings) throws(SettingsError) {
        self.init()
        // A code that lives longer than ten minutes is more than the law allows (RFC 6749 §4.1.2).
        codeSeconds = try settings.number(.authorizationCodeExpirySeconds, 1...600)
        accessSeconds = try settings.number(.accessTokenExpirySeconds, 60...86_400)
        refreshSeconds = try settings.number(.refreshTokenExpirySeconds, 60...31_536_000)
        refreshGraceSeconds = try settings.number(.refreshGraceSeconds, 0...60)
        maxAppsPerUser = try settings.number(.maxOAuthAppsPerUser, 1...1_000)
        guessesPerMinute = try settings.number(.guessesPerMinute, 1...1_000_000)
        allowsRegistration = try settings.truth(.oauthRegistration)
    }
}
