import AdminShell
import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// What came in, as scripts see it and have it published again.
extension Inbound {
    func events(_ scope: OrganizationScope) -> InboundEventStore {
        InboundEventStore(database: database, world: world, vault: vault, scope: scope)
    }

    func eventsJSON(_ call: Call) throws -> Response {
        var input = Input(try call.request.query())
        let filter = Self.filter(&input)
        let part = Listing<InboundEvent>(&input)
        guard input.isComplete else { throw input.refusal }
        let found = try events(call.scope()).list(filter, after: part.last, limit: part.limit + 1)
        return try call.list(
            found.prefix(part.limit).map { .object(Self.members($0)) }, next: part.next(found, \.id),
            at: InboundRoute.events)
    }

    /// Which events are meant.
    static func filter(_ input: inout Input) -> InboundEventStore.Filter {
        let sentence = "Write a time as 2027-01-31T00:00:00Z, of 1970 or later."
        var filter = InboundEventStore.Filter()
        filter.source = input.parsed("source_id", orSay: "This is the id of a source.") {
            Identifier<InboundSource>($0)
        }
        filter.provider = input.optionalText("provider", 1...64)
        filter.type = input.optionalText("type", 1...64)
        filter.state = input.parsed("state", orSay: "This is waiting, published or dead.", 1...20) {
            InboundEventRecord.State(rawValue: $0)
        }
        filter.since = input.parsed("since", orSay: sentence, 1...40, by: moment)
        filter.until = input.parsed("until", orSay: sentence, 1...40, by: moment)
        return filter
    }

    /// A time that the database can keep.
    private static func moment(_ text: String) -> Timestamp? {
        guard let moment = Timestamp(rfc3339: text), (0..<253_402_300_800).contains(moment.seconds) else { return nil }
        return moment
    }

    func eventJSON(_ id: Identifier<InboundEvent>, _ call: Call) throws -> Response {
        guard let (record, envelope) = try events(call.scope()).find(id) else { throw Problem.notFound }
        var members = Self.members(record)
        members.append(
            .init(
                "headers",
                envelope.map { .array($0.shown.map { ["name": .string($0.name), "value": .string($0.value)] }) }
                    ?? .null))
        // As text where it is one, else as the bytes it is.
        let text = envelope.flatMap { String(validating: $0.body, as: UTF8.self) }
        members.append(.init("body", JSON(text)))
        members.append(.init("body_base64", JSON(text == nil ? envelope.map { Base64.encode($0.body) } : nil)))
        return .json(.object(members)).neverStored()
    }

    func replayJSON(_ id: Identifier<InboundEvent>, _ call: Call) throws -> Response {
        let input = try call.json()
        guard input.isComplete else { throw input.refusal }
        let record = try replay(id, by: call.scope())
        return .json(.object(Self.members(record)), status: 202)
            .with("location", call.link(InboundRoute.event(id)))
    }

    func replayAllJSON(_ call: Call) throws -> Response {
        var input = try call.json()
        let (count, next) = try replay(ReplayRange(&input), by: call.scope())
        return .json(
            [
                "replayed": JSON(count), "may_have_more": .bool(next != nil), "next_after_id": JSON(next?.text),
            ], status: 202)
    }

    // MARK: Doing it again

    /// Which events are to be published again.
    struct ReplayRange {
        let filter: InboundEventStore.Filter
        /// The last of those that were published again before.
        let last: Identifier<InboundEvent>?

        /// Reads it from a form or from JSON alike.
        ///
        /// - Throws: `Problem` 422, also when nothing says from when on.
        init(_ input: inout Input) throws {
            filter = Inbound.filter(&input)
            last = input.parsed("after_id", orSay: "This is the id of an event.") { Identifier<InboundEvent>($0) }
            if input.isComplete, filter.since == nil { _ = input.required("since", filter.since) }
            guard input.isComplete else { throw input.refusal }
        }
    }

    /// Has one event published again.
    ///
    /// - Throws: `Problem` 404; 409 while it waits to be published anyway.
    func replay(_ id: Identifier<InboundEvent>, by scope: OrganizationScope) throws -> InboundEventRecord {
        let store = events(scope)
        guard let (record, _) = try store.find(id) else { throw Problem.notFound }
        try database.transaction { transaction in
            guard try store.replay(id, in: transaction) else {
                throw Problem(409, "event_waits", "This event waits to be published anyway.")
            }
            try audit.record(
                "inbound_event.replayed", .init("inbound_event", id, name: "\(record.origin.provider) \(record.type)"),
                by: scope, in: transaction)
        }
        wake()
        return try store.find(id)?.record ?? record
    }

    /// Has published again what matches, as many as are done at once.
    ///
    /// - Returns: how many, and the last of them when there are more.
    func replay(
        _ range: ReplayRange, by scope: OrganizationScope
    ) throws -> (count: Int, next: Identifier<InboundEvent>?) {
        let (store, filter) = (events(scope), range.filter)
        let done = try database.transaction(isolation: .readCommitted) { transaction in
            let done = try store.replay(filter, after: range.last, atMost: settings.mostReplayed, in: transaction)
            try audit.record(
                "inbound_event.replayed_many", .init("inbound_source", filter.source, name: "Inbound events"),
                details: [
                    "count": JSON(done.count), "since": JSON(filter.since), "until": JSON(filter.until),
                    "type": JSON(filter.type), "provider": JSON(filter.provider), "state": JSON(filter.state?.rawValue),
                ], by: scope, in: transaction)
            return done
        }
        wake()
        return done
    }

    static func members(_ record: InboundEventRecord) -> [JSON.Member] {
        let origin = record.origin
        return [
            .init("id", .string(record.id.text)), .init("source_id", .string(origin.source.text)),
            .init("source_name", JSON(record.sourceName)), .init("provider", .string(origin.provider)),
            .init("type", .string(record.type)), .init("event_id", .string(record.key)),
            .init("state", .string(record.state.rawValue)),
            .init(
                "verdict", ["verified": true, "scheme": JSON(record.scheme?.rawValue), "key": .string(record.knownBy)]),
            .init("connection_id", JSON(origin.connection?.text)),
            .init("integration_id", JSON(origin.integration?.text)),
            .init("workspace_id", JSON(origin.workspace?.text)), .init("bytes", JSON(record.bodyBytes)),
            .init("times", JSON(record.times)), .init("attempts", JSON(record.attempts)),
            .init("replays", JSON(record.replays)), .init("error", JSON(record.lastError)),
            .init("received_at", JSON(record.received)), .init("published_at", JSON(record.publishedAt)),
            .init("next_attempt_at", JSON(record.state == .waiting ? record.nextAt : nil)),
        ]
    }
}
