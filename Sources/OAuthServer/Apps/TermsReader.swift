import AdminShell
import Domain
import HTTPKit

/// Reads what is asked of an app's terms, all refusals named, from scripts and forms alike.
struct TermsReader {
    /// The most addresses that one app takes.
    static let mostURIs = 20

    let settings: OAuthServer.Settings

    /// What an app is made with when nothing is said.
    func defaults(isConfidential: Bool) -> AppTerms {
        AppTerms(
            name: "", grants: GrantType.usual(isConfidential: isConfidential), rateLimit: settings.rateLimit)
    }

    // MARK: JSON

    /// The terms after a merge patch (RFC 7396): what is not named stays, `null` means as if it had never been set.
    ///
    /// A new app is a patch of ``defaults(isConfidential:)``, in which a name and scopes must be given.
    func patched(
        _ old: AppTerms, _ input: inout Input, isConfidential: Bool, isNew: Bool = false
    ) -> AppTerms {
        var terms = old
        if isNew || input.isGiven("name"), let name = input.text("name", 1...100) { terms.name = name }
        if input.isGiven("description") { terms.description = input.optionalText("description", 0...500) ?? "" }
        if input.isGiven("website_url") { terms.websiteURL = link("website_url", &input) }
        if input.isGiven("privacy_policy_url") { terms.privacyPolicyURL = link("privacy_policy_url", &input) }
        if isNew || input.isGiven("scopes"), let scopes = input.scopes() { terms.scopes = scopes }
        if input.isGiven("redirect_uris") {
            terms.redirectURIs = uris(input.texts("redirect_uris", atMost: Self.mostURIs) ?? [], &input)
        }
        if input.isGiven("grant_types") {
            terms.grants =
                input.texts("grant_types", atMost: GrantType.allCases.count).map { grants($0, &input) }
                ?? GrantType.usual(isConfidential: isConfidential)
        }
        if input.isGiven("require_pushed_authorization_requests") {
            terms.requiresPushedRequests = input.truth("require_pushed_authorization_requests") ?? false
        }
        input.patch(&terms.rateLimit, usual: settings.rateLimit, highest: settings.highestRateLimit)
        check(terms, isConfidential: isConfidential, &input)
        return terms
    }

    // MARK: Forms

    /// The terms that a form says, all of them.
    func filled(_ old: AppTerms, _ input: inout Input, isConfidential: Bool) -> AppTerms {
        var terms = old
        if let name = input.text("name", 1...100) { terms.name = name }
        terms.description = input.optionalText("description", 0...500) ?? ""
        terms.websiteURL = link("website_url", &input)
        terms.privacyPolicyURL = link("privacy_policy_url", &input)
        let more = input.lines("other_scopes", isSplitAtBlanks: true)
        if let scopes = input.scopes(more: more) { terms.scopes = scopes }
        let lines = input.lines("redirect_uris", atMost: Self.mostURIs * (RedirectURI.longest + 2))
        if lines.count > Self.mostURIs {
            input.refuse("redirect_uris", "too_many", "This takes at most \(Self.mostURIs) entries.")
        }
        terms.redirectURIs = uris(lines, &input)
        terms.grants = grants(input.texts("grant_types") ?? [], &input)
        terms.requiresPushedRequests = input.truth("require_pushed_authorization_requests") ?? false
        terms.rateLimit = input.filledRateLimit(usual: settings.rateLimit, highest: settings.highestRateLimit)
        check(terms, isConfidential: isConfidential, &input)
        return terms
    }

    // MARK: Fields

    private func link(_ name: String, _ input: inout Input) -> String? {
        input.parsed(name, orSay: "Write a whole address in ASCII, such as https://app.example.", 1...500) { text in
            WebAddress.isLink(text) ? text : nil
        }
    }

    /// Addresses, each once.
    private func uris(_ texts: [String], _ input: inout Input) -> [RedirectURI] {
        var uris: [RedirectURI] = []
        for text in texts {
            do throws(RedirectURI.Refusal) {
                let uri = try RedirectURI(text)
                if !uris.contains(uri) { uris.append(uri) }
            } catch {
                input.refuse("redirect_uris", error.code, "“\(text.prefix(100))”: \(error.sentence)")
            }
        }
        return uris
    }

    private func grants(_ texts: [String], _ input: inout Input) -> Set<GrantType> {
        var grants: Set<GrantType> = []
        for text in texts {
            guard let grant = GrantType(rawValue: text) else {
                input.refuse("grant_types", "unknown_grant", "“\(text.prefix(100))” is no way that is known here.")
                continue
            }
            grants.insert(grant)
        }
        return grants
    }

    /// What must hold between fields.
    private func check(_ terms: AppTerms, isConfidential: Bool, _ input: inout Input) {
        guard input.isFree(of: ["grant_types", "redirect_uris"]) else { return }
        if terms.grants.subtracting([.refreshToken]).isEmpty {
            input.refuse("grant_types", "required", "Choose at least one way in which the app gets its first token.")
        }
        if terms.grants.contains(.clientCredentials), !isConfidential {
            input.refuse(
                "grant_types", "confidential_only", "Only an app that can keep a secret gets tokens for itself.")
        }
        if terms.grants.contains(.authorizationCode), terms.redirectURIs.isEmpty {
            input.refuse("redirect_uris", "required", "Say where the browser comes back to after the consent.")
        }
    }
}

extension Input {
    /// Whether none of these fields was refused so far.
    func isFree(of names: Set<String>) -> Bool {
        !(problem?.errors.contains { names.contains($0.field) } ?? false)
    }
}

extension RedirectURI.Refusal {
    /// A stable word.
    var code: String {
        switch self {
        case .tooLong: "too_long"
        case .plain, .scheme: "scheme_not_allowed"
        case .localhost: "localhost_not_allowed"
        case .user: "user_not_allowed"
        case .fragment: "fragment_not_allowed"
        case .dots: "dots_not_allowed"
        case .malformed, .relative, .host, .port: "invalid_uri"
        }
    }
}
