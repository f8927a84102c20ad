import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Events as scripts publish and see them.
extension Webhooks {
    /// The most events of one request.
    static let mostEvents = 1_000

    /// Takes an event: 202 once it and all of its deliveries are committed.
    func postEvent(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let body = try call.request.json()
        let taken =
            try takenFromMemory(body, scope)
            ?? take([event(body, at: nil, types: types(of: body, scope), scope)], for: scope.organization)[0]
        return .json(Self.json(taken), status: 202).with("location", call.link(WebhookRoute.eventJSON(taken.id)))
    }

    /// Takes an event whose kind is judged by what is remembered of it.
    ///
    /// - Returns: nil when nothing is, when it refuses the event, or when it has changed meanwhile: the database has the
    ///   word then.
    private func takenFromMemory(_ body: JSON, _ scope: OrganizationScope) throws -> TakenEvent? {
        guard let name = describable(in: body),
            let description = audiences.remembered(name, of: scope.organization)
        else { return nil }
        let types = EventTypes(own: description.type.map { [$0] } ?? [])
        guard let event = try? event(body, at: nil, types: types, generation: description.generation, scope)
        else { return nil }
        do {
            return try take([event], for: scope.organization)[0]
        } catch is Outdated {
            return nil
        }
    }

    /// Takes up to a thousand events, all or none.
    func postEvents(_ call: Call) throws -> Response {
        let scope = try call.scope()
        guard let members = try call.request.json().members, members.count == 1, members[0].name == "events",
            let items = members[0].value.elements, (1...Self.mostEvents).contains(items.count)
        else {
            throw Problem.invalid(
                "events", "invalid", "Send {\"events\": […]} with 1 to \(Self.mostEvents) events and nothing else.")
        }
        let types = try types(scope)
        var errors: [Problem.FieldError] = []
        var events: [NewEvent] = []
        for (index, item) in items.enumerated() {
            do {
                events.append(try event(item, at: index, types: types, scope))
            } catch let problem as Problem {
                errors += problem.errors
            }
            guard errors.count < 20 else { break }
        }
        guard errors.isEmpty else { throw Problem.invalid(errors) }
        return .json(["data": .array(try take(events, for: scope.organization).map(Self.json))], status: 202)
    }

    /// Reads one event.
    ///
    /// - Parameters:
    ///   - index: its place in a batch, which the names of its fields then begin with.
    ///   - generation: of the kinds, where these were remembered.
    func event(
        _ body: JSON, at index: Int?, types: EventTypes, generation: Int64? = nil, _ scope: OrganizationScope
    ) throws -> NewEvent {
        do {
            var input = try Input(body)
            let name = input.required(
                "type",
                input.parsed("type", orSay: "Write letters, digits and _, joined by dots: user.created.", 1...128) {
                    EventName($0)
                })
            let key = input.optionalText("id", 1...256)
            let order = input.optionalText("ordering_key", 1...128)
            let moment = input.moment("timestamp")
            let data = input.members("data").map(JSON.object) ?? input.required("data", nil)
            if let name, let data { types.check(name, data, &input) }
            guard let name, let data, input.isComplete else { throw input.refusal }
            let event = NewEvent(
                Identifier(world), key: key, name, data, orderingKey: order, source: .api,
                at: moment ?? world.now(), generation: generation)
            guard event.body.count <= NewEvent.mostBytes else {
                throw Problem.invalid(
                    "data", "too_large",
                    "An event has at most \(NewEvent.mostBytes) bytes; this has \(event.body.count).")
            }
            return event
        } catch let problem as Problem {
            guard let index else { throw problem }
            throw Problem.invalid(
                problem.errors.map { error in
                    .init(field: "events.\(index).\(error.field)", code: error.code, detail: error.detail)
                }
                    + (problem.errors.isEmpty
                        ? [.init(field: "events.\(index)", code: problem.code, detail: problem.detail)] : []))
        }
    }

    static func json(_ event: TakenEvent) -> JSON {
        [
            "id": .string(event.id.text), "type": .string(event.name.description), "event_id": JSON(event.key),
            "deliveries": .integer(Int64(event.deliveries)), "is_repetition": .bool(event.isRepetition),
            "created_at": JSON(event.createdAt),
        ]
    }

    func eventsJSON(_ call: Call) throws -> Response {
        var input = Input(try call.request.query())
        let pattern = input.pattern("type")
        let (since, until) = (input.moment("since"), input.moment("until"))
        let part = Listing<Event>(&input)
        guard input.isComplete else { throw input.refusal }
        let found = try log(call.scope()).events(
            pattern, since: since, until: until, after: part.last, limit: part.limit + 1)
        return try call.list(
            found.prefix(part.limit).map(Self.json), next: part.next(found, \.id), at: WebhookRoute.eventsJSON)
    }

    func eventJSON(_ id: Identifier<Event>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let log = log(scope)
        guard let event = try log.event(id), case .object(let members) = Self.json(event) else {
            throw Problem.notFound
        }
        let deliveries = try log.deliveries(.init(event: id), after: nil, limit: 200)
        return .json(
            .object(
                members + [
                    JSON.Member("payload", try payload(event, scope) ?? .null),
                    JSON.Member("deliveries", .array(deliveries.map { Self.json($0) })),
                ]))
    }

    /// What is sent of an event; nil when it cannot be opened.
    func payload(_ event: EventRecord, _ scope: OrganizationScope) throws -> JSON? {
        do {
            let bytes = try vault.open(
                event.bodySealed, at: EventStore.place(event.id), for: scope.organization, in: database)
            return try JSON(parsing: bytes)
        } catch is VaultError {
            return nil
        }
    }

    static func json(_ event: EventRecord) -> JSON {
        [
            "id": .string(event.id.text), "type": .string(event.type), "event_id": JSON(event.key),
            "source": .string(event.source.rawValue), "ordering_key": JSON(event.orderingKey),
            "bytes": .integer(Int64(event.bodyBytes)), "delivery_count": .integer(Int64(event.deliveries)),
            "timestamp": JSON(event.occurredAt), "created_at": JSON(event.createdAt),
        ]
    }

    func log(_ scope: OrganizationScope) -> LogStore { LogStore(database: database, world: world, scope: scope) }
}
