import JSONKit
import TimeKit

/// The member `oauth` of a provider file.
extension ProviderFile {
    private static let oauthMembers: Set<String> = [
        "authorize", "authorize_parameters", "redirect_parameter", "token", "refresh", "token_parameters",
        "refresh_parameters", "headers", "client_authentication", "body", "exchange", "long_lived", "pkce", "scopes",
        "scope_separator", "scope_parameter", "issuer", "issuer_required", "token_path", "success_path",
        "rotates_refresh_token", "lifetime", "grant_lifetime", "grant_warning", "minimum_age", "metadata",
        "signed_callback", "tenant_field", "own_token", "own_token_scheme", "environment", "revoke", "scopes_field",
        "client_authentication_field", "long_lived_parameter", "implied_scopes", "account",
    ]

    /// How the service lets people sign in; nil when its file does not say.
    func oauth(_ top: Object, fields: [ProviderField]) throws(ProviderFileError) -> ProviderOAuth? {
        guard let value = top.members["oauth"] else { return nil }
        let oauth = try object("/oauth", value, Self.oauthMembers)
        let tenant = try field(oauth, "tenant_field", among: fields)
        return ProviderOAuth(
            authorizeURL: try address(oauth, "authorize", fields),
            authorizeParameters: try parameters(oauth, "authorize_parameters", fields),
            redirectParameter: try optionalText(oauth, "redirect_parameter") ?? "redirect_uri",
            tokenURL: try address(oauth, "token", fields),
            refreshURL: oauth.members["refresh"] == nil ? nil : try address(oauth, "refresh", fields),
            tokenParameters: try parameters(oauth, "token_parameters", fields),
            refreshParameters: try parameters(oauth, "refresh_parameters", fields),
            headers: try parameters(oauth, "headers", fields),
            clientAuthentication: try choice(oauth, "client_authentication", else: .body),
            clientAuthenticationField: try field(oauth, "client_authentication_field", among: fields),
            bodyFormat: try choice(oauth, "body", else: .form),
            exchange: try choice(oauth, "exchange", else: .standard),
            longLivedURL: oauth.members["long_lived"] == nil ? nil : try address(oauth, "long_lived", fields),
            longLivedParameter: try optionalText(oauth, "long_lived_parameter") ?? "access_token",
            usesPKCE: try truth(oauth, "pkce", else: true), scopes: try optionalTexts(oauth, "scopes") ?? [],
            scopesField: try field(oauth, "scopes_field", among: fields),
            scopeSeparator: try optionalText(oauth, "scope_separator") ?? " ",
            scopeParameter: try optionalText(oauth, "scope_parameter") ?? "scope",
            impliedScopes: try scopeRules(oauth), issuer: try issuer(oauth, fields),
            requiresIssuer: try truth(oauth, "issuer_required", else: false),
            tokenPath: try optionalText(oauth, "token_path"), successPath: try optionalText(oauth, "success_path"),
            rotatesRefreshToken: try truth(oauth, "rotates_refresh_token", else: false),
            lifetime: try seconds(oauth, "lifetime"), grantLifetime: try seconds(oauth, "grant_lifetime"),
            grantWarning: try seconds(oauth, "grant_warning") ?? .days(7),
            minimumAge: try seconds(oauth, "minimum_age"),
            metadata: oauth.members["metadata"] == nil ? [] : try facts(oauth, "metadata"),
            signsCallback: try truth(oauth, "signed_callback", else: false), tenantField: tenant,
            account: try optionalText(oauth, "account"), ownToken: try field(oauth, "own_token", among: fields),
            ownTokenScheme: try optionalText(oauth, "own_token_scheme") ?? "Bearer",
            environment: try environment(oauth, fields), revocation: try revocation(oauth, fields))
    }

