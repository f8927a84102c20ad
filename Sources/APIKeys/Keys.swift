import AdminShell
import Domain
import HTTPKit
import LogKit
import TemplateKit
import TimeKit

/// Keys as people see them.
extension APIKeys {
    func listPage(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let store = store(scope)
        let holder = try store.holder(in: database)
        let request = try call.request.query()
        var query = Input(request)
        let filter = KeyFilter(&query, me: holder.user)
        let part = Listing<APIKey>(&query)
        guard query.isComplete else { throw query.refusal }
        let found = try store.keys(filter, after: part.last, limit: part.limit + 1)
        let isWhole = filter == .none && part.last == nil
        // What was looked for as it was understood: of a whole key only what may be seen.
        let shown = Form(pairs: request.pairs.map { $0.name == "q" ? ($0.name, filter.text ?? "") : $0 })
        return try call.page(
            KeyListPage(
                canCreate: scope.allows(.write(.apiKeys)), seesOthers: scope.role != .member,
                newHref: call.link(APIKeyRoute.create), listHref: call.link(APIKeyRoute.list),
                unusedHref: call.link(APIKeyRoute.revokeUnused),
                me: holder.user, held: try store.count(of: holder, in: database) ?? 0, limit: settings.maxPerUser,
                keys: found.prefix(part.limit).map { linked($0, call) },
                hasAny: try !found.isEmpty || !store.keys(limit: 1).isEmpty, query: shown,
                unusedCount: isWhole ? try store.unused(in: database).count : 0,
                soon: isWhole
                    ? try store.expiring(before: world.now() + .days(7), limit: 2).map { linked($0, call) } : [],
                firstHref: part.last == nil ? nil : firstHref(shown, call),
                nextHref: try call.link(APIKeyRoute.list, next: part.next(found, \.id)), now: world.now()))
    }

    /// The link to the beginning of a list, its filter kept.
    private func firstHref(_ query: Form, _ call: Call) -> String {
        let kept = query.pairs.filter { $0.name != "cursor" && !$0.value.isEmpty }
        return call.link(APIKeyRoute.list) + (kept.isEmpty ? "" : "?" + Form(pairs: kept).urlencoded)
    }

    private func linked(_ key: KeyRecord, _ call: Call) -> (key: KeyRecord, href: String) {
        (key, call.link(APIKeyRoute.show(key.id)))
    }

    func showPage(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let store = store(scope)
        guard let key = try store.key(id) else { throw Problem.notFound }
        return try call.page(
            KeyPage(
                key: key, canWrite: scope.allows(.write(.apiKeys)), links: KeyPage.Links(id, call),
                activity: scope.allows(.read(.audit)) ? try store.activity(id) : nil,
                usage: try usageBlock(id, scope), site: site(call), now: world.now()))
    }

    private func site(_ call: Call) -> String { call.shell.site.origin + call.shell.site.mount }

    // MARK: Making and changing

    func newPage(_ call: Call) throws -> Response {
        try call.page(newPage(call, typed: nil, problem: nil))
    }

