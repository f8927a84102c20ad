import AdminShell
import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Remembers what a POST answered, so that the same POST sent again has one effect (`Idempotency-Key`).
///
/// The claim is committed before the effect and the answer after it. Whoever fails gives it back only when nothing of the
/// effect can have stayed. A process that dies in between leaves the claim, and so does a COMMIT without an answer: the
/// repetition is then told that the outcome is unknown, rather than having its effect twice.
///
/// > draft-ietf-httpapi-idempotency-key-header-07 §2
struct IdempotentAnswers: Sendable {
    let database: Database
    let vault: Vault
    let world: World

    /// How long an answer is kept.
    static let life = Duration.hours(24)

    /// Performs a request, or gives the answer that it had the first time.
    ///
    /// - Parameter isScript: whether problems are answered as documents, which can be kept like any other answer.
    func once(
        key: String, _ call: Call, by actor: Actor, _ scope: OrganizationScope, isScript: Bool,
        _ perform: () throws -> Response
    ) throws -> Response {
        let request = call.request
        let name =
            "\(actor.kind.rawValue)\n\(Hex.encode(actor.id ?? []))\n\(scope.organization)\n\(request.path.segments.joined(separator: "/"))\n\(key)"
        let caller = SHA256.digest(name.utf8)
        let fingerprint = SHA256.digest(Array("\(request.rawQuery)\n".utf8) + request.body)
        if let earlier = try claim(caller, fingerprint, scope) {
            return try replay(earlier, caller, fingerprint, scope)
        }
        let (outcome, mayStay) = database.noticingChanges(perform)
        switch outcome {
        case .success(let response) where response.status.code < 400:
            keep(response, caller, scope, call)
            return response
        case .success(let response):
            // A form shown again with its faults; corrected, it comes with the same number.
            release(caller)
            return response
        case .failure(let error):
            let problem = error as? Problem
            if let problem, Self.unknownOutcomes.contains(problem.code) {
                if isScript { keep(problem.response(requestID: request.id), caller, scope, call) }
            } else if problem != nil || !mayStay && (error as? DatabaseError)?.code != .commitUnknown {
                // What another thread commits for this one is not noticed here.
                release(caller)
            }
            throw error
        }
    }

    /// With these a handler says that it does not know whether another service did it. Every other problem that a
    /// handler throws says that it was not done.
    private static let unknownOutcomes: Set<String> = ["outcome_unknown", "platform_silent"]

    /// Keeps an answer for repetitions.
    ///
    /// When that fails, what was asked for is done all the same, and saying otherwise would have it done twice. The claim
    /// stays, so that a repetition is told to look.
    private func keep(_ response: Response, _ caller: [UInt8], _ scope: OrganizationScope, _ call: Call) {
        do {
            try store(response, caller, scope)
        } catch {
            call.log.error("an answer could not be kept for repetition", ["error": .init(String(reflecting: error))])
        }
    }

    /// Nothing was done, so the same key may try again.
    private func release(_ caller: [UInt8]) {
        _ = try? database.execute("DELETE FROM idempotent_answers WHERE caller = \(caller) AND status IS NULL")
    }

    /// Forgets all answers that are too old, for as long as the closure says yes.
    func purge(while goesOn: () -> Bool = { true }) throws {
        let end = world.now() - Self.life
        try database.deleteAll("DELETE FROM idempotent_answers WHERE created_at < \(end)", while: goesOn)
    }

    /// Notes that a request is being performed; gives what is known when it was noted before.
    private func claim(_ caller: [UInt8], _ fingerprint: [UInt8], _ scope: OrganizationScope) throws -> Row? {
        let now = world.now()
        try database.execute(
            "DELETE FROM idempotent_answers WHERE caller = \(caller) AND created_at < \(now - Self.life)")
        let claimed = try database.execute(
            """
            INSERT IGNORE INTO idempotent_answers (caller, fingerprint, organization_id, created_at)
            VALUES (\(caller), \(fingerprint), \(scope.organization), \(now))
            """)
        guard claimed.affectedRows == 0 else { return nil }
        let earlier = try database.row(
            "SELECT fingerprint, status, answer_sealed, created_at FROM idempotent_answers WHERE caller = \(caller)")
        // The first request has given the key back in this very moment; whoever comes again may claim it.
        guard let earlier else { throw Self.inProgress }
        return earlier
    }

    private static let inProgress = Problem(
        409, "request_in_progress", "The first request is still being performed.", headers: ["retry-after": "1"])

    private func replay(
        _ row: Row, _ caller: [UInt8], _ fingerprint: [UInt8], _ scope: OrganizationScope
    ) throws -> Response {
        guard try row.get("fingerprint") == fingerprint else {
            throw Problem(422, "idempotency_key_reused", "This Idempotency-Key was used for another request.")
        }
        guard let status = try row.get("status", as: Int?.self),
            let sealed = try row.get("answer_sealed", as: [UInt8]?.self)
        else {
            let isOld = try world.now() - row.get("created_at") > .minutes(1)
            throw isOld
                ? Problem(
                    409, "outcome_unknown",
                    "The first request was cut off. Look whether it took effect, then use another key.")
                : Self.inProgress
        }
        let bytes = try vault.open(sealed, at: place(caller), for: scope.organization, in: database)
        return try Self.unpack(JSON(parsing: bytes), status: status).with("idempotent-replayed", "true")
    }

    private func store(_ response: Response, _ caller: [UInt8], _ scope: OrganizationScope) throws {
        guard let packed = Self.pack(response) else { return }
        let sealed = try vault.seal(packed.bytes, at: place(caller), for: scope.organization, in: database)
        try database.execute(
            """
            UPDATE idempotent_answers
               SET status = \(response.status.code), answer_sealed = \(sealed)
             WHERE caller = \(caller)
            """)
    }

    private func place(_ caller: [UInt8]) -> Vault.Place {
        Vault.Place("idempotent_answers", row: caller, "answer_sealed")
    }

    private static func pack(_ response: Response) -> JSON? {
        guard case .bytes(let body) = response.body else { return nil }
        var headers: [JSON] = []
        response.headers.forEach { headers.append([.string($0), .string($1)]) }
        return ["headers": .array(headers), "body": .string(Base64.encode(body))]
    }

    private static func unpack(_ packed: JSON, status: Int) -> Response {
        var response = Response(status: Status(status), body: .bytes(Base64.decode(packed["body"]?.text ?? "") ?? []))
        for header in packed["headers"]?.elements ?? [] {
            if let name = header[0]?.text, let value = header[1]?.text { response.headers.add(name, value) }
        }
        return response
    }
}
