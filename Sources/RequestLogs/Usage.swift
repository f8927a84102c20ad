import AdminShell
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// The figures as JSON and as a table.
extension RequestLogs {
    /// How long a stretch of time is when nothing is said.
    static let usualRange = Duration.days(30)
    /// The longest stretch of time that is asked about at once.
    static let longestRange = Duration.days(366)

    /// Reads the fields of a query: `start_date`, `end_date`, `api_key_id`, `oauth_app_id`; the last thirty days unless
    /// something is said.
    ///
    /// - Throws: `Problem` 422 that names what is refused.
    func usageQuestion(_ query: inout Input) throws(Problem) -> UsageQuestion {
        let (since, until) = Moments.range(&query)
        let key = query.parsed("api_key_id", orSay: "Write the id of a key.") { Identifier<APIKey>($0)?.bytes }
        let app = query.parsed("oauth_app_id", orSay: "Write the id of an app.") { Identifier<APIKey>($0)?.bytes }
        let end = until ?? max(world.now(), since ?? world.now()) + .seconds(1)
        let begin = since ?? end - Self.usualRange
        if end - begin > Self.longestRange {
            query.refuse("start_date", "out_of_range", "Ask about 366 days at most.")
        }
        if key != nil, app != nil { query.refuse("oauth_app_id", "invalid", "Name a key or an app, not both.") }
        guard query.isComplete else { throw query.refusal }
        return UsageQuestion(since: begin, until: end, actor: key ?? app)
    }

    func usageJSON(_ call: Call) throws -> Response {
        var query = Input(try call.request.query())
        let question = try usageQuestion(&query)
        let figures = try figures(question, by: call.scope())
        return .json(["total_requests": JSON(Int?(figures.total.requests))])
    }
}
