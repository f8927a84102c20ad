import AdminShell
import Domain
import HTTPKit
import TimeKit

/// What came in, as people see it and have it published again.
extension Inbound {
    func eventsPage(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let query = try call.request.query()
        var input = Input(query)
        let filter = Self.filter(&input)
        let part = Listing<InboundEvent>(&input)
        guard input.isComplete else { throw input.refusal }
        let found = try events(scope).list(filter, after: part.last, limit: part.limit + 1)
        return try call.page(
            InboundEventListPage(
                tabs: tabs(call, isEvents: true), action: call.link(InboundPageRoute.events),
                chosen: .init(
                    provider: filter.provider ?? "", type: filter.type ?? "", state: filter.state?.rawValue ?? "",
                    source: filter.source?.text ?? ""),
                providers: neighbours.providers.map { ($0.key, $0.name) },
                events: found.prefix(part.limit).map { event in
                    (
                        event, name(of: event.origin.provider), tile(of: event.origin.provider),
                        call.link(InboundPageRoute.event(event.id))
                    )
                },
                replayHref: scope.allows(.write(.events)) ? call.link(InboundPageRoute.replayAll) : nil,
                sourcesHref: scope.allows(.read(.webhooks)) ? call.link(InboundPageRoute.sources) : nil,
                firstHref: part.last == nil ? nil : call.link(InboundPageRoute.events),
                nextHref: try call.link(InboundPageRoute.events, next: part.next(found, \.id)), now: world.now()))
    }

    func eventPage(_ id: Identifier<InboundEvent>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        guard let (event, envelope) = try events(scope).find(id) else { throw Problem.notFound }
        let hasSource = event.sourceName != nil && scope.allows(.read(.webhooks))
        return try call.page(
            InboundEventPage(
                event: event, provider: name(of: event.origin.provider), envelope: envelope,
                names: envelope.map { Telling(event).names(of: $0) } ?? [],
                listHref: call.link(InboundPageRoute.events),
                sourceHref: hasSource ? call.link(InboundPageRoute.source(event.origin.source)) : nil,
                replayAction: scope.allows(.write(.events)) && event.state != .waiting
                    ? call.link(InboundPageRoute.replay(id)) : nil,
                now: world.now())
        ).neverStored()
    }

    func replayEvent(_ id: Identifier<InboundEvent>, _ call: Call) throws -> Response {
        let input = try call.form()
        guard input.isComplete else { throw input.refusal }
        _ = try replay(id, by: call.scope())
        return call.redirect(to: InboundPageRoute.event(id), saying: "It is published again.")
    }

    /// The form; with what was asked for already where there are more than are published at once.
    func replayPage(_ call: Call) throws -> Response {
        try call.page(replayPage(call, typed: call.request.query(), problem: nil))
    }

    func replayEvents(_ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let range = try ReplayRange(&input)
            let (count, next) = try replay(range, by: call.scope())
            let told = "\(count.counted("event is", "events are")) published again"
            guard let next else { return call.redirect(to: InboundPageRoute.events, saying: told + ".") }
            let asked = form.pairs.filter { Self.replayFields.contains($0.name) && !$0.value.isEmpty }
            let query = Form(pairs: asked + [("after_id", next.text)]).urlencoded
            return call.redirect(
                toPath: "\(InboundPageRoute.replayAll.path)?\(query)", saying: "\(told), and there are more.")
        } orShow: { problem in
            replayPage(call, typed: form, problem: problem)
        }
    }

    private static let replayFields: Set<String> = ["since", "until", "source_id", "provider", "type", "state"]

    private func replayPage(_ call: Call, typed: Form, problem: Problem?) -> InboundReplayPage {
        InboundReplayPage(
            listHref: call.link(InboundPageRoute.events), action: call.link(InboundPageRoute.replayAll),
            providers: neighbours.providers.map { ($0.key, $0.name) }, most: settings.mostReplayed,
            after: typed["after_id"].flatMap { Identifier($0) }, typed: typed, problem: problem)
    }

    // MARK: Why requests were refused

    func debugPage(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        try call.page(
            debugPage(try examined(id, call.scope()), nil, nil, typed: nil, problem: nil, call)
        ).neverStored()
    }

    func debugPasted(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        let source = try examined(id, call.scope())
        return try call.perform {
            var input = Input(form)
            _ = input.text("headers", 1...65_536)
            _ = input.optionalText("body", 0...1_048_576)
            let url = input.parsed("url", orSay: "This is the whole address, such as https://….", 1...8_192) { text in
                PublicAddress(text) == nil ? nil : text
            }
            let moment = input.parsed("received_at", orSay: "Write a time as 2027-01-31T00:00:00Z.", 1...40) {
                Timestamp(rfc3339: $0)
            }
            guard input.isComplete else { throw input.refusal }
            let pasted = PastedRequest(pasted: form)
            let examination = try examine(
                Arrival(
                    url: url ?? self.url(source.address, call), headers: pasted.headers ?? [:], body: pasted.body),
                source, at: moment ?? world.now())
            return try call.page(debugPage(source, examination, nil, typed: form, problem: nil, call)).neverStored()
        } orShow: { problem in
            try debugPage(source, nil, nil, typed: form, problem: problem, call)
        }
    }

    func refusalPage(_ id: Identifier<InboundRefusal>, _ call: Call) throws -> Response {
        let found = try refused(id, call.scope())
        let examination = try found.envelope == nil ? nil : examine(found.record, found.envelope, found.source)
        let kept = DebugPage.Kept(refusal: found.record, envelope: found.envelope.map { found.source.shown($0) })
        return try call.page(
            debugPage(found.source, examination, kept, typed: nil, problem: nil, call)
        ).neverStored()
    }

    private func debugPage(
        _ source: ExaminedSource, _ examination: Examination?, _ kept: DebugPage.Kept?, typed: Form?,
        problem: Problem?, _ call: Call
    ) throws -> DebugPage {
        // Where a request is looked at, others do not matter.
        let isAlone = examination != nil || kept != nil
        let refused =
            try isAlone
            ? [] : refusals.list(of: source.id, call.scope().organization, after: nil, limit: RefusalStore.most)
        return DebugPage(
            name: source.name, showHref: call.shell.site.mount + source.path,
            action: call.link(InboundPageRoute.debug(source.id)), examination: examination, kept: kept,
            refusals: isAlone
                ? nil : refused.map { (refusal: $0, href: call.link(InboundPageRoute.refusal($0.id))) }, typed: typed,
            problem: problem, now: world.now())
    }
}
