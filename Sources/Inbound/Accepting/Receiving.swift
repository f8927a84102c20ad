import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LimitKit
import LogKit
import TimeKit

/// Taking what services send: proved, stored, and only then answered.
///
/// Whoever sends learns whether it was taken and nothing else: an address that there is not, a source that has no secret and
/// a wrong signature get the same answer.
extension Inbound {
    /// The answer to whoever is not known.
    static let unknown = Problem(
        401, "unauthenticated", "This is not known to come from the service that the address was made for.",
        headers: ["www-authenticate": "Signature realm=\"inbound\""])

    /// Takes a request by POST: 2xx once it is committed.
    func receive(_ address: Identifier<InboundAddress>, _ call: Call) throws -> Response {
        let now = world.now()
        guard let source = try source(at: address, call.request, now) else { throw stranger(call.request, now) }
        let verdict = limiter.take(
            from: [.minute(source.perMinute)], of: LimitSubject("inbound", source.source.origin.source.bytes), at: now)
        guard verdict.isAllowed else { throw Problem.quotaExceeded(verdict) }
        let arrival = Arrival(
            url: Self.url(call), headers: call.request.headers, body: try Self.body(of: call.request, source.bodyLimit))
        guard !source.isLocked else { throw VaultError.damaged }
        if let token = awaited(arrival, source) { return try keep(token, source, call.request.id) }
        if let answer = Graph.validation(arrival, source) { return answer }
        let proof: Scheme.Proof
        do throws(Failure) {
            proof = try source.judge(arrival, now: now)
        } catch {
            try note(error, arrival, source, call.request, at: now)
            throw Self.unknown
        }
        return try take(Self.withoutProof(arrival, source), proof, source, at: now)
    }

    /// A request as it is kept, where what proves it stands in its body.
    private static func withoutProof(_ arrival: Arrival, _ source: OpenSource) -> Arrival {
        guard source.scheme == .graph else { return arrival }
        var plain = arrival
        plain.body = Graph.withoutSecret(arrival.body)
        return plain
    }

    /// Answers a question by GET, which only one service asks, before it sends anything.
    func challenge(_ address: Identifier<InboundAddress>, _ call: Call) throws -> Response {
        let now = world.now()
        guard let source = try source(at: address, call.request, now) else { throw stranger(call.request, now) }
        guard let token = source.source.challengeToken, let query = Form(urlencoded: call.request.rawQuery),
            let answer = token.reveal({ Handshake.challenge(query, token: $0) })
        else { throw Self.unknown }
        return answer.neverStored()
    }

    // MARK: Before anything is known

    private func source(
        at address: Identifier<InboundAddress>, _ request: Request, _ now: Timestamp
    ) throws -> OpenSource? {
        let found = try cache.source(at: address) { find in
            let subject = LimitSubject(address: request.remoteAddress, for: "inbound-guess")
            let guesses = [Quota.minute(settings.refusalsPerMinute)]
            let verdict = limiter.peek(from: guesses, of: subject, at: now)
            guard verdict.isAllowed else { throw Problem.quotaExceeded(verdict) }
            let found = try find()
            // Each wrong address counts, and not each request to it: a service that goes on sending to a source which
            // is gone holds up no other of the same service.
            if found == nil { _ = limiter.take(from: guesses, of: subject, at: now) }
            return found
        }
        guard let found, found.endsAt.map({ $0 > now }) ?? true else { return nil }
        return found
    }

    /// Counts a request to an address that there is not: of one sender only so many get the usual answer.
    private func stranger(_ request: Request, _ now: Timestamp) -> Problem {
        let verdict = limiter.take(
            from: [.minute(settings.refusalsPerMinute)],
            of: LimitSubject(address: request.remoteAddress, for: "inbound"), at: now)
        return verdict.isAllowed ? Self.unknown : .quotaExceeded(verdict)
    }

    /// The address as the sender knows it: what nginx saw of it may be another one.
    static func url(_ call: Call) -> String {
        let site = call.shell.site
        let query = call.request.rawQuery
        return site.origin + site.mount + call.request.path.text + (query.isEmpty ? "" : "?\(query)")
    }