    /// Makes a key and shows it in the very answer.
    ///
    /// A redirect would have to carry the key through a cookie or the database; here it stands in one answer that nobody
    /// stores, and the form's nonce keeps a reload from making a second key.
    func createKey(_ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let terms = termsReader.filled(termsReader.defaults, &input)
            guard input.isComplete else { throw input.refusal }
            let made = try create(terms, by: call.scope())
            return try secretPage(made.record, made.text, isRolled: false, call)
        } orShow: { problem in
            try newPage(call, typed: form, problem: problem)
        }
    }

    private func secretPage(_ key: KeyRecord, _ text: KeyText, isRolled: Bool, _ call: Call) throws -> Response {
        try call.page(
            KeyCreatedPage(
                key: key, secret: text.secret, isRolled: isRolled, site: site(call),
                doneHref: call.link(APIKeyRoute.show(key.id)), now: world.now())
        ).neverStored()
    }

    private func newPage(_ call: Call, typed: Form?, problem: Problem?) throws -> KeyNewPage {
        KeyNewPage(
            listHref: call.link(APIKeyRoute.list), action: call.link(APIKeyRoute.create),
            form: try form(nil, call, typed, problem))
    }

    private func form(_ terms: KeyTerms?, _ call: Call, _ typed: Form?, _ problem: Problem?) throws -> KeyForm {
        let scope = try call.scope()
        return KeyForm(
            settings: settings, allowed: GrantableScope.all.filter { scope.allows($0.scope) }, terms: terms,
            typed: typed, problem: problem)
    }

    func editPage(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        try call.page(editPage(id, call, typed: nil, problem: nil))
    }

    func editKey(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let seen = input.number("version", 1...Int64.max)
            let key = try update(id, by: call.scope()) { key in
                guard seen == nil || seen == key.version else {
                    throw Problem.changedByAnother("key")
                }
            } _: { old in
                let terms = termsReader.filled(old, &input)
                guard input.isComplete else { throw input.refusal }
                return terms
            }
            return call.redirect(to: APIKeyRoute.show(id), saying: "Key “\(key.name)” changed.")
        } orShow: { problem in
            try editPage(id, call, typed: form, problem: problem)
        }
    }

    private func editPage(_ id: Identifier<APIKey>, _ call: Call, typed: Form?, problem: Problem?) throws -> KeyEditPage
    {
        let key = try living(id, call)
        return KeyEditPage(
            key: key, keyHref: call.link(APIKeyRoute.show(id)), action: call.link(APIKeyRoute.edit(id)),
            version: problem == nil ? key.version : typed?["version"].flatMap(Int64.init) ?? key.version,
            form: try form(key.terms, call, typed, problem))
    }

    /// The key, if anything can still be done with it.
    private func living(_ id: Identifier<APIKey>, _ call: Call) throws -> KeyRecord {
        guard let key = try store(call.scope()).key(id) else { throw Problem.notFound }
        if let problem = key.state(now: world.now()).problem { throw problem }
        return key
    }

    // MARK: Rolling

    func rollPage(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        try call.page(rollPage(id, call, typed: nil, problem: nil))
    }

    /// Gives a key another secret and shows it in the very answer, as when it was made.
    func rollKey(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let grace = input.required("grace_seconds", input.number("grace_seconds", 0...Self.longestGrace))
            guard let grace, input.isComplete else { throw input.refusal }
            let rolled = try roll(id, grace: .seconds(grace), by: call.scope())
            return try secretPage(rolled.record, rolled.text, isRolled: true, call)
        } orShow: { problem in
            try rollPage(id, call, typed: form, problem: problem)
        }
    }

    private func rollPage(_ id: Identifier<APIKey>, _ call: Call, typed: Form?, problem: Problem?) throws -> KeyRollPage
    {
        KeyRollPage(
            key: try living(id, call), keyHref: call.link(APIKeyRoute.show(id)),
            action: call.link(APIKeyRoute.roll(id)), typed: typed, problem: problem, now: world.now())
    }

    func endPreviousSecret(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        try call.form().requireNothing()
        try endPrevious(id, by: call.scope())
        return call.redirect(to: APIKeyRoute.show(id), saying: "The previous secret has ended.")
    }

    // MARK: Ending

    func disableKey(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        try call.form().requireNothing()
        let key = try disable(id, by: call.scope())
        return call.redirect(to: APIKeyRoute.show(id), saying: "Key “\(key.name)” disabled.")
    }

    func enableKey(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        try call.form().requireNothing()
        let key = try enable(id, by: call.scope())
        return call.redirect(to: APIKeyRoute.show(id), saying: "Key “\(key.name)” enabled.")
    }

    func revokePage(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        try call.page(revokePage(id, call, typed: nil, problem: nil))
    }

    func revokeKey(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let confirmed = input.text("confirm_name", 1...100)
            guard let confirmed, input.isComplete else { throw input.refusal }
            try revoke(id, by: call.scope()) { key in
                guard key.name == confirmed else {
                    throw Problem.invalid("confirm_name", "not_the_name", "This is not its name, “\(key.name)”.")
                }
            }
            return call.redirect(to: APIKeyRoute.list, saying: "Key “\(confirmed)” revoked.")
        } orShow: { problem in
            try revokePage(id, call, typed: form, problem: problem)
        }
    }

    private func revokePage(
        _ id: Identifier<APIKey>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> KeyRevokePage {
        guard let key = try store(call.scope()).key(id), key.revokedAt == nil else { throw Problem.notFound }
        return KeyRevokePage(
            key: key, keyHref: call.link(APIKeyRoute.show(id)), action: call.link(APIKeyRoute.revoke(id)),
            typed: typed, problem: problem, now: world.now())
    }

    func revokeUnusedPage(_ call: Call) throws -> Response {
        try call.page(revokeUnusedPage(call, typed: nil, problem: nil))
    }

    func revokeUnusedKeys(_ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let count = input.required("count", input.number("count", 1...Int64(KeyStore.mostUnused)))
            guard let count, input.isComplete else { throw input.refusal }
            try revokeUnused(count: Int(count), by: call.scope())
            return call.redirect(to: APIKeyRoute.list, saying: "\(Int(count).counted("key", "keys")) revoked.")
        } orShow: { problem in
            try revokeUnusedPage(call, typed: form, problem: problem)
        }
    }

    private func revokeUnusedPage(_ call: Call, typed: Form?, problem: Problem?) throws -> KeysRevokeUnusedPage {
        KeysRevokeUnusedPage(
            listHref: call.link(APIKeyRoute.list), action: call.link(APIKeyRoute.revokeUnused),
            keys: try store(call.scope()).unused(in: database).map { linked($0, call) }, typed: typed,
            problem: problem, now: world.now())
    }
}
