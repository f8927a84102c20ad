import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Kinds of events as scripts describe and see them.
extension Webhooks {
    func types(_ scope: OrganizationScope) throws -> EventTypes { EventTypes(own: try typeStore(scope).all()) }

    /// The kinds that an event is judged by: those built in are known without asking, and cannot be described anew.
    func types(of body: JSON, _ scope: OrganizationScope) throws -> EventTypes {
        guard let name = describable(in: body) else { return EventTypes(own: []) }
        return EventTypes(own: try audiences.find(name, in: typeStore(scope)).map { [$0] } ?? [])
    }

    /// The name of an event's kind, unless it is none or one that is built in.
    func describable(in body: JSON) -> EventName? {
        guard let name = body["type"]?.text.flatMap({ EventName($0) }),
            !EventType.builtIn.contains(where: { $0.name == name })
        else { return nil }
        return name
    }

    private func typeStore(_ scope: OrganizationScope) -> EventTypeStore {
        EventTypeStore(database: database, world: world, organization: scope.organization)
    }

    func typesJSON(_ call: Call) throws -> Response {
        .json(["data": .array(try types(call.scope()).all.map(Self.json)), "next_cursor": .null])
    }

    func typeJSON(_ text: String, _ call: Call) throws -> Response {
        guard let name = EventName(text), let type = try types(call.scope())[name] else { throw Problem.notFound }
        return .json(Self.json(type)).tagged(entityTag(version: type.version))
    }

    func postType(_ call: Call) throws -> Response {
        let made = try describe(call.json(), by: call.scope())
        return .json(Self.json(made), status: 201).with(
            "location", call.link(WebhookRoute.typeJSON(made.name.description))
        )
        .tagged(entityTag(version: made.version))
    }

    /// Describes another kind of event.
    ///
    /// - Throws: `Problem` that names what is refused; 409 for a kind that there is, or when there are too many.
    func describe(_ given: Input, by scope: OrganizationScope) throws -> EventType {
        var input = given
        let name = input.required(
            "name",
            input.parsed("name", orSay: "Write letters, digits and _, joined by dots: order.shipped.", 1...128) {
                EventName($0)
            })
        let terms = Self.terms(&input, isNew: true)
        if let name, EventType.isReserved(name) || EventType.builtIn.contains(where: { $0.name == name }) {
            input.refuse("name", "built_in", "This kind is the hub's own.")
        }
        guard let name, input.isComplete else { throw input.refusal }
        let store = typeStore(scope)
        return try database.transaction { transaction in
            guard try store.lock(name, in: transaction) == nil else {
                throw Problem(409, "event_type_exists", "There is a kind of event called “\(name)” already.")
            }
            guard try store.count(in: transaction) < EventTypeStore.most else {
                throw Problem(
                    409, "too_many_event_types", "There may be at most \(EventTypeStore.most) kinds of events.")
            }
            return try write(
                EventType(name, terms, over: nil, now: world.now()), "event_type.created", store, scope, transaction)
        }
    }

    func patchType(_ text: String, _ call: Call) throws -> Response {
        let changed = try describe(text, anew: call.json(), by: call.scope()) { type in
            try call.request.requireMatch(entityTag(version: type.version))
        }
        return .json(Self.json(changed)).tagged(entityTag(version: changed.version))
    }

    /// Changes what is said of a kind.
    ///
    /// - Parameter check: refuses when the caller has seen another version.
    func describe(
        _ text: String, anew given: Input, by scope: OrganizationScope, check: (EventType) throws -> Void
    ) throws -> EventType {
        var input = given
        let terms = Self.terms(&input, isNew: false)
        guard input.isComplete else { throw input.refusal }
        let store = typeStore(scope)
        return try database.transaction { transaction in
            guard let name = EventName(text), let type = try store.lock(name, in: transaction) else {
                throw Problem.notFound
            }
            try check(type)
            return try write(
                EventType(name, terms, over: type, now: world.now()), "event_type.updated", store, scope, transaction)
        }
    }

