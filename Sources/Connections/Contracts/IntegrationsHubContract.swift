import AdminShell
import Domain
import HTTPKit
import JSONKit
import LogKit

/// The contract “Integrations Hub”: one sign-in at Shopify, Notion or Google Drive for an organization, and Zapier's hook.
///
/// `state` is not the user's id, as that contract says, but 256 random bits that only the session which began the sign-in
/// can use, once: with the user's id anybody could connect an account of their own to a stranger's organization.
extension Connections {
    /// The services of the contract.
    static let hubProviders = ["shopify", "notion", "google_drive", "zapier"]

    /// The routes of the contract and who performs them.
    ///
    /// - Parameter addresses: where sign-ins may lead in the end.
    public func integrationsHubContract(_ addresses: ReturnAddresses) -> RoomRoutes {
        RoomRoutes(IntegrationsHubRoute.self) { route, call in
            switch route {
            case .connect: try connectIntegrationsHub(addresses, call)
            case .callback(let provider): try integrationsHubCallback(provider, addresses, call)
            }
        }
    }

    // MARK: Beginning

    private func connectIntegrationsHub(_ addresses: ReturnAddresses, _ call: Call) throws -> Response {
        var input = try call.json()
        let provider = input.parsed("provider", orSay: "This is one of \(Self.hubProviders.joined(separator: ", ")).") {
            Self.hubProviders.contains($0) ? catalogue[$0] : nil
        }
        let returnTo = input.parsed(
            "redirectUri", orSay: "This is no page of this site, and not among those that HUB_REDIRECT_URIS lists.",
            1...500
        ) { addresses.allows($0, on: call.shell.site) ? $0 : nil }
        guard let provider = input.required("provider", provider) else { throw input.refusalIgnoring("shop") }
        let tenant = tenant(of: provider, &input)
        guard input.isComplete else { throw input.refusal }
        let scope = try call.scope()
        let url =
            try provider.oauth == nil
            ? setUpAddress(provider, scope, call)
            : signInAddress(provider, tenant, returnTo: returnTo ?? addresses.page, scope, call)
        return Response.json(["authUrl": .string(url), "provider": .string(provider.key)]).neverStored()
    }

    /// The field that names the tenant, such as Shopify's `shop`: the whole host or its first part.
    private func tenant(of provider: Provider, _ input: inout Input) -> String? {
        guard let field = provider.oauth?.tenantField.flatMap({ provider.field($0) }) else { return nil }
        guard let text = input.optionalText(field.name, 1...200)?.lowercased() else { return nil }
        let name = text.hasSuffix(".myshopify.com") ? String(text.dropLast(".myshopify.com".count)) : text
        if let objection = field.objection(to: name) { input.refuse(field.name, "invalid", objection) }
        return name
    }

    private func signInAddress(
        _ provider: Provider, _ tenant: String?, returnTo: String, _ scope: OrganizationScope, _ call: Call
    ) throws -> String {
        let view = try hubConnection(provider, tenant, scope)
        guard let principal = call.principal else { throw Problem.unauthorized() }
        let named = provider.oauth?.tenantField.flatMap { view.values[$0] }
        if let field = provider.oauth?.tenantField, tenant ?? named == nil {
            throw Problem.invalid(field, "required", "Name the \(provider.field(field)?.label.lowercased() ?? field).")
        }
        let begun = try begin(
            view,
            Beginning(
                redirectURI: call.shell.site.url(IntegrationsHubRoute.callback(provider: provider.key)),
                owner: FlowOwner(principal), returnTo: returnTo, tenant: tenant == named ? nil : tenant, scopes: nil),
            by: scope)
        return begun.url.reveal { $0 }
    }

    /// The connection named `default`, made when there is none, for the tenant that is asked for unless it works for
    /// another one: then nothing of it changes before somebody has signed in.
    private func hubConnection(
        _ provider: Provider, _ tenant: String?, _ scope: OrganizationScope
    ) throws -> ConnectionView {
        let field = provider.oauth?.tenantField
        guard let found = try defaultConnections(of: [provider.key], scope).first else {
            var open: [String: String] = [:]
            for field in provider.fields { open[field.name] = field.standard }
            if let field, let tenant { open[field] = tenant }
            let id = try create(provider, .initial, SetUp(open: open, secrets: [:]), by: scope)
            return try find(.id(id), scope)
        }
        guard let field, let tenant, found.values[field] != tenant, found.credential == nil else { return found }
        try update(found.record.id, by: scope) { old in
            var change = Change(keeping: old)
            change.setUp = SetUp(
                open: change.setUp.open.merging([field: tenant]) { $1 }, secrets: change.setUp.secrets)
            return change
        }
        return try find(.id(found.record.id), scope)
    }

    /// Where somebody enters what a service without a sign-in needs: Zapier's hook is pasted, not granted.
    private func setUpAddress(_ provider: Provider, _ scope: OrganizationScope, _ call: Call) throws -> String {
        let found = try defaultConnections(of: [provider.key], scope).first
        let route = found.map { ConnectionRoute.edit($0.record.id) } ?? .new(provider: provider.key)
        return call.shell.site.url(route)
    }

    // MARK: Ending

    private func integrationsHubCallback(
        _ provider: String, _ addresses: ReturnAddresses, _ call: Call
    ) throws -> Response {
        let site = call.shell.site
        let standard = addresses.page.isEmpty ? site.mount + ConnectionRoute.alias.path : addresses.page
        // A link checker asks so, and must use nothing up.
        guard call.request.method == .get else { return Self.found(standard) }
        guard let principal = call.principal, principal.browser != nil else {
            return Self.outcome(standard, "error", "signed_out")
        }
        do {
            let arrived = Callback(
                query: try call.request.query(),
                redirectURI: site.url(IntegrationsHubRoute.callback(provider: provider)))
            let done = try complete(arrived, by: FlowOwner(principal)) { try call.scope(in: $0) }
            let page = done.returnTo.flatMap { $0.isEmpty ? nil : $0 } ?? standard
            let response =
                done.failure.map { Self.outcome(page, "error", $0.code.rawValue) }
                ?? Self.outcome(page, "success", provider)
            return call.saying(done.sentence, done.tone, on: response)
        } catch let failure as AuthorizationFailure {
            return call.saying(failure.sentence, .bad, on: Self.outcome(standard, "error", failure.code.rawValue))
        } catch let problem as Problem {
            return call.saying(problem.detail, .bad, on: Self.outcome(standard, "error", problem.code))
        } catch {
            // No page stands at an address that holds the code (RFC 9700 §4.2.4).
            let problem = Problem(presenting: error, requestID: call.request.id)
            call.log.error("a sign-in could not be ended", ["error": .init(String(reflecting: error))])
            return call.saying(problem.detail, .bad, on: Self.outcome(standard, "error", problem.code))
        }
    }

    /// A page with how it went, as the contract spells it.
    private static func outcome(_ page: String, _ name: String, _ value: String) -> Response {
        found("\(page)\(page.contains("?") ? "&" : "?")\(name)=\(Percent.encode(value))")
    }

    /// 302, as the contract says.
    private static func found(_ address: String) -> Response {
        Response(status: 302, headers: ["location": address, "cache-control": "no-store"])
    }
}
