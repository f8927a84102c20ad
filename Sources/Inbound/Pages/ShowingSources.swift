import AdminShell
import Domain
import HTTPKit
import LogKit
import TimeKit

/// Sources as people see and change them.
extension Inbound {
    func sourcesPage(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let part = try Listing<InboundSource>(of: call.request)
        let found = try store(scope).list(after: part.last, limit: part.limit + 1)
        let shown = Array(found.prefix(part.limit))
        let mayRead = scope.allows(.read(.events))
        let latest = try mayRead ? events(scope).latest(of: shown.map(\.id)) : [:]
        return try call.page(
            SourceListPage(
                tabs: tabs(call, isEvents: false), canCreate: scope.allows(.write(.webhooks)),
                newHref: call.link(InboundPageRoute.newSource),
                lines: shown.map { source in
                    .init(
                        source: source, provider: name(of: source.provider), tile: tile(of: source.provider),
                        latest: latest[source.id], href: call.link(InboundPageRoute.source(source.id)))
                },
                dead: mayRead ? try events(scope).dead(atMost: Self.mostCounted) : 0,
                deadHref: call.link(InboundPageRoute.events) + "?state=dead",
                firstHref: part.last == nil ? nil : call.link(InboundPageRoute.sources),
                nextHref: try call.link(InboundPageRoute.sources, next: part.next(found, \.id)), now: world.now()))
    }

    /// The most events put aside that are counted.
    private static let mostCounted = 1_000

    /// How many things need a person: sources that refuse everything, and events that were put aside.
    public func attentionCount(_ scope: OrganizationScope) throws -> Int {
        let closed = try store(scope).count(in: database).closed
        return try scope.allows(.read(.events)) ? closed + events(scope).dead(atMost: 100) : closed
    }

    func sourcePage(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let source = try find(id, scope)
        let canWrite = scope.allows(.write(.webhooks))
        var filter = InboundEventStore.Filter()
        filter.source = id
        let latest = try scope.allows(.read(.events)) ? events(scope).list(filter, after: nil, limit: 10) : []
        let refused = try refusals.list(of: id, scope.organization, after: nil, limit: RefusalStore.most)
        return try call.page(
            SourcePage(
                source: source, provider: name(of: source.provider), canWrite: canWrite,
                url: canWrite ? url(source.address, call) : nil, links: links(source, call),
                events: latest.map { ($0, call.link(InboundPageRoute.event($0.id))) },
                refusals: refused.map { ($0, canWrite ? call.link(InboundPageRoute.refusal($0.id)) : nil) },
                now: world.now())
        ).neverStored()
    }

    private func links(_ source: SourceRecord, _ call: Call) -> SourcePage.Links {
        let id = source.id
        return SourcePage.Links(
            list: call.link(InboundPageRoute.sources), edit: call.link(InboundPageRoute.edit(id)),
            secret: call.link(InboundPageRoute.rotateSecret(id)),
            address: call.link(InboundPageRoute.rotateAddress(id)),
            token: call.link(InboundPageRoute.token(id)), remove: call.link(InboundPageRoute.remove(id)),
            debug: call.link(InboundPageRoute.debug(id)),
            events: call.link(InboundPageRoute.events) + "?source_id=\(id)",
            connection: source.connection.map { call.shell.site.mount + neighbours.connectionPath($0) })
    }

    // MARK: Making

    func newSourcePage(_ call: Call) throws -> Response {
        var input = Input(try call.request.query())
        let provider = input.optionalText("provider", 1...64)
        guard input.isComplete else { throw input.refusal }
        guard let provider else { return try call.page(choicePage(call)) }
        return try call.page(newPage(provider, call, typed: nil, problem: nil))
    }

    private func choicePage(_ call: Call) -> ServiceChoicePage {
        let own = neighbours.providers.map { (provider: $0, choices: SchemeName.choices(for: $0.key)) }
        let sorted = own.filter { $0.choices != SchemeName.open } + own.filter { $0.choices == SchemeName.open }
        return ServiceChoicePage(
            listHref: call.link(InboundPageRoute.sources),
            services: sorted.map { one in
                (
                    one.provider.name, one.choices.map(\.words).joined(separator: ", or "), tile(of: one.provider.key),
                    call.link(InboundPageRoute.newSource) + "?provider=\(one.provider.key)"
                )
            })
    }

