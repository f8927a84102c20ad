import AdminShell
import Domain
import HTTPKit
import LogKit
import TemplateKit
import TimeKit

/// Apps as those see them who make them.
extension OAuthServer {
    func listAppsPage(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let store = store(scope)
        let request = try call.request.query()
        var query = Input(request)
        let filter = AppFilter(&query)
        let part = Listing<OAuthApp>(&query)
        guard query.isComplete else { throw query.refusal }
        let found = try store.apps(filter, after: part.last, limit: part.limit + 1)
        let kept = request.pairs.filter { $0.name != "cursor" && !$0.value.isEmpty }
        return try call.page(
            AppListPage(
                canCreate: scope.allows(.write(.oauthApps)), newHref: call.link(OAuthAppRoute.create),
                listHref: call.link(OAuthAppRoute.list), thirdPartyHref: call.link(ConsentRoute.thirdParty),
                held: try store.count(of: store.holder(in: database), in: database) ?? 0,
                limit: settings.maxAppsPerUser,
                apps: found.prefix(part.limit).map { ($0, call.link(OAuthAppRoute.show($0.id))) },
                hasAny: try !found.isEmpty || !store.apps(limit: 1).isEmpty, query: request,
                firstHref: part.last == nil
                    ? nil : call.link(OAuthAppRoute.list) + (kept.isEmpty ? "" : "?" + Form(pairs: kept).urlencoded),
                nextHref: try call.link(OAuthAppRoute.list, next: part.next(found, \.id)), now: world.now()))
    }

    func showAppPage(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let store = store(scope)
        guard let app = try store.app(id) else {
            // The audit log and notices name apps of others, too, which people here have let in.
            guard try thirdParty(scope).knows(id) else { throw Problem.notFound }
            return call.redirect(to: ConsentRoute.thirdParty)
        }
        return try call.page(
            AppPage(
                app: app, canWrite: scope.allows(.write(.oauthApps)),
                canSeeRequests: scope.allows(.read(.requestLogs)), links: AppPage.Links(id, call),
                consents: try store.consentCount(of: id),
                activity: scope.allows(.read(.audit)) ? try store.activity(id) : nil, endpoints: endpoints,
                now: world.now()))
    }

    private var endpoints: AppPage.Endpoints {
        AppPage.Endpoints(
            issuer: issuer, metadata: "\(site.origin)/.well-known/oauth-authorization-server\(site.mount)")
    }

    // MARK: Making and changing

    func newAppPage(_ call: Call) throws -> Response {
        try call.page(newAppPage(call, typed: nil, problem: nil))
    }

