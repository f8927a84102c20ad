import AdminShell
import Domain
import HTTPKit
import LogKit
import TemplateKit
import TimeKit

/// Webhooks as people see and change them.
extension Webhooks {
    func listPage(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let part = try Listing<Webhook>(of: call.request)
        let store = store(scope)
        let found = try store.list(after: part.last, limit: part.limit + 1)
        let shown = Array(found.prefix(part.limit))
        let health = try health(of: shown.map(\.id), since: world.now() - .hours(24))
        return try call.page(
            WebhookListPage(
                canCreate: scope.allows(.write(.webhooks)), newHref: call.link(WebhookPageRoute.create),
                lines: shown.map { webhook in
                    .init(
                        webhook: webhook, health: health[webhook.id] ?? WebhookHealth(),
                        href: call.link(WebhookPageRoute.show(webhook.id)))
                },
                held: try Holder(scope, in: database).flatMap { try store.count(of: $0, in: database) },
                limit: settings.maxPerUser,
                firstHref: part.last == nil ? nil : call.link(WebhookPageRoute.list),
                nextHref: try call.link(WebhookPageRoute.list, next: part.next(found, \.id)), now: world.now()))
    }

    /// How many webhooks need a person: disabled, or failing for a while.
    public func attentionCount(_ scope: OrganizationScope) throws -> Int {
        try store(scope).needingSomebody(failingBefore: world.now() - WebhookRecord.patience)
    }

    // MARK: One webhook

    func webhookPage(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let query = try call.request.query()
        var input = Input(query)
        var filter = Self.filter(&input)
        let range = input.parsed("range", orSay: "Write 24h or 7d.") { FigureRange(rawValue: $0) } ?? .day
        let part = Listing<Delivery>(&input, usual: 10)
        guard input.isComplete else { throw input.refusal }
        filter.webhook = id
        let webhook = try find(id, scope)
        let log = log(scope)
        let found = try log.deliveries(filter, after: part.last, limit: part.limit + 1)
        let address = FilterAddress(call.link(WebhookPageRoute.show(id)), query)
        return try call.page(
            WebhookPage(
                webhook: webhook, signing: signing(webhook), headers: headerNames(of: webhook),
                connection: webhook.connection.flatMap { try neighbours.receiver($0, scope, database) }.map {
                    ($0.name, call.shell.site.mount + neighbours.connectionPath($0.id))
                },
                canWrite: scope.allows(.write(.webhooks)), links: WebhookLinks(id, call), address: address,
                range: range, figures: figures(of: id, since: world.now() - range.length),
                waiting: log.count(.init(webhook: id, state: .waiting), atMost: WebhookHealth.mostWaiting),
                filter: filter,
                deliveries: found.prefix(part.limit).map { ($0, call.link(WebhookPageRoute.delivery($0.id))) },
                testable: types(scope).all.filter { type in webhook.events.contains { $0.matches(type.name) } },
                firstHref: part.last == nil ? nil : address.setting([]),
                nextHref: found.count > part.limit
                    ? found.prefix(part.limit).last.map { address.setting([("cursor", call.cursor(after: $0.id))]) }
                    : nil,
                now: world.now()))
    }

    /// The kind of a webhook's signature, and the public key where it has one; nil when the secret cannot be opened.
    func signing(_ webhook: WebhookRecord) throws -> WebhookSigning? {
        do {
            let bytes = try vault.open(
                webhook.secretSealed, at: Self.place(webhook.id, "secret_sealed"), for: webhook.organization,
                in: database)
            return SigningSecret(String(decoding: bytes, as: UTF8.self)).map(WebhookSigning.init)
        } catch is VaultError {
            return nil
        }
    }

    private func headerNames(of webhook: WebhookRecord) throws -> [String] {
        do {
            return try headers(webhook, in: database).map(\.name)
        } catch is VaultError {
            return []
        }
    }

    // MARK: Making and changing

    private func receivers(_ scope: OrganizationScope) throws -> [Receiver] {
        scope.allows(.read(.connections)) ? try neighbours.receivers(scope) : []
    }

    func newPage(_ call: Call) throws -> Response { try call.page(newPage(call, typed: nil, problem: nil)) }

