import CipherKit
import ClientKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import JobKit
import LogKit
import TimeKit

/// Sending messages and events: accepted and committed first, attempted outside of any transaction, and then noted.
///
/// An attempt is committed before the service is called. One that is cut off between the service's answer and our note is
/// repeated only where the service tells repetitions apart (``RepetitionGuard``); elsewhere the message ends as `unknown`.
extension Connections {
    /// The kind of job that sends one message.
    static let messageJob = "connections.message"

    func messages(_ scope: OrganizationScope) -> OutgoingMessageStore {
        OutgoingMessageStore(database: database, world: world, scope: scope)
    }

    // MARK: Accepting

    /// The service of a connection that is to send something.
    ///
    /// - Throws: `Problem` 409 when the connection cannot send now, 422 when its service takes nothing of this kind.
    func sender(_ view: ConnectionView, _ capability: Capability) throws -> Provider {
        guard let provider = view.provider else { throw Problem.withoutProvider(view) }
        guard provider.capabilities.contains(capability) else {
            let thing = capability == .messages ? "messages" : "calendar events"
            throw Problem(422, "not_supported", "\(provider.name) takes no \(thing).")
        }
        if let (code, sentence) = Self.obstacle(to: view, provider) { throw Problem(409, code, sentence) }
        return provider
    }

    /// Why a connection cannot send now; nil when it can.
    static func obstacle(to view: ConnectionView, _ provider: Provider) -> (code: String, sentence: String)? {
        guard view.isReadable else { return ("undecryptable", view.sentence) }
        guard view.record.isEnabled else {
            return ("connection_disabled", "This connection is disabled. Enable it before you send over it.")
        }
        let needs = (provider.message?.kind.needs ?? []) + (provider.calendar?.needs ?? [])
        let values = view.values
        guard needs.allSatisfy({ $0.contains { values[$0] != nil } }) else {
            return ("not_connected", "This connection has no credentials. Connect it before you send over it.")
        }
        return nil
    }

    /// Takes something to be sent: into the queue, or, when somebody waits for it, at once.
    ///
    /// - Parameter key: by which a repetition of the request is recognised for a day; it gets what the first one made.
    func send(
        _ content: MessageContent, over view: ConnectionView, key: OutgoingMessageStore.RequestKey?, isOnce: Bool,
        by scope: OrganizationScope
    ) throws -> OutgoingMessage {
        let id = MessageID(world)
        let token = isOnce ? world.randomBytes(16) : nil
        let earlier = try inTurn { transaction -> OutgoingMessage? in
            if let key, let earlier = try messages(scope).find(key, in: transaction) { return earlier }
            let place = OutgoingMessage.place(id)
            let sealed = try vault.seal(content.bytes, at: place, for: scope.organization, in: transaction)
            try messages(scope).insert(
                id, content, sealed: sealed, to: view.record, key: key, lease: token, in: transaction)
            if token == nil { try enqueue(id, scope, in: transaction) }
            return nil
        }
        if let earlier {
            guard earlier.requestDigest == key?.digest else {
                throw Problem(422, "idempotency_key_reused", "This Idempotency-Key was used for another request.")
            }
            return earlier
        }
        if let token, let message = try messages(scope).find(id, in: database) {
            let verdict = try attempt(message, scope, isOnce: true)
            try database.transaction { try settle(message, verdict, lease: token, scope, in: $0) }
        }
        guard let message = try messages(scope).find(id, in: database) else { throw Problem.notFound }
        return message
    }

    /// Says of two requests with one key at the same moment that the first one is under way.
    private func inTurn<Result>(_ body: (Transaction) throws -> Result) throws -> Result {
        do {
            return try database.transaction(body)
        } catch let error as DatabaseError where error.code == .duplicate && error.constraint == "request_key" {
            throw Problem(
                409, "request_in_progress", "The first request is still being performed.",
                headers: ["retry-after": "1"])
        }
    }

    func enqueue(
        _ id: MessageID, _ scope: OrganizationScope, at moment: Timestamp? = nil, in transaction: Transaction
    ) throws {
        let payload: JSON = ["message": .string(id.text), "organization": .string(scope.organization.text)]
        try queue.enqueue(
            NewJob(
                Self.messageJob, payload: payload.stored, runAt: moment, uniqueKey: "message:\(id)",
                // The message's own age decides when it is given up, and its row tells so.
                maxAttempts: 10_000),
            in: transaction)
    }

    // MARK: Attempting

    /// Calls the service, with credentials renewed once when it refuses those that it was given.
    func attempt(
        _ message: OutgoingMessage, _ scope: OrganizationScope, isOnce: Bool
    ) throws -> SendingVerdict {
        guard let record = try store(scope).find(message.connection, in: database) else {
            return .failed(
                .init(code: "connection_removed", sentence: "The connection was removed before this was sent."))
        }
        let view = try view(record, scope, in: database)
        let failure: DeliveryFailure
        do throws(DeliveryFailure) {
            return .sent(try deliver(message, over: view, scope))
        } catch {
            failure = error
        }
        let kind = MessageContent.Kind(rawValue: message.kind) ?? .message
        return .after(
            failure, attempts: message.attempts, age: world.now() - message.createdAt,
            guard: view.provider?.repetitionGuard(kind, view.values) ?? .none, isOnce: isOnce)
    }

