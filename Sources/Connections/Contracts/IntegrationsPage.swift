import AdminShell
import HTTPKit

/// The list by the name that the contract “Integrations Hub” knows it by, where a sign-in ends.
extension Connections {
    /// Goes on to the list; `?success=` and `?error=` are told there, unless the sign-in has left word of itself.
    ///
    /// Whoever makes such a link cannot put words of their own there: only services and reasons that are known are told,
    /// and a success only of what is connected.
    func integrationsPage(_ call: Call) throws -> Response {
        let query = try call.request.query()
        guard !call.isToldSomething else { return call.redirect(to: ConnectionRoute.list) }
        if let provider = query["success"].flatMap({ catalogue[$0] }) {
            let isThere = try defaultConnections(of: [provider.key], call.scope()).contains { $0.isActive }
            return isThere
                ? call.redirect(to: ConnectionRoute.list, saying: "\(provider.name) connected.")
                : call.redirect(to: ConnectionRoute.list)
        }
        guard let code = query["error"] else { return call.redirect(to: ConnectionRoute.list) }
        return call.redirect(to: ConnectionRoute.list, saying: Self.sentence(ofError: code), .bad)
    }

    private static func sentence(ofError code: String) -> String {
        switch AuthorizationFailure.Code(rawValue: code) {
        case .accessDenied: "Access denied: connect again and allow it, or ask for less."
        case .invalidGrant:
            "Invalid grant: the authorization code expired or was used already. Connect again."
        case .insufficientScope: "Insufficient scope: connect again and allow what is asked for."
        case .invalidClient: "The service does not know this client. Check client ID and client secret."
        case .unreachable: "The service could not be reached. Try again in a moment."
        default: "The sign-in came to nothing. Start it again."
        }
    }
}
