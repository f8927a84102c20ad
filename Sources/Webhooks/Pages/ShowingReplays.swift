import AdminShell
import Domain
import HTTPKit
import TimeKit

/// Sending many again, as people ask for it: counted first, then confirmed, then watched.
extension Webhooks {
    func replayPage(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let webhook = try find(id, scope)
        let query = try call.request.query()
        guard !query.pairs.isEmpty else { return try call.page(replayPage(webhook, call)) }
        return try call.perform {
            var input = Input(query)
            let wanted = try wanted(&input, of: webhook)
            return try call.page(
                replayPage(webhook, call, typed: query, counted: .init(wanted: wanted, count: replays.count(wanted))))
        } orShow: { problem in
            try replayPage(webhook, call, typed: query, problem: problem)
        }
    }

    /// Begins what was counted and confirmed.
    func beginReplay(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        let scope = try call.scope()
        let webhook = try find(id, scope)
        return try call.perform {
            var input = Input(form)
            let replay = try replay(try wanted(&input, of: webhook), by: scope)
            return call.redirect(to: WebhookPageRoute.replayStatus(replay.id))
        } orShow: { problem in
            try replayPage(webhook, call, typed: form, problem: problem)
        }
    }

    /// Reads what is to be sent again: a range that ends now, or two moments.
    private func wanted(_ input: inout Input, of webhook: WebhookRecord) throws(Problem) -> ReplayStore.Wanted {
        let now = world.now()
        let range = input.parsed("range", orSay: "There is no such range.") { ReplayRange(rawValue: $0) } ?? .own
        let sentence = "Write a time as 2027-01-31T00:00, in UTC."
        var since = input.moment("since", orSay: sentence, by: Self.moment)
        var until = input.moment("until", orSay: sentence, by: Self.moment) ?? now
        if let length = range.length { (since, until) = (now - length, now) }
        since = input.required("since", since)
        let (selection, pattern) = Self.which(&input)
        if let since, since >= until { input.refuse("until", "out_of_range", "This must lie after the beginning.") }
        guard let since, input.isComplete else { throw input.refusal }
        return ReplayStore.Wanted(
            webhook: webhook, since: since, until: until, selection: selection, pattern: pattern)
    }

    /// A moment in RFC 3339, or as `<input type="datetime-local">` writes it, which is meant in UTC.
    private static func moment(_ text: String) -> Timestamp? {
        Timestamp(rfc3339: text) ?? Timestamp(rfc3339: text + "Z") ?? Timestamp(rfc3339: text + ":00Z")
    }

    private func replayPage(
        _ webhook: WebhookRecord, _ call: Call, typed: Form? = nil, problem: Problem? = nil,
        counted: ReplayPage.Counted? = nil
    ) throws -> ReplayPage {
        ReplayPage(
            webhook: webhook, links: WebhookLinks(webhook.id, call), typed: typed, problem: problem, counted: counted,
            recent: try replays.recent(of: webhook).map { ($0, call.link(WebhookPageRoute.replayStatus($0.id))) },
            now: world.now())
    }

    func replayStatusPage(_ id: Identifier<Replay>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        guard let replay = try replays.find(id, of: scope.organization) else { throw Problem.notFound }
        let webhook = try find(replay.webhook, scope)
        return try call.page(
            ReplayStatusPage(
                replay: replay, webhook: webhook, links: WebhookLinks(webhook.id, call), now: world.now()))
    }
}
