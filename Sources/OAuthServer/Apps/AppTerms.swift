import Domain
import JSONKit

/// What an app is and may do: everything about it that people and scripts set.
struct AppTerms: Sendable, Equatable {
    var name: String
    /// What it is for, in a sentence or two; empty for nothing.
    var description: String = ""
    /// Where people learn more of it.
    var websiteURL: String?
    /// Where it says what it does with what it learns.
    var privacyPolicyURL: String?
    /// Where the browser may be sent back to, each once.
    var redirectURIs: [RedirectURI] = []
    /// What it may ask for.
    var scopes: [Scope] = []
    /// How it may ask.
    var grants: Set<GrantType> = GrantType.usual(isConfidential: true)
    /// How it said that it would prove who it is when it registered itself; nil for all others, and no more than a word:
    /// whoever has a secret may send it in either way.
    var authMethod: RegistrationMetadata.AuthMethod?
    /// Whether it must say what it asks for before the browser comes (RFC 9126 §6).
    var requiresPushedRequests = false
    /// How many requests all its tokens together are good for.
    var rateLimit: RateLimit
}

extension AppTerms {
    /// The terms as scripts see them.
    var members: [JSON.Member] {
        [
            .init("name", .string(name)), .init("description", .string(description)),
            .init("redirect_uris", .array(redirectURIs.map { .string($0.text) })),
            .init("scopes", .array(scopes.map { .string($0.description) })),
            .init("grant_types", .array(grants.sorted.map { .string($0.rawValue) })),
            .init("website_url", JSON(websiteURL)), .init("privacy_policy_url", JSON(privacyPolicyURL)),
            .init("require_pushed_authorization_requests", .bool(requiresPushedRequests)),
            .init(
                "rate_limit",
                [
                    "requests_per_minute": JSON(rateLimit.perMinute), "requests_per_hour": JSON(rateLimit.perHour),
                    "requests_per_day": JSON(rateLimit.perDay),
                ]),
        ]
    }

    /// What programs alone say, when they register themselves.
    private var own: [JSON.Member] { [.init("token_endpoint_auth_method", JSON(authMethod?.rawValue))] }

    /// What differs from other terms, each with what it was and is.
    func changes(from old: AppTerms) -> [JSON.Member] {
        zip(members + own, old.members + old.own).compactMap { new, old in
            new == old ? nil : .init(new.name, ["from": old.value, "to": new.value])
        }
    }
}
