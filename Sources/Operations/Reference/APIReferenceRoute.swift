import AdminShell
import Domain
import HTTPKit
import JSONKit

/// The addresses of the API's description.
public enum APIReferenceRoute: Route {
    /// The description for programs.
    case document
    /// The same for people: what there is, chapter by chapter.
    case page
    /// The operations of one chapter in full, by its name in lower case.
    case chapter(String)

    /// Reads a path; nil when it is none of these.
    public init?(_ path: Path) {
        switch path.pattern {
        case "api/openapi.json": self = .document
        case "api/docs": self = .page
        default:
            guard Self.isForBrowsers(path), path.segments.count == 3 else { return nil }
            self = .chapter(path.segments[2])
        }
    }

    /// Whether an address is one of the pages.
    public static func isForBrowsers(_ path: Path) -> Bool { path[0] == "api" && path[1] == "docs" }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .document: "/api/openapi.json"
        case .page: "/api/docs"
        case .chapter(let name): "/api/docs/\(Percent.encode(name))"
        }
    }

    /// Anybody may read what the interface is.
    public var access: MethodAccess { [.get: .open] }

    /// One of each case.
    public static let samples: [APIReferenceRoute] = [.document, .page, .chapter("connections")]

    /// A chapter is named in words.
    public var parameter: PathParameter? {
        if case .chapter = self { PathParameter(2, "chapter") } else { nil }
    }

    /// What scripts can do at this address; nil for the pages.
    public var api: APIPath? {
        switch self {
        case .page, .chapter: nil
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
