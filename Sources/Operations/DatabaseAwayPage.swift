import AdminShell
import TemplateKit

/// The database does not answer: a page that needs none.
struct DatabaseAwayPage: ShellPage {
    static let template = "database-away"
    static let isBare = true
    static let sample = DatabaseAwayPage(retrySeconds: 5, retryHref: "/connections", requestID: "9f86d081884c7d65")

    let retrySeconds: Int
    let retryHref: String
    let requestID: String

    var title: String { "The database does not answer" }
    var place: Place? { nil }

    var view: TemplateValue {
        ["retry_seconds": TemplateValue(retrySeconds), "retry_href": .text(retryHref), "request_id": .text(requestID)]
    }
}