    /// Makes an app and shows its secret in the very answer, which nobody stores; the form's nonce keeps a reload from
    /// making a second one.
    func createApp(_ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let isConfidential = input.required("confidential", input.truth("confidential")) ?? true
            let terms = termsReader.filled(
                termsReader.defaults(isConfidential: isConfidential), &input, isConfidential: isConfidential)
            guard input.isComplete else { throw input.refusal }
            let made = try create(terms, isConfidential: isConfidential, by: call.scope())
            return try secretPage(made.app, made.secret?.secret, isRolled: false, call)
        } orShow: { problem in
            try newAppPage(call, typed: form, problem: problem)
        }
    }

    private func secretPage(
        _ app: AppRecord, _ secret: Secret<String>?, isRolled: Bool, _ call: Call
    ) throws -> Response {
        try call.page(
            AppSecretPage(
                app: app, secret: secret, isRolled: isRolled, issuer: issuer,
                doneHref: call.link(OAuthAppRoute.show(app.id)), now: world.now())
        ).neverStored()
    }

    private func newAppPage(_ call: Call, typed: Form?, problem: Problem?) throws -> AppNewPage {
        AppNewPage(
            listHref: call.link(OAuthAppRoute.list), action: call.link(OAuthAppRoute.create),
            form: try appForm(nil, call, typed, problem))
    }

    private func appForm(_ app: AppRecord?, _ call: Call, _ typed: Form?, _ problem: Problem?) throws -> AppForm {
        let scope = try call.scope()
        return AppForm(
            settings: settings, allowed: GrantableScope.all.filter { scope.allows($0.scope) }, app: app, typed: typed,
            problem: problem)
    }

    func editAppPage(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        try call.page(editAppPage(id, call, typed: nil, problem: nil))
    }

    func editApp(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let seen = input.number("version", 1...Int64.max)
            let app = try update(id, by: call.scope()) { app in
                guard seen == nil || seen == app.version else {
                    throw Problem.changedByAnother("app")
                }
            } _: { app in
                let terms = termsReader.filled(app.terms, &input, isConfidential: app.isConfidential)
                guard input.isComplete else { throw input.refusal }
                return terms
            }
            return call.redirect(to: OAuthAppRoute.show(id), saying: "App “\(app.name)” changed.")
        } orShow: { problem in
            try editAppPage(id, call, typed: form, problem: problem)
        }
    }

    private func editAppPage(
        _ id: Identifier<OAuthApp>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> AppEditPage {
        guard let app = try store(call.scope()).app(id) else { throw Problem.notFound }
        return AppEditPage(
            app: app, appHref: call.link(OAuthAppRoute.show(id)), action: call.link(OAuthAppRoute.edit(id)),
            version: problem == nil ? app.version : typed?["version"].flatMap(Int64.init) ?? app.version,
            form: try appForm(app, call, typed, problem))
    }

    // MARK: Secrets

    func rollAppPage(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        try call.page(rollAppPage(id, call, typed: nil, problem: nil))
    }

    func rollApp(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let grace = input.required("grace_seconds", input.number("grace_seconds", 0...Self.longestGrace))
            guard let grace, input.isComplete else { throw input.refusal }
            let rolled = try roll(id, grace: .seconds(grace), by: call.scope())
            return try secretPage(rolled.app, rolled.secret.secret, isRolled: true, call)
        } orShow: { problem in
            try rollAppPage(id, call, typed: form, problem: problem)
        }
    }

    private func rollAppPage(
        _ id: Identifier<OAuthApp>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> AppRollPage {
        guard let app = try store(call.scope()).app(id), app.isConfidential else { throw Problem.notFound }
        return AppRollPage(
            app: app, appHref: call.link(OAuthAppRoute.show(id)), action: call.link(OAuthAppRoute.roll(id)),
            typed: typed, problem: problem, now: world.now())
    }

    func endPreviousAppSecret(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        try call.form().requireNothing()
        try endPrevious(id, by: call.scope())
        return call.redirect(to: OAuthAppRoute.show(id), saying: "The previous secret has ended.")
    }

    // MARK: Ending

    func disableApp(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        try call.form().requireNothing()
        let app = try disable(id, by: call.scope())
        return call.redirect(to: OAuthAppRoute.show(id), saying: "App “\(app.name)” disabled.")
    }

    func enableApp(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        try call.form().requireNothing()
        let app = try enable(id, by: call.scope())
        return call.redirect(to: OAuthAppRoute.show(id), saying: "App “\(app.name)” enabled.")
    }

    func confirmPage(_ deed: AppConfirmPage.Deed, _ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        try call.page(confirmPage(deed, id, call, typed: nil, problem: nil))
    }

    func confirm(_ deed: AppConfirmPage.Deed, _ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let typed = input.text("confirm_name", 1...100)
            guard let typed, input.isComplete else { throw input.refusal }
            let scope = try call.scope()
            guard let app = try store(scope).app(id) else { throw Problem.notFound }
            guard app.name == typed else {
                throw Problem.invalid("confirm_name", "not_the_name", "This is not its name, “\(app.name)”.")
            }
            switch deed {
            case .delete:
                try delete(id, by: scope)
                return call.redirect(to: OAuthAppRoute.list, saying: "App “\(app.name)” removed.")
            case .revokeTokens:
                try revokeAllHeld(of: id, by: scope)
                return call.redirect(to: OAuthAppRoute.tokens(id), saying: "All access of “\(app.name)” has ended.")
            }
        } orShow: { problem in
            try confirmPage(deed, id, call, typed: form, problem: problem)
        }
    }

    private func confirmPage(
        _ deed: AppConfirmPage.Deed, _ id: Identifier<OAuthApp>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> AppConfirmPage {
        let store = store(try call.scope())
        guard let app = try store.app(id) else { throw Problem.notFound }
        return AppConfirmPage(
            deed: deed, app: app, consents: try store.consentCount(of: id),
            backHref: call.link(deed == .delete ? OAuthAppRoute.show(id) : .tokens(id)),
            action: call.link(deed == .delete ? OAuthAppRoute.delete(id) : .revokeTokens(id)), typed: typed,
            problem: problem, now: world.now())
    }

    // MARK: What an app holds

    func tokensPage(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let part = try Listing<OAuthToken>(of: call.request)
        guard let app = try store(scope).app(id) else { throw Problem.notFound }
        let found = try held(scope).tokens(of: id, after: part.last, limit: part.limit + 1)
        let canWrite = scope.allows(.write(.oauthApps))
        return try call.page(
            AppTokensPage(
                app: app, appHref: call.link(OAuthAppRoute.show(id)),
                revokeAllHref: canWrite && !found.isEmpty ? call.link(OAuthAppRoute.revokeTokens(id)) : nil,
                tokens: found.prefix(part.limit).map {
                    ($0, canWrite ? call.link(OAuthAppRoute.revokeToken(id, $0.id)) : nil)
                }, firstHref: part.last == nil ? nil : call.link(OAuthAppRoute.tokens(id)),
                nextHref: try call.link(OAuthAppRoute.tokens(id), next: part.next(found, \.id)), now: world.now()))
    }

    func revokeHeldToken(
        _ id: Identifier<OAuthApp>, _ token: Identifier<OAuthToken>, _ call: Call
    ) throws -> Response {
        try call.form().requireNothing()
        try revokeHeld(token, by: call.scope()) { held in
            guard held.app == id else { throw Problem.notFound }
        }
        return call.redirect(to: OAuthAppRoute.tokens(id), saying: "This access has ended.")
    }
}
