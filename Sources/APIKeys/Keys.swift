import AdminShell
import Domain
import HTTPKit
import LogKit
import TimeKit

/// Keys as people see and make them.
extension APIKeys {
    func listPage(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let part = try Listing<APIKey>(of: call.request)
        let store = store(scope)
        let found = try store.keys(after: part.last, limit: part.limit + 1)
        let canWrite = scope.allows(.write(.apiKeys))
        let rows = found.prefix(part.limit).map { key in
            KeyListPage.KeyRow(
                key: key,
                revokeHref: canWrite && key.revokedAt == nil ? call.link(APIKeyRoute.revoke(key.id)) : nil)
        }
        return try call.page(
            KeyListPage(
                canCreate: canWrite, newHref: call.link(APIKeyRoute.create),
                held: try store.count(of: store.holder(in: database), in: database) ?? 0, limit: settings.maxPerUser,
                keys: rows,
                firstHref: part.last == nil ? nil : call.link(APIKeyRoute.list),
                nextHref: try call.link(APIKeyRoute.list, next: part.next(found, \.id)), now: world.now()))
    }

    func newPage(_ call: Call) throws -> Response {
        try call.page(newPage(call, typed: nil, problem: nil))
    }

    /// Makes a key and shows it in the very answer.
    ///
    /// A redirect would have to carry the key through a cookie or the database; here it stands in one answer that nobody
    /// stores, and the form's nonce keeps a reload from making a second key.
    func createKey(_ call: Call) throws -> Response {
        let form = try call.request.form()
        var input = Input(form)
        return try call.perform {
            let scope = try call.scope()
            let expiresAt = chosenExpiry(&input)
            let more = (input.optionalText("other_scopes", 0...4_000) ?? "").split(whereSeparator: \.isWhitespace).map(
                String.init)
            let made = try create(wanted(&input, more: more, expiresAt: expiresAt, by: scope), by: scope)
            let page = KeyCreatedPage(
                key: made.record, secret: made.text.secret, site: call.shell.site.origin + call.shell.site.mount,
                doneHref: call.link(APIKeyRoute.list), now: world.now())
            return try call.page(page).neverStored()
        } orShow: { problem in
            try newPage(call, typed: form, problem: problem)
        }
    }

    func revokePage(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        try call.page(revokePage(id, call, typed: nil, problem: nil))
    }

    func revokeKey(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        var input = Input(form)
        return try call.perform {
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

    /// The chosen number of days, never for an empty choice, by the setting when there was no choice.
    private func chosenExpiry(_ input: inout Input) -> Timestamp? {
        guard input.isGiven("expires_in_days") else { return defaultExpiry }
        return input.number("expires_in_days", 1...36_500).map { world.now() + .days(Int($0)) }
    }

    private func newPage(_ call: Call, typed: Form?, problem: Problem?) throws -> KeyNewPage {
        let scope = try call.scope()
        return KeyNewPage(
            listHref: call.link(APIKeyRoute.list), action: call.link(APIKeyRoute.create),
            defaultDays: settings.defaultExpiryDays, allowed: GrantableScope.all.filter { scope.allows($0.scope) },
            typed: typed, problem: problem)
    }

    private func revokePage(
        _ id: Identifier<APIKey>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> KeyRevokePage {
        guard let key = try store(call.scope()).key(id), key.revokedAt == nil else { throw Problem.notFound }
        return KeyRevokePage(
            listHref: call.link(APIKeyRoute.list), action: call.link(APIKeyRoute.revoke(id)), name: key.name,
            prefix: key.prefix, used: key.lastUsedAt, typed: typed, problem: problem, now: world.now())
    }
}
