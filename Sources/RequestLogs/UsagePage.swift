import AdminShell
import TemplateKit

/// The figures of a stretch of time.
struct UsagePage: ShellPage {
    static let template = "usage"
    static let sample = UsagePage()

    var title: String { "Usage" }
    var place: Place? { .usage }
    var view: TemplateValue { [:] }
}
