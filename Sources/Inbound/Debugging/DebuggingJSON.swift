import AdminShell
import CipherKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Why requests were refused, for scripts.
extension Inbound {
    var refusals: RefusalStore { RefusalStore(database: database, world: world, vault: vault) }

    func refusalsJSON(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let part = try Listing<InboundRefusal>(of: call.request)
        _ = try find(id, scope)
        let found = try refusals.list(of: id, scope.organization, after: part.last, limit: part.limit + 1)
        return try call.list(
            found.prefix(part.limit).map(Self.json), next: part.next(found, \.id), at: InboundRoute.refusals(id))
    }

    private static func json(_ record: RefusalRecord) -> JSON {
        [
            "id": .string(record.id.text), "reason": .string(record.reason), "detail": .string(record.detail),
            "remote_address": .string(record.remoteAddress), "bytes": JSON(record.bodyBytes),
            "is_whole": .bool(record.isWhole), "received_at": JSON(record.received),
        ]
    }

    /// Examines a request: one that was refused and kept, or one that is sent along.
    func debugJSON(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let record = try find(id, scope)
        var input = try call.json()
        let examined = try examined(&input, record, scope, call)
        guard let examined, input.isComplete else { throw input.refusal }
        return Response.json(Self.json(examined)).neverStored()
    }

    private func examined(
        _ input: inout Input, _ record: SourceRecord, _ scope: OrganizationScope, _ call: Call
    ) throws -> Examination? {
        let kept = input.parsed("refusal_id", orSay: "This is the id of a refused request.") {
            Identifier<InboundRefusal>($0)
        }
        let pasted = PastedRequest(&input)
        guard input.isComplete else { return nil }
        guard let kept else {
            guard let headers = pasted.headers else {
                _ = input.required("headers", pasted.headers)
                return nil
            }
            return try examine(
                Arrival(
                    method: pasted.method, url: pasted.url ?? url(record.address, call), headers: headers,
                    body: pasted.body), record, at: pasted.moment ?? world.now())
        }
        guard let refusal = try refusals.find(kept, scope.organization), refusal.record.source == record.id else {
            input.refuse("refusal_id", "not_found", "There is no such refused request of this source.")
            return nil
        }
        return try examine(refusal, record)
    }

    /// Examines a kept request by the clock of when it came.
    func examine(
        _ refusal: (record: RefusalRecord, envelope: Envelope?), _ record: SourceRecord
    ) throws -> Examination {
        guard let envelope = refusal.envelope else { throw VaultError.damaged }
        return try examine(envelope.arrival, record, at: refusal.record.received)
    }

    func examine(_ arrival: Arrival, _ record: SourceRecord, at moment: Timestamp) throws -> Examination {
        let source = try SourceReader(database: database, vault: vault, others: [], now: world.now).open(
            record, isExamined: true)
        guard !source.isLocked else { throw VaultError.damaged }
        return Examination(arrival, source, at: moment)
    }

    static func json(_ examination: Examination) -> JSON {
        [
            "verdict": .string(examination.failure == nil ? "accepted" : "refused"),
            "key": JSON(examination.key?.rawValue), "code": JSON(examination.failure?.code),
            "detail": .string(examination.sentence),
            "checks": .array(
                examination.checks.map {
                    ["check": .string($0.check.rawValue), "outcome": .string($0.outcome.rawValue)]
                }),
            "hints": .array(
                examination.hints.map { ["code": .string($0.code), "detail": .string($0.sentence)] }),
        ]
    }
}

/// A request that somebody writes down.
struct PastedRequest {
    var method = "POST"
    var url: String?
    var headers: Headers?
    var body: [UInt8] = []
    var moment: Timestamp?

    private static let mostHeaders = 100

    /// Reads it from JSON: header fields as an object, the body as text or as base64.
    init(_ input: inout Input) {
        method = input.parsed("method", orSay: "This is POST.", 1...10) { $0 == "POST" ? $0 : nil } ?? "POST"
        url = input.parsed("url", orSay: "This is the whole address, such as https://….", 1...8_192) { text in
            PublicAddress(text) == nil ? nil : text
        }
        moment = input.parsed("received_at", orSay: "Write a time as 2027-01-31T00:00:00Z.", 1...40) {
            Timestamp(rfc3339: $0)
        }
        if let members = input.members("headers") { headers = Self.headers(members, &input) }
        let text = input.optionalText("body", 0...1_048_576)
        let bytes = input.parsed("body_base64", orSay: "This is base64.", 1...1_398_104) { Base64.decode($0) }
        if text != nil, bytes != nil {
            input.refuse("body_base64", "contradiction", "Send the body once, as text or as base64.")
        }
        body = bytes ?? text.map { Array($0.utf8) } ?? []
    }

    private static func headers(_ members: [JSON.Member], _ input: inout Input) -> Headers? {
        guard members.count <= mostHeaders else {
            input.refuse("headers", "too_many", "This takes at most \(mostHeaders) headers.")
            return nil
        }
        var headers = Headers()
        for member in members {
            let values = member.value.text.map { [$0] } ?? member.value.elements?.compactMap(\.text) ?? []
            if values.isEmpty { input.refuse("headers", "wrong_type", "Each header is a text, or a list of texts.") }
            for value in values.prefix(10) { headers.add(member.name, value) }
        }
        return headers
    }

    /// Reads it from a form, where fields and body are pasted as text.
    ///
    /// Browsers send every line end as two characters; most senders write one.
    init(pasted form: Form) {
        var fields = Headers()
        for line in (form["headers"] ?? "").split(whereSeparator: \.isNewline).prefix(Self.mostHeaders) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields.add(String(line[..<colon].trimmed), String(line[line.index(after: colon)...].trimmed))
        }
        headers = fields
        body = Array((form["body"] ?? "").replacing("\r\n", with: "\n").utf8)
    }
}
