import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import LogKit
import TimeKit

/// The protocol's addresses and who performs them.
extension OAuthServer {
    /// The routes of the protocol.
    var endpointRoutes: RoomRoutes {
        RoomRoutes(OAuthEndpointRoute.self) { route, call in
            switch route {
            case .authorize: try authorize(call)
            case .continueAuthorization: try continueAuthorization(call)
            default: try answerClient(route, call)
            }
        }
    }

    /// Who gives the tokens, as clients compare it: scheme, host and mount prefix, no slash at the end.
    var issuer: String { site.origin + site.mount }

    /// Answers a client; what goes wrong is told in the words of RFC 6749 §5.2.
    private func answerClient(_ route: OAuthEndpointRoute, _ call: Call) throws -> Response {
        do {
            return try perform(route, call)
        } catch let error as OAuthError {
            return error.response()
        } catch let error as DatabaseError where error.isAway {
            call.log.error("an OAuth endpoint could not answer", ["error": .init(String(reflecting: error))])
            let away = OAuthError(
                .temporarilyUnavailable, "The database is away; try again in a moment.", status: 503,
                headers: ["retry-after": "2"])
            return away.response()
        } catch let error as DatabaseError where error.code == .commitUnknown {
            call.log.error(
                "an OAuth endpoint cannot tell what became of it", ["error": .init(String(reflecting: error))])
            let unknown = OAuthError(
                .temporarilyUnavailable, "The database was lost on the way: it may have happened or not.", status: 503)
            return unknown.response()
        } catch let error where !(error is Problem) {
            call.log.error("an OAuth endpoint failed", ["error": .init(String(reflecting: error))])
            let failed = OAuthError(
                .serverError, "Something went wrong on our side. The incident is noted as \(call.request.id).",
                status: 500)
            return failed.response()
        }
    }

    private func perform(_ route: OAuthEndpointRoute, _ call: Call) throws -> Response {
        switch route {
        case .token: try token(call)
        case .revoke: try revoke(call)
        case .introspect: try introspect(call)
        case .push: try push(call)
        case .deviceAuthorization: try authorizeDevice(call)
        case .metadata: metadata()
        case .resourceMetadata: resourceMetadata()
        case .authorize, .continueAuthorization: throw Problem.notFound
        }
    }

    /// By what clients prove themselves.
    var authentication: ClientAuthentication {
        ClientAuthentication(limiter: limiter, guessesPerMinute: settings.guessesPerMinute)
    }

    /// The client of a request, its proof checked.
    func client(_ call: Call, _ form: OAuthForm) throws -> AppRecord {
        func prove() throws -> ClientAuthentication.Client {
            try authentication.client(call.request, form, at: world.now()) { try memory.app(clientID: $0) }
        }
        guard let header = ClientAuthentication.header(call.request, form) else { return try prove().app }
        return try memory.client(header, prove: prove)
    }

    /// Changes what apps and tokens are resolved with, and tells those who keep them in memory.
    func change<Result>(
        isolation: Database.Isolation = .repeatableRead, _ body: (Transaction) throws -> Result
    ) throws -> Result {
        try telling {
            try database.transaction(isolation: isolation) { transaction in
                let result = try body(transaction)
                try Generations.bump(Generations.oauth, in: transaction)
                return result
            }
        }
    }

    /// Runs a transaction that has counted a change by itself, and tells those who keep things in memory.
    ///
    /// - Parameter isChange: whether anything was changed after all, by what the transaction gave.
    func telling<Result>(
        _ body: () throws -> Result, when isChange: (Result) -> Bool = { _ in true }
    ) throws -> Result {
        do {
            let result = try body()
            if isChange(result) { memory.changed() }
            return result
        } catch let error as DatabaseError where error.code == .commitUnknown {
            // It may have happened.
            memory.changed()
            throw error
        }
    }
}