    func deleteType(_ text: String, _ call: Call) throws -> Response {
        try forget(text, by: call.scope()) { try call.request.requireMatch(entityTag(version: $0.version)) }
        return .noContent
    }

    /// Forgets the description; events that were taken stay.
    func forget(
        _ text: String, by scope: OrganizationScope, check: (EventType) throws -> Void = { _ in }
    ) throws {
        let store = typeStore(scope)
        try database.transaction { transaction in
            guard let name = EventName(text), let type = try store.lock(name, in: transaction) else {
                throw Problem.notFound
            }
            try check(type)
            try store.delete(name, in: transaction)
            try audit.record(
                "event_type.deleted", .init("event_type", nil as Identifier<Event>?, name: text), by: scope,
                in: transaction)
            try noteChange(in: transaction)
        }
    }

    private func write(
        _ type: EventType, _ action: String, _ store: EventTypeStore, _ scope: OrganizationScope,
        _ transaction: Transaction
    ) throws -> EventType {
        try store.write(type, in: transaction)
        try audit.record(
            action, .init("event_type", nil as Identifier<Event>?, name: type.name.description), by: scope,
            in: transaction)
        let written = try store.lock(type.name, in: transaction) ?? type
        try noteChange(in: transaction)
        return written
    }

    // MARK: -

    /// What is said of a kind; nil leaves what is, `.some(nil)` removes it.
    struct TypeTerms {
        var description: String?
        var schema: SchemaRule??
        var example: JSON??
        var isDeprecated: Bool?
    }

    private static func terms(_ input: inout Input, isNew: Bool) -> TypeTerms {
        var terms = TypeTerms()
        terms.description = isNew ? input.text("description", 1...500) : input.optionalText("description", 1...500)
        if input.isGiven("schema") {
            terms.schema = .some(nil)
            if let members = input.members("schema") {
                do throws(SchemaRule.Mistake) {
                    terms.schema = .some(try SchemaRule(.object(members)))
                } catch {
                    input.refuse(
                        "schema" + error.pointer.replacing("/", with: "."), "invalid_schema", error.detail)
                }
            }
        }
        if case .some(.some(let schema)) = terms.schema, schema.json.bytes.count > EventType.mostBytes {
            input.refuse("schema", "too_large", "A schema has at most \(EventType.mostBytes) bytes.")
        }
        if input.isGiven("example") { terms.example = .some(input.members("example").map(JSON.object)) }
        if case .some(.some(let example)) = terms.example, example.bytes.count > EventType.mostBytes {
            input.refuse("example", "too_large", "An example has at most \(EventType.mostBytes) bytes.")
        }
        terms.isDeprecated = input.truth("deprecated")
        if case .some(.some(let schema)) = terms.schema, case .some(.some(let example)) = terms.example,
            let fault = schema.faults(in: example).first
        {
            input.refuse("example", "breaks_schema", "\(fault.place): \(fault.detail)")
        }
        return terms
    }

    static func json(_ type: EventType) -> JSON {
        [
            "name": .string(type.name.description), "description": .string(type.description),
            "schema": type.schema?.json ?? .null, "example": type.example ?? .null,
            "deprecated": .bool(type.deprecatedAt != nil), "deprecated_at": JSON(type.deprecatedAt),
            "built_in": .bool(type.isBuiltIn),
        ]
    }
}

extension EventType {
    /// A kind as it was, with what is said of it now.
    fileprivate init(_ name: EventName, _ terms: Webhooks.TypeTerms, over old: EventType?, now: Timestamp) {
        let deprecatedAt: Timestamp? =
            switch terms.isDeprecated {
            case true?: old?.deprecatedAt ?? now
            case false?: nil
            case nil: old?.deprecatedAt
            }
        self.init(
            name: name, description: terms.description ?? old?.description ?? "",
            schema: terms.schema ?? old?.schema, example: terms.example ?? old?.example, deprecatedAt: deprecatedAt,
            version: old?.version ?? 1)
    }
}