    private func deliver(
        _ message: OutgoingMessage, over view: ConnectionView, _ scope: OrganizationScope
    ) throws(DeliveryFailure) -> DeliveryReceipt {
        guard let provider = view.provider else {
            throw DeliveryFailure(kind: .later(after: nil), sentence: Problem.withoutProvider(view).detail)
        }
        if let (_, sentence) = Self.obstacle(to: view, provider) {
            throw DeliveryFailure(kind: .later(after: nil), sentence: sentence)
        }
        guard let content = try? content(of: message, scope) else {
            throw DeliveryFailure(
                kind: .later(after: nil), sentence: "What is to be sent cannot be opened with the key ring of this hub."
            )
        }
        let calls = serviceClient(view.record.id, of: scope.organization, provider.name)
        let deliverer = Deliverer(calls: calls, now: world.now)
        let values = try usable(view, scope, refused: false)
        do throws(DeliveryFailure) {
            return try deliverer.deliver(content, message.id, to: provider, values)
        } catch {
            guard error.kind == .unauthorized else { throw error }
            let renewed = try usable(view, scope, refused: true)
            guard renewed != values else { throw error }
            return try deliverer.deliver(content, message.id, to: provider, renewed)
        }
    }

    private func content(of message: OutgoingMessage, _ scope: OrganizationScope) throws -> MessageContent? {
        guard let sealed = message.sealedContent else { return nil }
        let place = OutgoingMessage.place(message.id)
        return MessageContent(bytes: try vault.open(sealed, at: place, for: scope.organization, in: database))
    }

    // MARK: Noting

    /// Notes what came of an attempt; nothing when it was not ours any more.
    func settle(
        _ message: OutgoingMessage, _ verdict: SendingVerdict, lease token: [UInt8], _ scope: OrganizationScope,
        in transaction: Transaction
    ) throws {
        let (id, store) = (message.id, messages(scope))
        let isOurs: Bool
        switch verdict {
        case .sent(let receipt):
            isOurs = try store.end(
                id, lease: token, .sent, providerID: receipt.providerID, nil, in: transaction)
        case .failed(let trouble):
            isOurs = try store.end(id, lease: token, .failed, providerID: nil, trouble, in: transaction)
        case .unknown(let trouble):
            isOurs = try store.end(id, lease: token, .unknown, providerID: nil, trouble, in: transaction)
        case .retry(let wait, let trouble):
            let due = world.now() + wait
            guard try store.putOff(id, lease: token, until: due, trouble, in: transaction) else { return }
            try enqueue(id, scope, at: due, in: transaction)
            return
        }
        if isOurs { try tell(message, verdict, scope, in: transaction) }
    }

    /// Tells the audit log, and whoever listens to events, how a message ended: never what it said, nor to whom.
    private func tell(
        _ message: OutgoingMessage, _ verdict: SendingVerdict, _ scope: OrganizationScope, in transaction: Transaction
    ) throws {
        var said: [JSON.Member] = [
            .init("kind", .string(message.kind)), .init("connection_id", .string(message.connection.text)),
            .init("attempts", .integer(Int64(message.attempts))),
        ]
        let type: DomainEventType
        switch verdict {
        case .sent(let receipt):
            type = .messageSent
            said.append(.init("provider_id", JSON(receipt.providerID)))
        case .failed(let trouble), .unknown(let trouble), .retry(_, let trouble):
            type = .messageFailed
            said.append(.init("code", .string(trouble.code)))
        }
        let service = try provider(message.provider, scope, in: transaction)?.name ?? message.provider
        try audit.record(
            type.rawValue, .init("message", message.id, name: service), details: .object(said), by: scope,
            in: transaction)
        said += [.init("message_id", .string(message.id.text)), .init("provider", .string(message.provider))]
        try events.publish(
            type, about: message.id, .object(said), for: scope.organization, in: transaction)
    }
}

extension Connections {
    /// The values to send with, a token that is about to end renewed first.
    ///
    /// - Parameter refused: whether the service has just refused the token that is stored; it is renewed once.
    func usable(
        _ view: ConnectionView, _ scope: OrganizationScope, refused: Bool
    ) throws(DeliveryFailure) -> [String: String] {
        guard let provider = view.provider, provider.sendsWithToken else { return view.values }
        // A sign-in that has ended is not tried with its old token: a person must sign in again.
        guard view.status != .needsReauth else {
            throw DeliveryFailure(kind: .unauthorized, sentence: view.sentence)
        }
        do {
            return try live(view, by: scope, forced: refused).values
        } catch let problem as Problem {
            let kind: DeliveryFailure.Kind = problem.status.code < 500 ? .unauthorized : .later(after: nil)
            throw DeliveryFailure(kind: kind, sentence: problem.detail)
        } catch {
            log.error("a token could not be renewed", ["error": .init(String(reflecting: error))])
            throw DeliveryFailure(kind: .later(after: nil), sentence: "The credentials could not be read.")
        }
    }
}

extension Provider {
    /// Whether it takes messages or events with the token of a sign-in, or with one that stands in its place.
    fileprivate var sendsWithToken: Bool {
        calendar != nil || message.map { $0.kind.needs.contains { $0.contains("access_token") } } ?? false
    }
}
