import HTTPKit
import SiteTokens

/// What is demanded of tokens of the existing site, read from the settings.
struct SiteTokenDemands: Sendable {
    let keys: KeyPlace
    let settings: SiteTokens.Settings

    /// Reads the settings; nil when the site's tokens do not count.
    init?(_ settings: Settings) throws(SettingsError) {
        let keys = try settings.text(.jwtKeys)
        let issuer = try settings.text(.jwtIssuer)
        let audiences = try settings.text(.jwtAudience).split(separator: ",").map { String($0.trimmed) }
            .filter { !$0.isEmpty }
        let claim = try settings.text(.jwtOrganizationClaim)
        let allowsAdmin = try settings.truth(.jwtAllowAdmin)
        guard !claim.isEmpty else { throw settings.complaint(.jwtOrganizationClaim, "must name a claim") }
        guard !keys.isEmpty else {
            guard issuer.isEmpty, audiences.isEmpty else {
                throw settings.complaint(.jwtKeys, "must be set when HUB_JWT_ISSUER or HUB_JWT_AUDIENCE is")
            }
            return nil
        }
        guard !issuer.isEmpty else {
            throw settings.complaint(.jwtIssuer, "must be set when HUB_JWT_JWKS is, or anybody's tokens would count")
        }
        do throws(KeyPlaceError) {
            self.keys = try KeyPlace(keys)
        } catch {
            throw settings.complaint(.jwtKeys, error.description)
        }
        self.settings = SiteTokens.Settings(
            issuer: issuer, audiences: audiences, organizationClaim: claim, allowsAdmin: allowsAdmin)
    }
}
