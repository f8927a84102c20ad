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
                        "operations": .list(entries.filter { $0.path.tag == tag }.map(view)),
                    ]
                }),
        ]
    }

    private static func anchor(_ name: String) -> String {
        String(name.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" })
    }

    private func view(_ entry: APIDocument.Entry) -> TemplateValue {
        let operation = entry.operation
        return [
            "id": .text(operation.id), "method": .text(entry.method.rawValue),
            "kind": .text(entry.method.isSafe ? "read" : entry.method == .delete ? "remove" : "write"),
            "path": .text(entry.path.template), "summary": prose(operation.summary),
            "details": operation.details.isEmpty ? .null : ["text": prose(operation.details)],
            "scope": scope(entry.access), "curl": .text(curl(entry)),
            "parameters": table((entry.ownParameters + entry.sharedParameters).map(row)),
            "body": table(operation.body.map { rows(of: $0) } ?? []),
            "answers": .list(operation.answers.map(view)), "problems": table(entry.problems.map(row)),
        ]
    }

    private func scope(_ access: Access) -> TemplateValue {
        switch access {
        case .open: ["code": .null, "words": "Anybody; no key is needed."]
        case .person: ["code": .null, "words": "Anybody who has signed in."]
        case .known: ["code": .null, "words": "Anybody who has come in, each shown what they may see."]
        case .right(let scope): ["code": .text(scope.description), "words": .null]
        }
    }

    /// Null without rows, so that nothing is headed that is not there.
    private func table(_ rows: [TemplateValue]) -> TemplateValue { rows.isEmpty ? .null : ["rows": .list(rows)] }

    private func row(_ parameter: APIParameter) -> TemplateValue {
        [
            "name": .text(parameter.name), "type": .text("\(parameter.schema.words), in the \(parameter.place.words)"),
            "is_optional": .bool(!parameter.isRequired), "meaning": prose(parameter.meaning),
        ]
    }

    private func row(_ problem: APIProblem) -> TemplateValue {
        [
            "status": .text("\(problem.status.code)"), "code": .text(problem.code),
            "meaning": prose(problem.meaning),
        ]
    }

    private func view(_ answer: APIAnswer) -> TemplateValue {
        let rows: [TemplateValue] =
            switch answer.content {
            case .json(let schema, _): self.rows(of: schema)
            case .list(let element, _): self.rows(of: element, below: "data[]")
            case .nothing, .passedOn, .other: []
            }
        return [
            "status": .text(answer.status.map { "\($0.code)" } ?? "Any"), "meaning": prose(answer.meaning),
            "fields": table(rows),
        ]
    }

    private func rows(of schema: JSONSchema, below place: String = "") -> [TemplateValue] {
        schema.rows(below: place).map { row in
            [
                "name": .text(row.name), "type": .text(row.type), "is_optional": .bool(row.isOptional),
                "meaning": prose(row.meaning),
            ]
        }
    }

    /// Text in which words between backticks are code.
    private func prose(_ text: String) -> TemplateValue {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
        return .list(
            parts.filter { !$1.isEmpty }.map { index, part in
                ["text": .text(String(part)), "is_code": .bool(index % 2 == 1)]
            })
    }

    /// The operation as one would try it in a shell.
    private func curl(_ entry: APIDocument.Entry) -> String {
        let address = entry.ownParameters.filter { $0.place == .path }.reduce(base + entry.path.template) {
            address, part in
            address.replacing("{\(part.name)}", with: part.schema.example.text ?? "")
        }
        var lines = ["curl \(entry.method == .get ? "" : "-X \(entry.method.rawValue) ")'\(address)'"]
        if entry.access != .open { lines.append("-H 'Authorization: Bearer KEY'") }
        if let body = entry.operation.body {
            let text = String(decoding: body.example.bytes, as: UTF8.self).replacing("'", with: #"'\''"#)
            lines += ["-H 'Content-Type: application/json'", "-d '\(text)'"]
        }
        return lines.joined(separator: " \\\n  ")
    }
}

extension APIParameter.Place {
    fileprivate var words: String {
        switch self {
        case .path: "path"
        case .query: "query"
        case .header: "header"
        }
    }
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
