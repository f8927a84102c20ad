import AdminShell
import CipherKit
import Domain
import HTTPKit
import TimeKit

/// The log and its figures as pages.
extension RequestLogs {
    func logPage(_ call: Call) throws -> Response {
        let question = try LogPageQuestion(call.request, now: world.now())
        if question.wantsTable { return try logTable(question.table, call) }
        let scope = try call.scope()
        let part = try part(question, of: store(scope))
        let address = FilterAddress(call.link(RequestLogsRoute.log), try call.request.query())
        return try call.page(
            LogPage(
                address: address, filter: question.filter, range: question.range, keys: keys(scope),
                entries: part.entries,
                newerHref: part.hasNewer
                    ? part.entries.first.map { address.setting([("newer", Self.cursor($0.id))]) } ?? address.setting([])
                    : nil,
                olderHref: part.hasOlder
                    ? part.entries.last.map { address.setting([("cursor", call.cursor(after: $0.id))]) } : nil,
                keptDays: settings.logDays, isLimited: scope.role == .member, example: example(call),
                newKeyHref: try newKeyHref(call), now: world.now()))
    }

    func entryPage(_ id: Identifier<LoggedRequest>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        guard let entry = try entry(id, by: scope) else { throw Problem.notFound }
        let request = entry.request
        let page = { (kind: String, id: [UInt8]?) in
            id.flatMap { neighbours.pageOf(kind, $0) }.map { call.shell.site.mount + $0 }
        }
        return try call.page(
            LogEntryPage(
                entry: entry, list: FilterAddress(call.link(RequestLogsRoute.log), .empty),
                actorHref: page(request.actorKind.rawValue, request.actorID),
                connectionHref: page("connection", request.connection?.bytes),
                auditHref: scope.allows(.read(.audit)) ? auditHref(of: request, call) : nil,
                usageHref: scope.allows(.read(.usage)) ? usageHref(of: request, call) : nil, now: world.now()))
    }

    func usagePage(_ call: Call) throws -> Response {
        let question = try UsagePageQuestion(call.request, of: self)
        let scope = try call.scope()
        let asked = question.asked
        if let table = question.table { return try Self.table(table, of: figures(asked, by: scope)) }
        let query = try call.request.query()
        let time =
            question.range == .month || question.range == .quarter
            ? []
            : query.pairs.filter {
                ["range", "start_date", "end_date"].contains($0.name)
            }
        let keyPair = query.pairs.filter { $0.name == "api_key_id" }
        return try call.page(
            UsagePage(
                address: FilterAddress(call.link(RequestLogsRoute.usage), query),
                logAddress: FilterAddress(call.link(RequestLogsRoute.log), Form(pairs: time + keyPair)),
                range: question.range, actor: asked.actor, keys: keys(scope), figures: figures(asked, by: scope),
                before: total(asked.before, by: scope), isLimited: scope.role == .member,
                newKeyHref: try newKeyHref(call)))
    }

    // MARK: -

    private func keys(_ scope: OrganizationScope) throws -> [LogPage.Key] {
        try directory.keys(for: scope).map { LogPage.Key(id: $0.id, name: $0.name) }
    }

    private func newKeyHref(_ call: Call) throws -> String? {
        try call.scope().allows(.write(.apiKeys)) ? neighbours.newKey.map { call.shell.site.mount + $0 } : nil
    }

    /// A command that leaves a first line in the log.
    private func example(_ call: Call) -> String {
        """
        curl -H "Authorization: Bearer $HUB_KEY" \\
             \(call.shell.site.origin)\(call.shell.site.mount)/api/v1/connections
        """
    }

    /// What the request changed, where it may have changed anything.
    private func auditHref(of request: LoggedRequest, _ call: Call) -> String? {
        guard let path = neighbours.auditLog, !["GET", "HEAD", "OPTIONS"].contains(request.method),
            !request.requestID.isEmpty, request.status < 400
        else { return nil }
        // The time is named as well: by it alone the log is quickly searched.
        let form = Form([
            ("request_id", request.requestID), ("since", (request.at - .minutes(1)).rfc3339),
            ("until", (request.at + request.duration + .minutes(1)).rfc3339),
        ])
        return "\(call.shell.site.mount)\(path)?\(form.urlencoded)"
    }

    private func usageHref(of request: LoggedRequest, _ call: Call) -> String? {
        guard request.actorKind == .apiKey, let id = request.actorID.flatMap({ Identifier<APIKey>(bytes: $0) }) else {
            return nil
        }
        return FilterAddress(call.link(RequestLogsRoute.usage), .empty)
            .setting([("range", RecentRange.month.rawValue), ("api_key_id", id.text)])
    }

    private static func cursor(_ id: Identifier<LoggedRequest>) -> String { Base64URL.encode(id.bytes) }
}
