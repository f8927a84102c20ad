import AdminShell
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Events as people see and publish them.
extension Webhooks {
    func eventsPage(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let query = try call.request.query()
        var input = Input(query)
        let pattern = input.pattern("type")
        let sentence = "Write a day as 2027-01-31, or a time as 2027-01-31T00:00:00Z."
        let since = input.moment("since", orSay: sentence) { Timestamp(rfc3339: $0) ?? Self.day($0) }
        let until = input.moment("until", orSay: sentence) {
            Timestamp(rfc3339: $0) ?? Self.day($0).map { $0 + .days(1) }
        }
        let part = Listing<Event>(&input)
        guard input.isComplete else { throw input.refusal }
        let found = try log(scope).events(pattern, since: since, until: until, after: part.last, limit: part.limit + 1)
        let address = FilterAddress(call.link(WebhookPageRoute.events), query)
        return try call.page(
            EventListPage(
                address: address, canPublish: scope.allows(.write(.events)),
                newHref: call.link(WebhookPageRoute.publish), typesHref: call.link(WebhookPageRoute.types),
                names: types(scope).all.map(\.name.description),
                events: found.prefix(part.limit).map { ($0, call.link(WebhookPageRoute.event($0.id))) },
                firstHref: part.last == nil ? nil : address.setting([]),
                nextHref: try call.link(WebhookPageRoute.events, next: part.next(found, \.id)), now: world.now()))
    }

    private static func day(_ text: String) -> Timestamp? {
        text.utf8.count == 10 ? Timestamp(rfc3339: text + "T00:00:00Z") : nil
    }

    func eventPage(_ id: Identifier<Event>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let log = log(scope)
        guard let event = try log.event(id) else { throw Problem.notFound }
        let seesWebhooks = scope.allows(.read(.webhooks))
        let deliveries = seesWebhooks ? try log.deliveries(.init(event: id), after: nil, limit: 200) : []
        let webhooks = try store(scope).find(Set(deliveries.map(\.webhook)))
        let names = Dictionary(uniqueKeysWithValues: webhooks.map { ($0.id, $0.name) })
        let isDescribed = try EventName(event.type).map { try types(scope)[$0] != nil } ?? false
        return try call.page(
            EventPage(
                event: event, payload: payload(event, scope),
                typeHref: isDescribed ? call.link(WebhookPageRoute.type(event.type)) : nil,
                listHref: call.link(WebhookPageRoute.events),
                webhooksHref: seesWebhooks ? call.link(WebhookPageRoute.list) : nil,
                deliveries: deliveries.map {
                    ($0, names[$0.webhook], call.link(WebhookPageRoute.delivery($0.id)))
                }, now: world.now())
        ).neverStored()
    }

    // MARK: Publishing by hand

    private static let reader = FormJSON(objects: ["data"])

    func publishPage(_ call: Call) throws -> Response {
        var input = Input(try call.request.query())
        let name = input.parsed("type", orSay: "Write the name of a kind of event.", 1...128) { EventName($0) }
        guard input.isComplete else { throw input.refusal }
        return try call.page(publishPage(call, name: name, typed: nil, problem: nil))
    }

    func publishEvent(_ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            let scope = try call.scope()
            let event = try event(try Self.reader.body(form), at: nil, types: types(scope), scope)
            let taken = try take([event], for: scope.organization)[0]
            return call.redirect(
                to: WebhookPageRoute.event(taken.id),
                saying: taken.isRepetition
                    ? "An event with this id was taken before; this is it."
                    : "Published. It goes to \(taken.deliveries.counted("webhook", "webhooks")).",
                taken.isRepetition ? .warn : .good)
        } orShow: { problem in
            try publishPage(call, name: nil, typed: form, problem: Self.reader.folded(problem))
        }
    }

    private func publishPage(_ call: Call, name: EventName?, typed: Form?, problem: Problem?) throws -> PublishPage {
        let types = try types(call.scope())
        return PublishPage(
            listHref: call.link(WebhookPageRoute.events), action: call.link(WebhookPageRoute.publish),
            typesHref: call.link(WebhookPageRoute.types), name: name?.description,
            example: name.flatMap { types[$0]?.example }, typed: typed, problem: problem)
    }
}
