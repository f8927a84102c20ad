import HTTPKit
import TemplateKit

/// What went wrong, for people.
struct ErrorPage: Sendable {
    let problem: Problem
    let requestID: String
    let home: String

    var title: String {
        switch problem.status.code {
        case 401: "Sign in first"
        case 403: "This is not yours to do"
        case 404: "There is nothing here"
        case 405: "That cannot be done here"
        case 409: "That clashes with something"
        case 412: "Somebody was faster"
        case 413: "That was too much"
        case 429: "A moment, please"
        case 503: "The hub cannot answer just now"
        case 500...: "Something went wrong"
        default: "That did not work"
        }
    }

    var view: [String: TemplateValue] {
        [
            "status": .number(Int64(problem.status.code)), "title": .text(title), "text": .text(problem.detail),
            "request_id": .text(requestID), "link": ["href": .text(home), "label": "Go to the overview"],
        ]
    }

    static let sample = ErrorPage(problem: .notFound, requestID: "b4c1a2d3e4f5a6b7", home: "/")
}

/// An error, seen while signed in.
struct FramedErrorPage: ShellPage {
    static let template = "error"
    static let sample = FramedErrorPage(error: .sample)
    let error: ErrorPage

    var title: String { error.title }
    var place: Place? { nil }
    var view: TemplateValue { .object(error.view) }
}

/// An error, seen while signed out.
struct BareErrorPage: ShellPage {
    static let template = "error-bare"
    static let isBare = true
    static let sample = BareErrorPage(error: .sample)
    let error: ErrorPage

    var title: String { error.title }
    var place: Place? { nil }
    var view: TemplateValue { .object(error.view) }
}
