import AdminShell
import Domain
import HTTPKit
import JSONKit
import TemplateKit

/// The description of the interface for people, seen while signed in.
struct APIReferencePage: ShellPage {
    static let template = "api-reference"
    static let sample = APIReferencePage(reference: .sample)
    let reference: APIReferenceView

    var title: String { "API reference" }
    var place: Place? { .apiReference }
    var view: TemplateValue { reference.view }
}

/// The description of the interface for people, seen while signed out.
struct BareAPIReferencePage: ShellPage {
    static let template = "api-reference-bare"
    static let isBare = true
    static let sample = BareAPIReferencePage(reference: .sample)
    let reference: APIReferenceView

    var title: String { "API reference" }
    var place: Place? { nil }
    var view: TemplateValue { reference.view }
}

/// What both pages show.
struct APIReferenceView: Sendable {
    let document: APIDocument
    /// Origin and mount of this hub.
    let base: String

    static let sample = APIReferenceView(
        document: APIDocument(
            OperationsRoute.described + [.sample], title: "Hub", version: "1", server: "https://hub.example",
            sessionCookie: "hub_session"), base: "https://hub.example")

    var view: TemplateValue {
        let entries = document.entries
        return [
            "openapi_href": .text(base + APIReferenceRoute.document.path), "count": .text("\(entries.count)"),
            "conventions": .list(
                APIDocument.conventions.map { ["title": .text($0.title), "text": prose($0.text)] }),
            "chapters": .list(
                document.tags.map { tag in
                    [
                        "id": .text(Self.anchor(tag.name)), "name": .text(tag.name), "about": prose(tag.about),
                        "href": .text(href(tag)),
                        "operations": .list(entries.filter { $0.path.tag == tag }.map { line($0, href(tag)) }),
                    ]
                }),
        ]
    }

    /// Where a chapter stands.
    func href(_ tag: APITag) -> String { base + APIReferenceRoute.chapter(Self.anchor(tag.name)).path }

    /// One operation in one line, which leads to all of it.
    private func line(_ entry: APIDocument.Entry, _ chapter: String) -> TemplateValue {
        [
            "href": .text("\(chapter)#\(entry.operation.id)"), "method": .text(entry.method.name),
            "kind": .text(entry.kind), "path": .text(entry.path.template), "summary": prose(entry.operation.summary),
        ]
    }

    /// The name of a chapter in addresses.
    static func anchor(_ name: String) -> String {
        String(name.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" })
    }

    /// Text in which words between backticks are code.
    func prose(_ text: String) -> TemplateValue {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
        return .list(
            parts.filter { !$1.isEmpty }.map { index, part in
                ["text": .text(String(part)), "is_code": .bool(index % 2 == 1)]
            })
    }
}

extension APIDocument.Entry {
    /// What it does to what is stored, in one word for the eye.
    var kind: String { method.isSafe ? "read" : method == .delete ? "remove" : "write" }
}

extension RouteDescription {
    /// An operation with everything that one can have.
    fileprivate static let sample = RouteDescription(
        path: "/api/v1/things/1", access: [.patch: .right(.write(.connections))],
        api: APIPath(
            "/api/v1/things/{id}", APITag("Things", "What there is."), isVersioned: true,
            [
                .patch: APIOperation(
                    "changeThing", "Changes a thing.", details: "Twice is `once`.",
                    parameters: [.query("deep", .truth(), "Whether to go deep.")],
                    body: .body(.required("name", .words(1...9, example: "it's"), "What it is called.")),
                    answers: .ok(.object(.required("id", .id, "Its id."))))
            ]))
}
