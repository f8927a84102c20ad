import AdminShell
import Domain
import HTTPKit
import JSONKit

/// The addresses of the API's description.
public enum APIReferenceRoute: Route {
    /// The description for programs.
    case document
    /// The same for people.
    case page

    /// Reads a path; nil when it is none of these.
    public init?(_ path: Path) {
        switch path.pattern {
        case "api/openapi.json": self = .document
        case "api/docs": self = .page
        default: return nil
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .document: "/api/openapi.json"
        case .page: "/api/docs"
        }
    }

    /// Anybody may read what the interface is.
    public var access: [Method: Access] { [.get: .open] }

    /// One of each case.
    public static let samples: [APIReferenceRoute] = [.document, .page]

    /// What scripts can do at this address; nil for the page.
    public var api: APIPath? {
        switch self {
        case .page: nil
        case .document: Self.documentAPI
        }
    }

    private static let documentAPI = APIPath(
        "/api/openapi.json", APITag("Description", "This description."), isVersioned: true,
        [
            .get: APIOperation(
                "getDescription", "Gives this description, as OpenAPI 3.1.",
                answers: .ok(.map(to: .anything, example: ["openapi": "3.1.1"]), "The description."))
        ])
}
