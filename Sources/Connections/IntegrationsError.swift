import HTTPKit

/// Why a function of ``Integrations`` gave nothing.
public enum IntegrationsError: Error, Equatable, CustomStringConvertible {
    /// There is no such connection, or it has no credentials.
    case notConfigured
    /// It was removed.
    case deleted
    /// This cannot be the name of a connection.
    case invalidProviderKey
    /// It does not work; why.
    case invalid(String)
    /// The hub refused for another reason.
    case refused(Problem)
    /// The database did not answer.
    case unavailable

    init(_ problem: Problem) {
        switch problem.code {
        case Self.notConfigured.code: self = .notConfigured
        case Self.deleted.code: self = .deleted
        case Self.invalidProviderKey.code: self = .invalidProviderKey
        default: self = .refused(problem)
        }
    }

    /// The stable word of the reason.
    public var code: String {
        switch self {
        case .notConfigured: "not_configured"
        case .deleted: "deleted"
        case .invalidProviderKey: "invalid_provider_key"
        case .invalid: "invalid"
        case .refused(let problem): problem.code
        case .unavailable: "unavailable"
        }
    }

    /// The reason in words safe to show.
    public var description: String {
        switch self {
        case .notConfigured: "There is no such connection, or it has no credentials."
        case .deleted: "This connection was removed."
        case .invalidProviderKey: "A connection is named by its id, its provider, or provider:name."
        case .invalid(let reason): reason
        case .refused(let problem): problem.detail
        case .unavailable: "The database did not answer."
        }
    }
}
