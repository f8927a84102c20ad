import AdminShell
import CipherKit
import HTTPKit
import JSONKit
import ThreadKit

/// The description of the interface for scripts: for programs as OpenAPI 3.1, for people as pages.
public struct APIReference: Sendable {
    /// What is described.
    public let document: APIDocument
    private let written: Once<Written>

    /// The document as it is sent, and its entity tag.
    private struct Written: Sendable {
        let bytes: [UInt8]
        let tag: String

        init(_ document: APIDocument) {
            bytes = document.json.bytes
            tag = "\"\(Hex.encode(SHA256.digest(bytes).prefix(12)))\""
        }
    }

    /// The description. It is written once, since every client asks for the same, and not before the first asks: a worker
    /// that begins has more urgent things to do.
    public init(_ document: APIDocument) {
        self.document = document
        written = Once { Written(document) }
    }

    /// The routes and who performs them.
    public var routes: RoomRoutes {
        RoomRoutes(APIReferenceRoute.self) { route, call in
            switch route {
            case .document: answer
            case .page: try page(call)
            case .chapter(let name): try chapter(name, call)
            }
        }
    }

    /// Open and the same for all: whoever keeps it asks whether it is still right.
    private var answer: Response {
        let written = written.value
        return Response(
            headers: ["content-type": "application/json", "etag": written.tag, "cache-control": "public, no-cache"],
            body: .bytes(written.bytes))
    }

    /// In the frame for those who have signed in, without it for everybody else.
    private func page(_ call: Call) throws -> Response {
        let view = view(call)
        guard call.organization != nil else { return try call.page(BareAPIReferencePage(reference: view)) }
        return try call.page(APIReferencePage(reference: view))
    }

    /// One chapter, likewise.
    private func chapter(_ name: String, _ call: Call) throws -> Response {
        guard let chapter = APIChapterView(view(call), named: name) else { throw Problem.notFound }
        guard call.organization != nil else { return try call.page(BareAPIChapterPage(chapter: chapter)) }
        return try call.page(APIChapterPage(chapter: chapter))
    }

    private func view(_ call: Call) -> APIReferenceView {
        APIReferenceView(document: document, base: call.shell.site.origin + call.shell.site.mount)
    }
}
