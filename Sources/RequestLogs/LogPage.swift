import AdminShell
import TemplateKit

/// The requests, the newest first.
struct LogPage: ShellPage {
    static let template = "request-log"
    static let sample = LogPage()

    var title: String { "Requests" }
    var place: Place? { .requestLogs }
    var view: TemplateValue { [:] }
}