    private func revocation(
        _ oauth: Object, _ fields: [ProviderField]
    ) throws(ProviderFileError) -> ProviderRevocation? {
        guard let value = oauth.members["revoke"] else { return nil }
        let revoke = try object(
            "/oauth/revoke", value, Self.callMembers.union(["ends_siblings", "authenticates_client", "notice"]))
        return ProviderRevocation(
            call: try httpCall(revoke, fields: fields, tokens: ["access_token", "refresh_token", "granted_account"]),
            endsSiblings: try truth(revoke, "ends_siblings", else: false),
            authenticatesClient: try truth(revoke, "authenticates_client", else: false),
            notice: try optionalText(revoke, "notice"))
    }

    private func issuer(_ oauth: Object, _ fields: [ProviderField]) throws(ProviderFileError) -> String? {
        let issuer = try optionalText(oauth, "issuer")
        if let issuer { try checkHoles(of: issuer, fields, oauth, "issuer") }
        return issuer
    }

    /// `{"write_*": ["read_*"]}`
    private func scopeRules(_ oauth: Object) throws(ProviderFileError) -> [ScopeRule] {
        guard let value = oauth.members["implied_scopes"] else { return [] }
        let names = (value.members ?? []).map(\.name)
        let rules = try object("/oauth/implied_scopes", value, Set(names))
        return try names.map { (name) throws(ProviderFileError) in
            guard name.count(where: { $0 == "*" }) <= 1 else {
                throw wrong(rules, name, "a scope here has at most one *.")
            }
            return ScopeRule(granted: name, covers: try texts(rules, name))
        }
    }

    private func environment(
        _ oauth: Object, _ fields: [ProviderField]
    ) throws(ProviderFileError) -> [ProviderOAuth.Parameter] {
        // The client of the hub itself must never be shown to a service that somebody else described (A2-07).
        guard audience == .site || oauth.members["environment"] == nil else {
            throw wrong(oauth, "environment", "an organization's own provider reads nothing of the hub's environment.")
        }
        let found = try parameters(oauth, "environment", [])
        for one in found {
            let here = Object(pointer: "/oauth/environment", members: [:])
            guard fields.contains(where: { $0.name == one.name }) else {
                throw wrong(here, one.name, "there is no field \(one.name).")
            }
            guard Spelling.isVariable(one.value) else {
                throw wrong(here, one.name, "a variable is capital letters, digits and underscores.")
            }
        }
        return found
    }

    // MARK: Reading members

    /// An object of names and values.
    func parameters(
        _ object: Object, _ member: String, _ fields: [ProviderField], tokens: [String] = []
    ) throws(ProviderFileError) -> [ProviderOAuth.Parameter] {
        guard let value = object.members[member] else { return [] }
        let pointer = "\(object.pointer)/\(member)"
        let names = (value.members ?? []).map(\.name)
        let found = try self.object(pointer, value, Set(names))
        return try names.map { (name) throws(ProviderFileError) in
            let value = try text(found, name)
            try checkHoles(of: value, fields, found, name, besides: tokens)
            return ProviderOAuth.Parameter(name: name, value: value)
        }
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ object: Object, _ member: String, else standard: Choice
    ) throws(ProviderFileError) -> Choice where Choice.RawValue == String {
        guard let text = try optionalText(object, member) else { return standard }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw wrong(object, member, "\(member) is one of \(known).")
        }
        return choice
    }

    func seconds(_ object: Object, _ member: String) throws(ProviderFileError) -> Duration? {
        guard object.members[member] != nil else { return nil }
        let seconds = try number(object, member, else: 0)
        guard (1...1_000_000_000).contains(seconds) else {
            throw wrong(object, member, "\(member) is a number of seconds above 0.")
        }
        return .seconds(seconds)
    }

    private func field(
        _ object: Object, _ member: String, among fields: [ProviderField]
    ) throws(ProviderFileError) -> String? {
        guard let name = try optionalText(object, member) else { return nil }
        guard fields.contains(where: { $0.name == name }) else {
            throw wrong(object, member, "there is no field \(name).")
        }
        return name
    }
}
