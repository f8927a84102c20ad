import AdminShell
import CipherKit
import Domain
import HTTPKit
import JSONKit

/// Messages and events as scripts send and see them.
extension Connections {
    /// Takes a message or an event: 202 once it is in the queue, or with `?wait=true` 201 once the service took it.
    func postJSON(_ capability: Capability, _ name: ConnectionName, _ call: Call) throws -> Response {
        var query = Input(try call.request.query())
        let isOnce = query.truth("wait") ?? false
        guard query.isComplete else { throw query.refusal }
        let scope = try call.scope()
        let view = try find(name, scope)
        let provider = try sender(view, capability)
        var input = try call.json()
        guard let content = Self.content(capability, provider, view.values, &input) else { throw input.refusal }
        let message = try send(
            content, over: view, key: try requestKey(call, view, scope), isOnce: isOnce, by: scope)
        return try answer(message, call)
    }

    /// Reads what is to be sent; nil when something of it is refused.
    static func content(
        _ capability: Capability, _ provider: Provider, _ values: [String: String], _ input: inout Input
    ) -> MessageContent? {
        switch (capability, provider.message) {
        case (.messages, let message?):
            let rules = MessageRules.of(message.kind, values)
            return Message.read(rules, provider.name, values, &input).map(MessageContent.message)
        case (.messages, nil): return nil
        case (.calendar, _): return CalendarEvent.read(values, &input).map(MessageContent.event)
        case (.channels, _), (.signIn, _), (.ownToken, _), (.revoke, _), (.sync, _): return nil
        }
    }

    /// By what a repetition of this request is recognised; nil when it does not say.
    ///
    /// The house keeps answers by the same header. This key is stored with the message, so that one which was sent, or may
    /// have been, is not sent again although no answer of the house was kept.
    private func requestKey(
        _ call: Call, _ view: ConnectionView, _ scope: OrganizationScope
    ) throws(Problem) -> OutgoingMessageStore.RequestKey? {
        guard let key = try call.request.idempotencyKey() else { return nil }
        let name =
            "\(scope.actor.kind.rawValue)\n\(Hex.encode(scope.actor.id ?? []))\n\(scope.organization)\n\(view.record.id)\n\(key)"
        let asked = Array("\(call.request.path.segments.last ?? "")\n".utf8) + call.request.body
        return .init(key: SHA256.digest(name.utf8), digest: SHA256.digest(asked))
    }

    /// What is told of a message that somebody has just sent.
    ///
    /// - Throws: `Problem` 422 when the service refuses it, 502 when it could not be asked or nobody knows.
    private func answer(_ message: OutgoingMessage, _ call: Call) throws -> Response {
        let link = call.link(MessageRoute.json(message.id))
        switch message.status {
        case .sent:
            return .json(Self.json(message), status: 201).tagged(entityTag(version: message.version))
                .with("location", link)
        case .queued, .sending:
            return .json(Self.json(message), status: 202).tagged(entityTag(version: message.version))
                .with("location", link)
        case .failed, .unknown: throw Self.problem(of: message, location: link)
        }
    }

    /// Why a message did not go out, as a problem.
    static func problem(of message: OutgoingMessage, location: String) -> Problem {
        let code = message.trouble?.code ?? "failed"
        let sentence = message.trouble?.sentence ?? "It was not sent."
        switch code {
        case "refused": return Problem(422, "message_refused", sentence, headers: ["location": location])
        default: return Problem(502, code, sentence, headers: ["location": location])
        }
    }

    func messagesJSON(_ name: ConnectionName, _ call: Call) throws -> Response {
        var input = Input(try call.request.query())
        let status = input.parsed("status", orSay: "There is no such state.") { MessageStatus(rawValue: $0) }
        let part = Listing<OutgoingMessage>(&input)
        guard input.isComplete else { throw input.refusal }
        let scope = try call.scope()
        let connection = try find(name, scope).record.id
        let found = try messages(scope).list(connection, status: status, after: part.last, limit: part.limit + 1)
        return try call.list(
            found.prefix(part.limit).map(Self.json), next: part.next(found, \.id),
            at: MessageRoute.listJSON(.id(connection)))
    }

    func messageJSON(_ id: MessageID, _ call: Call) throws -> Response {
        guard let message = try messages(call.scope()).find(id, in: database) else { throw Problem.notFound }
        return .json(Self.json(message)).tagged(entityTag(version: message.version))
    }

    /// A message as scripts see it: what became of it, never what it says.
    static func json(_ message: OutgoingMessage) -> JSON {
        [
            "id": .string(message.id.text), "connection_id": .string(message.connection.text),
            "provider": .string(message.provider), "kind": .string(message.kind),
            "status": .string(message.status.rawValue), "to": JSON(message.recipientHint),
            "provider_id": JSON(message.providerID), "attempts": .integer(Int64(message.attempts)),
            "error": message.trouble.map { ["code": .string($0.code), "detail": .string($0.sentence)] } ?? .null,
            "next_attempt_at": JSON(message.dueAt), "requested_by": .string(message.actor.name),
            "created_at": JSON(message.createdAt), "updated_at": JSON(message.updatedAt),
            "sent_at": JSON(message.sentAt),
        ]
    }
}
