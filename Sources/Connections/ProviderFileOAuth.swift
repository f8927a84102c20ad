import ClientKit
import JSONKit
import TimeKit

/// The member `oauth` of a provider file.
extension ProviderFile {
    private static let oauthMembers: Set<String> = [
        "authorize", "authorize_parameters", "redirect_parameter", "token", "refresh", "token_parameters",
        "refresh_parameters", "headers", "client_authentication", "body", "exchange", "long_lived", "pkce", "scopes",
        "scope_separator", "scope_parameter", "issuer", "issuer_required", "token_path", "success_path",
        "rotates_refresh_token", "lifetime", "grant_lifetime", "grant_warning", "minimum_age", "metadata",
        "signed_callback", "tenant_field", "own_token", "environment", "revoke",
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
            bodyFormat: try choice(oauth, "body", else: .form),
            exchange: try choice(oauth, "exchange", else: .standard),
            longLivedURL: oauth.members["long_lived"] == nil ? nil : try address(oauth, "long_lived", fields),
            usesPKCE: try truth(oauth, "pkce", else: true), scopes: try optionalTexts(oauth, "scopes") ?? [],
            scopeSeparator: try optionalText(oauth, "scope_separator") ?? " ",
            scopeParameter: try optionalText(oauth, "scope_parameter") ?? "scope",
            issuer: try optionalText(oauth, "issuer"),
            requiresIssuer: try truth(oauth, "issuer_required", else: false),
            tokenPath: try optionalText(oauth, "token_path"), successPath: try optionalText(oauth, "success_path"),
            rotatesRefreshToken: try truth(oauth, "rotates_refresh_token", else: false),
            lifetime: try seconds(oauth, "lifetime"), grantLifetime: try seconds(oauth, "grant_lifetime"),
            grantWarning: try seconds(oauth, "grant_warning") ?? .days(7),
            minimumAge: try seconds(oauth, "minimum_age"),
            metadata: oauth.members["metadata"] == nil ? [] : try facts(oauth, "metadata"),
            signsCallback: try truth(oauth, "signed_callback", else: false), tenantField: tenant,
            ownToken: try field(oauth, "own_token", among: fields),
            environment: try environment(oauth, fields), revocation: try revocation(oauth, fields))
    }

    private func revocation(
        _ oauth: Object, _ fields: [ProviderField]
    ) throws(ProviderFileError) -> ProviderRevocation? {
        guard let value = oauth.members["revoke"] else { return nil }
        let call: Set<String> = ["method", "url", "headers", "bearer", "basic", "success", "error"]
        let revoke = try object(
            "/oauth/revoke", value, call.union(["parameters", "body", "ends_siblings"]))
        return ProviderRevocation(
            call: try httpCall(revoke, fields: fields, tokens: ["access_token", "refresh_token"]),
            body: try parameters(revoke, "parameters", fields, tokens: ["access_token", "refresh_token"]),
            bodyFormat: try choice(revoke, "body", else: .form),
            endsSiblings: try truth(revoke, "ends_siblings", else: false))
    }

    private func environment(
        _ oauth: Object, _ fields: [ProviderField]
    ) throws(ProviderFileError) -> [ProviderOAuth.Parameter] {
        let found = try parameters(oauth, "environment", [])
        for one in found {
            let here = Object(pointer: "/oauth/environment", members: [:])
            guard fields.contains(where: { $0.name == one.name }) else {
                throw wrong(here, one.name, "there is no field \(one.name).")
            }
            guard one.value.wholeMatch(of: /[A-Z][A-Z0-9_]{0,99}/) != nil else {
                throw wrong(here, one.name, "a variable is capital letters, digits and underscores.")
            }
        }
        return found
    }

    // MARK: Reading members

    /// An address over HTTPS. A hole may be a part of its host: what stands around it keeps it below a domain of the service.
    private func address(
        _ object: Object, _ member: String, _ fields: [ProviderField]
    ) throws(ProviderFileError) -> String {
        let url = try text(object, member)
        guard url.hasPrefix("https://"), (try? OutboundURL(Holes.fill(url) { _ in "x" })) != nil else {
            throw wrong(object, member, "\(member) must be an address that begins with https://.")
        }
        try checkHoles(of: url, fields, object, member)
        let host = url.dropFirst(8).prefix(while: { !"/?#".contains($0) })
        for hole in Holes.names(in: String(host)) {
            try checkHost(hole, in: host, fields, object, member)
        }
        return url
    }

    /// Whoever fills the hole must not be able to name a host of their own: a dot before the rest, and no dot inside.
    private func checkHost(
        _ hole: String, in host: Substring, _ fields: [ProviderField], _ object: Object, _ member: String
    ) throws(ProviderFileError) {
        let isLabel = host.hasPrefix("{\(hole)}.") && host.dropFirst(hole.count + 3).contains(".")
        let pattern = fields.first { $0.name == hole }?.pattern
        let isFixed = ["x.y", "x/y", "x?y", "x#y", "x@y", "x:1"].allSatisfy { pattern?.matches($0) == false }
        guard isLabel, isFixed else {
            throw wrong(
                object, member,
                "a hole in a host must be its first label, and its field must have a pattern without dots.")
        }
    }

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
