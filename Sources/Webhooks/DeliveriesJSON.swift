import AdminShell
import ClientKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Deliveries as scripts see them and send them again.
extension Webhooks {
    func deliveriesJSON(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        var input = Input(try call.request.query())
        var filter = Self.filter(&input)
        let part = Listing<Delivery>(&input)
        guard input.isComplete else { throw input.refusal }
        filter.webhook = try find(id, scope).id
        let found = try log(scope).deliveries(filter, after: part.last, limit: part.limit + 1)
        return try call.list(
            found.prefix(part.limit).map { Self.json($0) }, next: part.next(found, \.id),
            at: WebhookRoute.deliveriesJSON(id))
    }

    /// Which deliveries are meant: by state, kind of event and time of making.
    static func filter(_ input: inout Input) -> LogStore.Filter {
        LogStore.Filter(
            state: input.parsed("status", orSay: "This is waiting, delivered, failed or canceled.") {
                DeliveryRecord.State(rawValue: $0)
            },
            pattern: input.pattern("event"),
            since: input.moment("since"), until: input.moment("until"))
    }

    func deliveryJSON(_ id: Identifier<Delivery>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let log = log(scope)
        guard let delivery = try log.delivery(id), case .object(let members) = Self.json(delivery) else {
            throw Problem.notFound
        }
        let attempts = try log.attempts(id).map { try json($0, of: id, scope) }
        return .json(.object(members + [JSON.Member("attempts_log", .array(attempts))]))
    }

    func retryJSON(_ id: Identifier<Delivery>, _ call: Call) throws -> Response {
        try call.json().requireNothing()
        return .json(Self.json(try sendAgain(id, by: call.scope())), status: 202)
    }

    /// Sends an event of a test now and tells what came of it.
    func testJSON(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        var input = try call.json()
        let name = input.parsed("type", orSay: "Write the name of a kind of event.", 1...128) { EventName($0) }
        guard input.isComplete else { throw input.refusal }
        let scope = try call.scope()
        let tried = try tryOut(try find(id, scope), name, by: scope)
        let judgement = tried.attempted.judgement
        let response = try? tried.attempted.result.get()
        return .json([
            "delivery_id": .string(tried.delivery.text), "delivered": .bool(judgement.verdict == .delivered),
            "status": JSON(judgement.status),
            "response": JSON(response.map { String(decoding: $0.body, as: UTF8.self) }),
            "duration_ms": .integer(tried.attempted.duration.milliseconds),
            "error": judgement.reason.map { reason in
                ["code": .string(reason.rawValue), "detail": .string(reason.sentence(status: judgement.status))]
            } ?? .null,
        ])
    }

    static func json(_ delivery: DeliveryRecord) -> JSON {
        [
            "id": .string(delivery.id.text), "webhook_id": .string(delivery.webhook.text),
            "event_id": .string(delivery.event.text), "type": .string(delivery.type),
            "status": .string(delivery.state.rawValue), "attempts": .integer(Int64(delivery.attempts)),
            "next_attempt_at": delivery.state == .waiting && !delivery.isHeld ? JSON(delivery.nextAt) : .null,
            "under_way": .bool(delivery.state == .waiting && delivery.isHeld),
            "last_status": JSON(delivery.lastStatus),
            "error": delivery.lastError.map { code in
                ["code": .string(code), "detail": JSON(delivery.trouble)]
            } ?? .null,
            "created_at": JSON(delivery.createdAt), "finished_at": JSON(delivery.finishedAt),
        ]
    }

    /// An attempt with what was said on both sides; `null` in their place when the key to it is missing.
    private func json(
        _ attempt: AttemptRecord, of delivery: Identifier<Delivery>, _ scope: OrganizationScope
    ) throws -> JSON {
        let talk = try talk(attempt, of: delivery, scope)
        return [
            "number": .integer(Int64(attempt.number)), "cause": .string(attempt.cause.rawValue),
            "started_at": JSON(attempt.startedAt), "status": JSON(attempt.status),
            "error": attempt.reason.map { reason in
                ["code": .string(reason.rawValue), "detail": .string(reason.sentence(status: attempt.status))]
            } ?? .null,
            "timing_ms": [
                "dns": Self.milliseconds(attempt.timing.dns), "connect": Self.milliseconds(attempt.timing.connect),
                "tls": Self.milliseconds(attempt.timing.tls),
                "first_byte": Self.milliseconds(attempt.timing.firstByte),
                "total": Self.milliseconds(attempt.timing.total),
            ],
            "request_headers": talk.map { Self.fields($0.sent) } ?? .null,
            "response_headers": talk.map { Self.fields($0.returned) } ?? .null,
            "response_body": JSON(talk.map { String(decoding: $0.body, as: UTF8.self) }),
        ]
    }

    /// What was said in an attempt; nil when it cannot be opened.
    func talk(
        _ attempt: AttemptRecord, of delivery: Identifier<Delivery>, _ scope: OrganizationScope
    ) throws -> Talk? {
        do {
            let bytes = try vault.open(
                attempt.talkSealed, at: OutcomeStore.place(delivery, attempt: attempt.number),
                for: scope.organization, in: database)
            return Talk(json: try JSON(parsing: bytes))
        } catch is VaultError {
            return nil
        }
    }

    private static func fields(_ fields: [(name: String, value: String)]) -> JSON {
        .array(fields.map { ["name": .string($0.name), "value": .string($0.value)] })
    }

    static func milliseconds(_ duration: Duration) -> JSON {
        let (seconds, attoseconds) = duration.components
        return .number(Double(seconds) * 1_000 + Double(attoseconds / 1_000_000_000_000) / 1_000)
    }
}