    /// The body, read only now where it is larger than the hub takes anywhere else.
    private static func body(of request: Request, _ limit: Int) throws(Problem) -> [UInt8] {
        let tooLarge = Problem(413, "body_too_large", "The body may have at most \(limit) bytes.")
        guard let incoming = request.incoming else {
            guard request.body.count <= limit else { throw tooLarge }
            return request.body
        }
        guard incoming.length ?? 0 <= limit else { throw tooLarge }
        var body: [UInt8] = []
        while true {
            let piece = try incoming.read(atMost: 262_144)
            if piece.isEmpty { return body }
            body += piece
            guard body.count <= limit else { throw tooLarge }
        }
    }

    // MARK: Once it is known

    private func take(
        _ arrival: Arrival, _ proof: Scheme.Proof, _ source: OpenSource, at now: Timestamp
    ) throws -> Response {
        let payload: Payload
        do throws(JSONError) {
            // A large body is read by whoever publishes it: nobody waits for that.
            payload = try arrival.body.count > NewInboundEvent.mostInOne ? .other : Payload(arrival)
        } catch {
            // The sender is known, so what came is kept as it is, for somebody to look at.
            let naming = Naming(key: Naming.digest(arrival.body), type: "unreadable")
            try store(arrival, naming, proof, source, fault: error.sentence, at: now)
            throw Problem(400, "malformed_body", error.sentence)
        }
        let scheme = source.scheme(of: proof)
        if let answer = Handshake.answer(scheme, payload) { return answer }
        try store(arrival, scheme.naming(arrival, payload, source.recipe), proof, source, at: now)
        wake()
        return Handshake.taken(scheme, payload)
    }

    private func store(
        _ arrival: Arrival, _ naming: Naming, _ proof: Scheme.Proof, _ source: OpenSource, fault: String? = nil,
        at now: Timestamp
    ) throws {
        let event = try NewInboundEvent(
            Identifier(world), source, naming, proof, Envelope(arrival, isProved: true), fault: fault, at: now,
            sealing: vault, in: database)
        let store = ArrivalStore(database: database)
        if event.isSmall {
            _ = try gathering.take([event], for: 0) { events in
                try store.insert(events)
                return events.map { _ in () }
            }
        } else {
            try store.insert(large: event)
        }
    }

    /// Keeps a refused request for those who own the source: the latest ones, and of a flood only some.
    private func note(
        _ failure: Failure, _ arrival: Arrival, _ source: OpenSource, _ request: Request, at now: Timestamp
    ) throws {
        let kept = limiter.take(
            from: [.minute(RefusalStore.mostPerMinute)],
            of: LimitSubject("inbound-refused", source.source.origin.source.bytes), at: now)
        guard kept.isAllowed else { return }
        try RefusalStore(database: database, world: world, vault: vault).keep(
            failure, arrival, of: source.source.origin, from: request.remoteAddress, at: now)
    }

    // MARK: Notion

    /// The token that a service sends by itself to a source that waits for one: it has none, or only the one before.
    private func awaited(_ arrival: Arrival, _ source: OpenSource) -> String? {
        guard source.scheme == .notion, source.source.secrets.allSatisfy({ $0.until != nil }) else { return nil }
        return Handshake.verificationToken(arrival)
    }

    private func keep(_ token: String, _ source: OpenSource, _ requestID: String) throws -> Response {
        let origin = source.source.origin
        try database.transaction { transaction in
            let sealed = try vault.seal(
                Array(token.utf8), at: SourceRecord.place(origin.source, "secret_sealed"), for: origin.organization,
                in: transaction)
            // Of two at once the first counts: once there is a token, another one must be signed with it.
            let kept = try transaction.execute(
                """
                UPDATE inbound_sources
                   SET secret_sealed = \(sealed), has_new_token = 1, version = version + 1, updated_at = \(world.now())
                 WHERE id = \(origin.source) AND organization_id = \(origin.organization) AND secret_sealed IS NULL
                """)
            guard kept.affectedRows == 1 else { return }
            try audit.record(
                "inbound_source.token_received", .init("inbound_source", origin.source, name: origin.provider),
                by: OrganizationScope(
                    trusted: origin.organization, name: "", actor: Actor(kind: .hub, name: origin.provider),
                    requestID: requestID), in: transaction)
            try Generations.bump(Generations.inboundSources, in: transaction)
        }
        changed()
        return Response(status: 200)
    }
}

extension JSONError {
    /// What is wrong with a body.
    var sentence: String {
        switch self {
        case .malformed: "The body is not JSON in UTF-8, nor a form, as it says it is."
        case .tooDeep: "The body nests deeper than \(JSON.depthLimit) levels."
        case .duplicateName: "An object of the body has a name twice."
        }
    }
}
