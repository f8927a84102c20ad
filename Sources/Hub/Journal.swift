import Domain
import HTTPKit
import Synchronization
import TimeKit

/// Hands the answered requests of the hub's interface to the request log.
///
/// A request is noted before its answer leaves: one that somebody has got stands in the log, whatever is killed the moment
/// after. Only those of callers who are known are noted, and only what scripts call: neither pages nor signs of life, nor
/// the gate's questions, which nginx writes down itself.
struct Journal: Sendable {
    /// The wall clock.
    let now: @Sendable () -> Timestamp
    /// Keeps a request.
    let write: @Sendable (LoggedRequest) -> Void

    /// A journal that nobody keeps.
    static let none = Journal(now: { .now() }, write: { _ in })

    /// Notes an answer.
    ///
    /// What is streamed is noted at its end, when its bytes are counted and before the gateway can have seen that it is
    /// the end: libfcgi's last record follows.
    func note(_ request: Request, _ visit: House.Visit, _ response: inout Response) {
        guard let principal = visit.caller.principal, !visit.route.isEmpty,
            let organization = Self.organization(visit, principal)
        else { return }
        let entry: @Sendable (Int) -> LoggedRequest = { [now, status = response.status.code] bytes in
            LoggedRequest(
                at: request.received, organization: organization, surface: .api, actorKind: principal.actor.kind,
                actorID: principal.actor.id, connection: Self.connection(request.path),
                method: request.method.name, route: visit.route, path: request.path.text, status: status,
                duration: now() - request.received, bytes: bytes, address: request.remoteAddress,
                userAgent: request.headers["user-agent"] ?? "", requestID: request.id, code: visit.problem)
        }
        guard request.method != .head else {
            write(entry(0))
            return
        }
        note(&response, entry)
    }

    private func note(_ response: inout Response, _ entry: @escaping @Sendable (Int) -> LoggedRequest) {
        let write = write
        switch response.body {
        case .bytes(let bytes): write(entry(bytes.count))
        case .stream(let produce):
            response.body = .stream { put in
                var count = 0
                defer { write(entry(count)) }
                try produce { piece in
                    count += piece.count
                    try put(piece)
                }
            }
        case .relay(let produce):
            response.body = .relay { put, flush in
                var count = 0
                defer { write(entry(count)) }
                try produce(
                    { piece in
                        count += piece.count
                        try put(piece)
                    }, flush)
            }
        }
    }

    /// Whose log it stands in: where it was refused before the organization was settled, that of a caller who has but one.
    private static func organization(_ visit: House.Visit, _ principal: Principal) -> Identifier<Organization>? {
        if let scope = visit.organization { return scope.organization }
        return principal.memberships.count == 1 ? principal.memberships[0].organization : nil
    }

    /// The connection that an address names by its id.
    private static func connection(_ path: Path) -> Identifier<Connection>? {
        let steps = path.segments
        let names: Set<String> = ["connections", "platform-integrations"]
        guard let place = steps.firstIndex(where: names.contains), place + 1 < steps.count else { return nil }
        return Identifier<Connection>(steps[place + 1])
    }
}
