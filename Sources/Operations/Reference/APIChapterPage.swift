import AdminShell
import Domain
import HTTPKit
import JSONKit
import TemplateKit

/// A chapter of the description for people, seen while signed in.
struct APIChapterPage: ShellPage {
    static let template = "api-chapter"
    static let sample = APIChapterPage(chapter: .sample)
    let chapter: APIChapterView

    var title: String { "\(chapter.tag.name) · API reference" }
    var place: Place? { .apiReference }
    var view: TemplateValue { chapter.view }
}

/// A chapter of the description for people, seen while signed out.
struct BareAPIChapterPage: ShellPage {
    static let template = "api-chapter-bare"
    static let isBare = true
    static let sample = BareAPIChapterPage(chapter: .sample)
    let chapter: APIChapterView

    var title: String { "\(chapter.tag.name) · API reference" }
    var place: Place? { nil }
    var view: TemplateValue { chapter.view }
}

/// What both pages show: the operations of a chapter with all there is to know of them.
struct APIChapterView: Sendable {
    let reference: APIReferenceView
    let tag: APITag

    static let sample = APIChapterView(.sample, named: "things")!

    /// The chapter of that name; nil when there is none.
    init?(_ reference: APIReferenceView, named name: String) {
        guard let tag = reference.document.tags.first(where: { APIReferenceView.anchor($0.name) == name }) else {
            return nil
        }
        self.reference = reference
        self.tag = tag
    }

    var view: TemplateValue {
        [
            "reference_href": .text(reference.base + APIReferenceRoute.page.path), "name": .text(tag.name),
            "about": reference.prose(tag.about),
            "chapters": .list(
                reference.document.tags.map { other in
                    [
                        "name": .text(other.name), "href": .text(reference.href(other)),
                        "is_current": .bool(other == tag),
                    ]
                }),
            "operations": .list(reference.document.entries.filter { $0.path.tag == tag }.map(view)),
        ]
    }

    private func view(_ entry: APIDocument.Entry) -> TemplateValue {
        let operation = entry.operation
        return [
            "id": .text(operation.id), "method": .text(entry.method.name),
            "kind": .text(entry.kind),
            "path": .text(entry.path.template), "summary": reference.prose(operation.summary),
            "details": operation.details.isEmpty ? .null : ["text": reference.prose(operation.details)],
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
            "is_optional": .bool(!parameter.isRequired), "meaning": reference.prose(parameter.meaning),
        ]
    }

    private func row(_ problem: APIProblem) -> TemplateValue {
        [
            "status": .text("\(problem.status.code)"), "code": .text(problem.code),
            "meaning": reference.prose(problem.meaning),
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
            "status": .text(answer.status.map { "\($0.code)" } ?? "Any"), "meaning": reference.prose(answer.meaning),
            "fields": table(rows),
        ]
    }

    private func rows(of schema: JSONSchema, below place: String = "") -> [TemplateValue] {
        schema.rows(below: place).map { row in
            [
                "name": .text(row.name), "type": .text(row.type), "is_optional": .bool(row.isOptional),
                "meaning": reference.prose(row.meaning),
            ]
        }
    }

    /// The operation as one would try it in a shell.
    private func curl(_ entry: APIDocument.Entry) -> String {
        let address = entry.ownParameters.filter { $0.place == .path }.reduce(reference.base + entry.path.template) {
            address, part in
            address.replacing("{\(part.name)}", with: part.schema.example.text ?? "")
        }
        var lines = ["curl \(entry.method == .get ? "" : "-X \(entry.method.name) ")'\(address)'"]
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
