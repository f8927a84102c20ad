import AdminShell
import CipherKit
import HTTPKit
import JSONKit

/// The description of the interface for scripts: for programs as OpenAPI 3.1, for people as a page.
public struct APIReference: Sendable {
    /// What is described.
    public let document: APIDocument
    private let bytes: [UInt8]
    private let tag: String

    /// The description; written once, since every client asks for the same.
    public init(_ document: APIDocument) {
        self.document = document
        bytes = document.json.bytes
        tag = "\"\(Hex.encode(SHA256.digest(bytes).prefix(12)))\""
    }

    /// The routes and who performs them.
    public var routes: RoomRoutes {
        RoomRoutes(APIReferenceRoute.self) { route, call in
            switch route {
            case .document: answer
            case .page: try page(call)
            }
        }
    }

    /// Open and the same for all: whoever keeps it asks whether it is still right.
    private var answer: Response {
        Response(
            headers: ["content-type": "application/json", "etag": tag, "cache-control": "public, no-cache"],
            body: .bytes(bytes))
    }

    /// In the frame for those who have signed in, without it for everybody else.
    private func page(_ call: Call) throws -> Response {
        let view = APIReferenceView(document: document, base: call.shell.site.origin + call.shell.site.mount)
        guard call.organization != nil else { return try call.page(BareAPIReferencePage(reference: view)) }
        return try call.page(APIReferencePage(reference: view))
    }
}