    /// Makes a webhook and shows its secret in the very answer, which nobody stores.
    func createWebhook(_ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(WebhookForm.meant(form))
            let scope = try call.scope()
            let terms = try reader(scope).filled(&input, isNew: true)
            guard input.isComplete else { throw input.refusal }
            let made = try create(terms, by: scope)
            return try secretPage(made.record, made.secret, isRolled: false, call)
        } orShow: { problem in
            try newPage(call, typed: form, problem: problem)
        }
    }

    private func newPage(_ call: Call, typed: Form?, problem: Problem?) throws -> WebhookNewPage {
        let scope = try call.scope()
        return WebhookNewPage(
            listHref: call.link(WebhookPageRoute.list), action: call.link(WebhookPageRoute.create),
            form: WebhookForm(
                types: try types(scope), webhook: nil, receivers: try receivers(scope), allowsHTTP: settings.allowsHTTP,
                typed: typed, problem: problem))
    }

    private func secretPage(
        _ record: WebhookRecord, _ secret: SigningSecret, isRolled: Bool, _ call: Call
    ) throws -> Response {
        try call.page(
            WebhookSecretPage(
                webhook: record, secret: secret.given, scheme: secret.scheme, isRolled: isRolled,
                showHref: call.link(WebhookPageRoute.show(record.id)),
                verifyHref: call.link(WebhookPageRoute.verify(record.id)), now: world.now())
        ).neverStored()
    }

    func editPage(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        // The whole URL may be a credential.
        try call.page(editPage(id, call, typed: nil, problem: nil)).neverStored()
    }

    func editWebhook(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(WebhookForm.meant(form))
            let seen = input.number("version", 1...Int64.max)
            let scope = try call.scope()
            let terms = try reader(scope).filled(&input, isNew: false)
            guard input.isComplete else { throw input.refusal }
            let webhook = try update(id, terms, by: scope) { record in
                guard seen == nil || seen == record.version else {
                    throw Problem.changedByAnother("webhook")
                }
            }
            return call.redirect(to: WebhookPageRoute.show(id), saying: "Webhook “\(webhook.name)” changed.")
        } orShow: { problem in
            try editPage(id, call, typed: form, problem: problem)
        }
    }

    private func editPage(
        _ id: Identifier<Webhook>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> WebhookEditPage {
        let scope = try call.scope()
        let webhook = try find(id, scope)
        return WebhookEditPage(
            webhook: webhook, showHref: call.link(WebhookPageRoute.show(id)),
            action: call.link(WebhookPageRoute.edit(id)),
            version: problem == nil ? webhook.version : typed?["version"].flatMap(Int64.init) ?? webhook.version,
            form: WebhookForm(
                types: try types(scope),
                webhook: (
                    webhook, webhook.connection == nil ? try url(of: webhook, in: database) : "",
                    try headerNames(of: webhook)
                ), receivers: try receivers(scope), allowsHTTP: settings.allowsHTTP, typed: typed, problem: problem))
    }

    // MARK: Rolling

    func rollPage(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        try call.page(rollPage(id, call, typed: nil, problem: nil))
    }

    /// Gives a webhook another secret and shows it in the very answer, as when it was made.
    func rollSecret(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let grace = input.required(
                "grace_seconds", input.number("grace_seconds", 0...Self.longestGrace.components.seconds))
            let (given, isAsymmetric) = reader(try call.scope()).read(secretOf: &input)
            guard let grace, input.isComplete else { throw input.refusal }
            let rolled = try roll(
                id, to: given, isAsymmetric: isAsymmetric, grace: .seconds(grace), by: call.scope())
            return try secretPage(rolled.record, rolled.secret, isRolled: true, call)
        } orShow: { problem in
            try rollPage(id, call, typed: form, problem: problem)
        }
    }

    private func rollPage(
        _ id: Identifier<Webhook>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> WebhookRollPage {
        let webhook = try find(id, call.scope())
        return WebhookRollPage(
            webhook: webhook, scheme: try signing(webhook)?.scheme, showHref: call.link(WebhookPageRoute.show(id)),
            action: call.link(WebhookPageRoute.roll(id)), typed: typed, problem: problem, now: world.now())
    }

    // MARK: Pausing, testing, ending

    func change(_ id: Identifier<Webhook>, isActive: Bool, _ call: Call) throws -> Response {
        try call.form().requireNothing()
        let webhook = try setActive(isActive, id, by: call.scope())
        return call.redirect(
            to: WebhookPageRoute.show(id),
            saying: isActive
                ? "Webhook “\(webhook.name)” goes on." : "Webhook “\(webhook.name)” paused. What happens is kept.")
    }

    /// Sends a test and leads to the delivery, which says in full what came of it.
    func testWebhook(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        var input = try call.form()
        let name = input.parsed("type", orSay: "Write the name of a kind of event.", 1...128) { EventName($0) }
        guard input.isComplete else { throw input.refusal }
        let scope = try call.scope()
        let webhook = try find(id, scope)
        let tried: (delivery: Identifier<Delivery>, attempted: Attempted)
        do {
            tried = try tryOut(webhook, name, by: scope)
        } catch let problem as Problem where [429, 503].contains(problem.status) {
            return call.redirect(to: WebhookPageRoute.show(id), saying: problem.detail, .warn)
        }
        let judgement = tried.attempted.judgement
        let took = tried.attempted.duration.latency
        return call.redirect(
            to: WebhookPageRoute.delivery(tried.delivery),
            saying: judgement.reason.map { "The test failed. \($0.sentence(status: judgement.status))" }
                ?? "The test was delivered: \(judgement.status ?? 0) after \(took).",
            judgement.reason == nil ? .good : .bad)
    }

    func removePage(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        try call.page(removePage(id, call, typed: nil, problem: nil))
    }

    func removeWebhook(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let confirmed = input.text("confirm_name", 1...400)
            guard let confirmed, input.isComplete else { throw input.refusal }
            try remove(id, by: call.scope()) { webhook in
                guard webhook.name == confirmed else {
                    throw Problem.invalid("confirm_name", "not_the_name", "This is not its name, “\(webhook.name)”.")
                }
            }
            return call.redirect(to: WebhookPageRoute.list, saying: "Webhook “\(confirmed)” removed.")
        } orShow: { problem in
            try removePage(id, call, typed: form, problem: problem)
        }
    }

    private func removePage(
        _ id: Identifier<Webhook>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> WebhookRemovePage {
        let scope = try call.scope()
        return WebhookRemovePage(
            webhook: try find(id, scope),
            waiting: try log(scope).count(.init(webhook: id, state: .waiting), atMost: WebhookHealth.mostWaiting),
            showHref: call.link(WebhookPageRoute.show(id)), action: call.link(WebhookPageRoute.remove(id)),
            typed: typed, problem: problem)
    }

    func verifyPage(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        var input = Input(try call.request.query())
        let language = input.parsed("language", orSay: "There is no such language here.") {
            ReceiverLanguage(rawValue: $0)
        }
        guard input.isComplete else { throw input.refusal }
        let webhook = try find(id, call.scope())
        return try call.page(
            VerifyPage(
                webhook: webhook, signing: signing(webhook), language: language ?? .python,
                links: WebhookLinks(id, call), site: call.shell.site.origin + call.shell.site.mount))
    }
}
