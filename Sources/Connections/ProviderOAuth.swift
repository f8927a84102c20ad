import ClientKit
import HTTPKit
import JSONKit
import TimeKit

/// How a service lets people sign in and what it grants (RFC 6749), with the ways in which it differs.
///
/// Texts may have holes `{field}` for values of the set-up.
struct ProviderOAuth: Sendable {
    /// How the hub shows the service who it is (RFC 6749 §2.3.1).
    enum ClientAuthentication: String, Sendable, CaseIterable {
        /// `client_id` and `client_secret` in the body.
        case body
        /// HTTP Basic.
        case basic
        /// `client_id` alone: a public client.
        case none
    }

    /// How the body of a call to the token endpoint is written.
    enum BodyFormat: String, Sendable, CaseIterable {
        case form
        case json
    }

    /// How a code becomes a token, and how tokens are renewed.
    enum Exchange: String, Sendable, CaseIterable {
        /// As RFC 6749 §4.1.3 and §6 say.
        case standard
        /// A short-lived token first, which is exchanged for a long-lived one, which renews itself: Meta's way.
        case longLived = "long_lived"
        /// A code becomes an API key, without a client: OpenRouter's way.
        case key
    }

    /// A name and a value, which may have holes.
    struct Parameter: Sendable {
        let name: String
        let value: String
    }

    /// Where a person signs in.
    let authorizeURL: String
    /// What the authorization request says besides the standard's parameters.
    let authorizeParameters: [Parameter]
    /// What the parameter for the redirect address is called: `redirect_uri` but for OpenRouter.
    let redirectParameter: String
    /// Where a code becomes a token.
    let tokenURL: String
    /// Where a token is renewed, when that is not ``tokenURL``.
    let refreshURL: String?
    let tokenParameters: [Parameter]
    let refreshParameters: [Parameter]
    /// Headers of calls to the token endpoint, such as `Notion-Version`.
    let headers: [Parameter]
    /// How the hub shows who it is; ``clientAuthentication(_:)`` answers for the values of a set-up.
    let clientAuthentication: ClientAuthentication
    /// The field of the set-up that says how the hub shows who it is, where it is given.
    let clientAuthenticationField: String?
    let bodyFormat: BodyFormat
    let exchange: Exchange
    /// Where a short-lived token becomes a long-lived one, for ``Exchange/longLived``.
    let longLivedURL: String?
    /// What the parameter for the token is called there: `access_token` but for Facebook.
    let longLivedParameter: String
    /// Whether the service takes a proof of possession of the code (RFC 7636).
    let usesPKCE: Bool
    /// What is asked for when nobody says otherwise; ``scopes(_:)`` answers for the values of a set-up.
    let scopes: [String]
    /// The field of the set-up that says what is asked for, where it is given.
    let scopesField: String?
    let scopeSeparator: String
    /// What the parameter for scopes is called: Slack's user tokens have another.
    let scopeParameter: String
    /// What granted scopes stand for besides themselves.
    let impliedScopes: [ScopeRule]
    /// The issuer that `iss` must be, for services that send it (RFC 9207); ``issuer(_:)`` fills its holes.
    let issuer: String?
    /// Whether the answer of the authorization endpoint must carry `iss`.
    let requiresIssuer: Bool
    /// A dotted path below which the token answer stands, when it is not its top: `authed_user`.
    let tokenPath: String?
    /// A truth in the token answer that must hold: Slack says `ok: false` with status 200.
    let successPath: String?
    /// Whether a refresh gives another refresh token, which ends the one before.
    let rotatesRefreshToken: Bool
    /// How long an access token lives when the answer does not say.
    let lifetime: Duration?
    /// How long the grant lives without a refresh or without a person: 90 days at Shopify.
    let grantLifetime: Duration?
    /// How long before that end people are warned.
    let grantWarning: Duration
    /// How old a token must be before it can be renewed: a day at Instagram.
    let minimumAge: Duration?
    /// Members of the token answer and of the callback's query that are kept as facts: name shown, and path.
    let metadata: [ProviderTest.Fact]
    /// Whether the callback's query is signed with the client's secret, hex HMAC-SHA256 in `hmac`: Shopify's way.
    let signsCallback: Bool
    /// The field of the set-up that names the tenant's host, which the callback must name again: Shopify's `shop`.
    let tenantField: String?
    /// Whose grant it is, in a text with holes for members of the token answer; nil where only the test tells.
    let account: String?
    /// A field of the set-up whose value serves as the access token where nobody signs in.
    let ownToken: String?
    /// What stands before that value in an `Authorization` header: `Bearer` but for Discord's bots.
    let ownTokenScheme: String
    /// Fields of the set-up that the environment of the hub may give (seed 3): field, and name of the variable.
    let environment: [Parameter]
    /// How a grant is given back; nil where the service has no way.
    let revocation: ProviderRevocation?
}

extension ProviderOAuth {
    /// What is asked for, by the set-up or else by the provider file.
    func scopes(_ values: [String: String]) -> [String] {
        let chosen = scopesField.flatMap { values[$0] }?.split { $0 == " " || $0 == "," }.map(String.init)
        return chosen.flatMap { $0.isEmpty ? nil : $0 } ?? scopes
    }

    /// The issuer that `iss` must be; nil when neither the service nor the set-up names one.
    func issuer(_ values: [String: String]) -> String? {
        issuer.map { Holes.fill($0) { values[$0] } }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// How the hub shows the service who it is.
    func clientAuthentication(_ values: [String: String]) -> ClientAuthentication {
        clientAuthenticationField.flatMap { values[$0] }.flatMap { ClientAuthentication(rawValue: $0) }
            ?? clientAuthentication
    }

    /// What stands before the access token in an `Authorization` header.
    func scheme(_ values: [String: String]) -> String {
        let isOwn = ownToken.flatMap { values[$0] }.map { $0 == values["access_token"] } ?? false
        return isOwn ? ownTokenScheme : "Bearer"
    }
}

/// How a grant is given back at the service.
struct ProviderRevocation: Sendable {
    /// The call; its holes may be `{access_token}` and `{refresh_token}` too, and `{granted_account}` for whose grant it
    /// is, as `account` reads it from the token answer.
    let call: ProviderTest.HTTPCall
    /// Whether all tokens of one person at this client end together, siblings among them.
    let endsSiblings: Bool
    /// Whether the hub shows there who it is as it does at the token endpoint (RFC 7009 §2.1); else the call says it all.
    let authenticatesClient: Bool
    /// What the service does besides, said before anybody asks for it; nil for nothing.
    var notice: String?

    /// The names of the values that the call is made of.
    func holes(_ oauth: ProviderOAuth) -> Set<String> {
        guard authenticatesClient else { return call.holes }
        return call.holes.union(["client_id", "client_secret"] + [oauth.clientAuthenticationField].compactMap(\.self))
    }

    /// The call for the values of a set-up.
    func call(_ oauth: ProviderOAuth, _ values: [String: String]) -> ProviderTest.HTTPCall {
        guard authenticatesClient else { return call }
        var call = call
        let authentication = oauth.clientAuthentication(values)
        if authentication == .basic {
            // Both parts are written as in a form before they are joined (RFC 6749 §2.3.1).
            call.basic = (Percent.encode(values["client_id"] ?? ""), Percent.encode(values["client_secret"] ?? ""))
            return call
        }
        let names = authentication == .body ? ["client_id", "client_secret"] : ["client_id"]
        call.parameters += names.filter { values[$0]?.isEmpty == false }.map { .init(name: $0, value: "{\($0)}") }
        return call
    }
}
