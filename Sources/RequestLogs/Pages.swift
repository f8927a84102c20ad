import AdminShell
import Domain
import HTTPKit

/// The log and its figures as pages.
extension RequestLogs {
    func logPage(_ call: Call) throws -> Response {
        let question = try LogQuestion(call.request)
        if question.wantsTable { return try logTable(question, call) }
        return try call.page(LogPage())
    }

    func entryPage(_ id: Identifier<LoggedRequest>, _ call: Call) throws -> Response {
        guard try entry(id, by: call.scope()) != nil else { throw Problem.notFound }
        return try call.page(LogEntryPage())
    }

    func usagePage(_ call: Call) throws -> Response {
        var query = Input(try call.request.query())
        _ = try figures(usageQuestion(&query), by: call.scope())
        return try call.page(UsagePage())
    }
}