    private func newPage(
        _ provider: String, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> SourceNewPage {
        guard neighbours.providers.contains(where: { $0.key == provider }) else { throw Problem.notFound }
        return SourceNewPage(
            provider: provider, name: name(of: provider), choices: SchemeName.choices(for: provider),
            connections: try neighbours.connections(call.scope()).filter { $0.provider == provider },
            listHref: call.link(InboundPageRoute.sources), action: call.link(InboundPageRoute.newSource), typed: typed,
            problem: problem)
    }

    /// Makes a source and shows what was made for it in the very answer, which nobody stores.
    func createSource(_ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            let scope = try call.scope()
            var input = Input(Self.meant(form))
            let new = try newTerms(&input, scope)
            guard let new, input.isComplete else { throw input.refusal }
            let made = try create(new, by: scope)
            return try madePage(
                made, "Source “\(made.record.name)” is ready", "Give the service what stands below.", call)
        } orShow: { problem in
            try newPage(form["provider"] ?? "", call, typed: form, problem: problem)
        }
    }

    /// A form without the fields of a way of signing that was not chosen.
    private static func meant(_ form: Form) -> Form {
        guard form["scheme"] != SchemeName.hmac.rawValue || (form["hmac.header"] ?? "").isEmpty else { return form }
        return Form(pairs: form.pairs.filter { !$0.name.hasPrefix("hmac.") })
    }

    func madePage(_ made: Made, _ heading: String, _ lead: String, _ call: Call) throws -> Response {
        let record = made.record
        var values = [("url", "Address", url(record.address, call), false)]
        if let secret = made.secret { values.append(("secret", "Secret", secret.reveal { $0 }, true)) }
        if let challenge = made.challenge {
            values.append(("verify-token", "Verify token", challenge.reveal { $0 }, true))
        }
        return try call.page(
            SourceMadePage(
                heading: heading, lead: lead, values: values, next: record.nextSteps,
                showHref: call.link(InboundPageRoute.source(record.id)))
        ).neverStored()
    }

    // MARK: Changing

    func editPage(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        try call.page(editPage(id, call, typed: nil, problem: nil))
    }

    func editSource(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            let scope = try call.scope()
            var input = Input(form)
            let seen = input.number("version", 1...Int64.max)
            let terms = SourceTermsReader.read(&input, scheme: try find(id, scope).scheme)
            guard input.isComplete else { throw input.refusal }
            let source = try update(id, terms, by: scope) { record in
                guard seen == nil || seen == record.version else {
                    throw Problem.changedByAnother("source")
                }
            }
            return call.redirect(to: InboundPageRoute.source(id), saying: "Source “\(source.name)” changed.")
        } orShow: { problem in
            try editPage(id, call, typed: form, problem: problem)
        }
    }

    private func editPage(
        _ id: Identifier<InboundSource>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> SourceEditPage {
        let source = try find(id, call.scope())
        return SourceEditPage(
            source: source, showHref: call.link(InboundPageRoute.source(id)),
            action: call.link(InboundPageRoute.edit(id)), version: source.version, typed: typed, problem: problem)
    }
}

extension SourceRecord {
    /// What is to be done at the service.
    fileprivate var nextSteps: [String] {
        var steps = ["Paste the address at the service as its webhook or event URL."]
        switch scheme {
        case .meta: steps.append("Paste the verify token beside it; Meta asks for it at once.")
        case .notion: steps.append("Notion then sends a verification token, which appears on the source’s page.")
        case .google: steps.append("Give the token to each watch, as params.token beside the address.")
        case .telegram: steps.append("Give the secret to setWebhook as secret_token.")
        case .graph: steps.append("Give the secret to each subscription as clientState.")
        case .bearer: steps.append("The sender puts the secret behind Authorization: Bearer.")
        case _ where scheme.isSecretOurs: steps.append("Paste the secret beside it.")
        default: break
        }
        if secretSealed == nil, scheme != .notion {
            steps.append("Come back and set the secret: until then it refuses everything.")
        }
        return steps
    }
}
