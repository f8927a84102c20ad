import AdminShell
import TemplateKit

/// One request in full.
struct LogEntryPage: ShellPage {
    static let template = "request-log-entry"
    static let sample = LogEntryPage()

    var title: String { "Requests" }
    var place: Place? { .requestLogs }
    var view: TemplateValue { [:] }
}
