import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// The figures of a stretch of time, beside those of the time before.
struct UsagePage: ShellPage {
    static let template = "usage"
    static let sample = UsagePage(
        address: FilterAddress("/usage", .empty), logAddress: FilterAddress("/request-logs", .empty), range: .week,
        actor: nil, keys: [LogPage.Key(id: Identifier(.real), name: "billing")], figures: .sample, before: Tally(),
        isLimited: true, newKeyHref: "/api-keys/new")

    let address: FilterAddress
    /// The log, narrowed to the same time and key.
    let logAddress: FilterAddress
    let range: RecentRange?
    let actor: [UInt8]?
    let keys: [LogPage.Key]
    let figures: UsageFigures
    /// The stretch of the same length before.
    let before: Tally
    let isLimited: Bool
    let newKeyHref: String?

    var title: String { "Usage of \(spanWords)" }
    var place: Place? { .usage }

    var view: TemplateValue {
        let spans = UsageSpans(figures)
        return [
            "span": .text(spanWords), "is_limited": .bool(isLimited),
            "has_requests": .bool(figures.total.requests > 0),
            "has_ever": .bool(figures.total.requests > 0 || before.requests > 0 || range == nil || actor != nil),
            "csv_href": .text(address.setting([("format", "csv")])), "log_href": .text(logAddress.setting([])),
            "new_key_href": TemplateValue(newKeyHref),
            "ranges": .list(RecentRange.links(RecentRange.ofUsage, chosen: range, in: address)), "filters": filters,
            "figures": .list(headline), "pace": .text(spans.times.pace),
            "requests": spans.requests.view(id: "requests"),
            "latency": spans.latency.view(id: "latency"), "statuses": statuses.view,
            "endpoints": figures.byEndpoint.isEmpty ? .null : endpoints.view,
            "subjects": figures.bySubject.isEmpty || actor != nil ? .null : subjects.view,
        ]
    }

    /// `the last 7 days`, or the days themselves.
    private var spanWords: String {
        if let range { return "the last \(range.words)" }
        return "\(figures.since.day) to \((figures.until - .milliseconds(1)).day)"
    }

    private var filters: TemplateValue {
        let chosen = actor.flatMap { Identifier<APIKey>(bytes: $0)?.text }
        return [
            "action": .text(address.page),
            "keys": LogPage.options(
                keys.map { ($0.id.text, $0.name) }, chosen: chosen, none: "All keys", unknown: "Another key"),
            "range": range.map { .text($0.rawValue) } ?? .null,
            "since": .text(range == nil ? String(figures.since.rfc3339.prefix(10)) : ""),
            "until": .text(range == nil ? String((figures.until - .milliseconds(1)).rfc3339.prefix(10)) : ""),
        ]
    }

    // MARK: Figures

    private var headline: [TemplateValue] {
        let (now, then) = (figures.total, before)
        let mean = now.averageMilliseconds.map { Duration.milliseconds($0) }
        let p95 = now.milliseconds(at: 0.95).map { Duration.milliseconds($0) }
        return [
            figure("Requests", now.requests.grouped, Comparison.amounts(now.requests, then.requests)),
            figure("Succeeded", Share(now.succeeded, of: now.requests).words, Comparison.rates(now, then)),
            figure(
                "Mean time", mean?.latency ?? "—",
                Comparison.times(now.averageMilliseconds, then.averageMilliseconds)),
            figure(
                "95 % within", p95?.latency ?? "—",
                Comparison.times(now.milliseconds(at: 0.95), then.milliseconds(at: 0.95))),
        ]
    }

    private func figure(_ label: String, _ value: String, _ note: String) -> TemplateValue {
        ["label": .text(label), "value": .text(value), "note": .text(note)]
    }

    // MARK: Rankings

    /// How many lines a ranking has; what is beyond is told in one more.
    private static let most = 10

    private var endpoints: Ranking {
        let told = figures.byEndpoint.filter { !$0.isRest }
        var rest = figures.byEndpoint.first(where: \.isRest)?.tally ?? Tally()
        for endpoint in told.dropFirst(Self.most) { rest.add(endpoint.tally) }
        let lines = told.prefix(Self.most).map { endpoint in
            Ranking.Line(
                "\(endpoint.method) \(endpoint.route)",
                href: logAddress.setting([("method", endpoint.method), ("route", endpoint.route)]), isCode: true,
                amount: endpoint.tally.requests, failed: endpoint.tally.failed, cells: cells(endpoint.tally))
        }
        return Ranking(of: "Endpoint", columns: ["Failed", "Mean"], lines + others(rest))
    }

    private var subjects: Ranking {
        var rest = Tally()
        for subject in figures.bySubject.dropFirst(Self.most) { rest.add(subject.tally) }
        let lines = figures.bySubject.prefix(Self.most).map { subject in
            let id = subject.kind == .apiKey ? Identifier<APIKey>(bytes: subject.id)?.text : nil
            return Ranking.Line(
                subject.name ?? "no longer known", note: subject.kind == .apiKey ? nil : subject.kind.label,
                href: id.map { address.setting([("api_key_id", $0)]) }, amount: subject.tally.requests,
                failed: subject.tally.failed, cells: [subject.tally.failed.grouped])
        }
        return Ranking(of: "Key or person", columns: ["Failed"], lines + others(rest))
    }

    private func others(_ rest: Tally) -> [Ranking.Line] {
        rest.requests == 0
            ? [] : [Ranking.Line("All others", amount: rest.requests, failed: rest.failed, cells: cells(rest))]
    }

    private func cells(_ tally: Tally) -> [String] {
        [tally.failed.grouped, tally.averageMilliseconds.map { Duration.milliseconds($0).latency } ?? "—"]
    }

    private var statuses: Ranking {
        let counts = Dictionary(figures.byStatus.map { ($0.hundred, $0.requests) }, uniquingKeysWith: +)
        let words = [(2, "Succeeded"), (3, "Led elsewhere"), (4, "Refused"), (5, "Failed")]
        return Ranking(
            of: "Answer", columns: ["Share"],
            words.map { hundred, word in
                let count = counts[hundred] ?? 0
                return Ranking.Line(
                    "\(hundred)xx", note: word,
                    href: count > 0 ? logAddress.setting([("status", "\(hundred)xx")]) : nil, amount: count,
                    failed: hundred >= 4 ? count : 0, cells: [Share(count, of: figures.total.requests).words])
            })
    }
}

extension Duration {
    /// A time given with its fraction; what is no number is none.
    static func milliseconds(_ count: Double) -> Duration {
        .microseconds(count.isFinite ? Int64(max(0, min(count, 1e12)) * 1_000) : 0)
    }
}

extension Timestamp {
    /// `21 November 2026`, in UTC.
    var day: String { String(exact.prefix { $0 != "," }) }
}

extension UsageFigures {
    /// Figures for samples of pages: two hours, one of them with a failure.
    static let sample: UsageFigures = {
        var tally = Tally()
        tally.requests = 7
        tally.failed = 1
        tally.microseconds = 84_000
        for _ in 0..<7 { tally.latency.count(microseconds: 12_000) }
        let start = Timestamp(seconds: 0)
        return UsageFigures(
            since: start, until: start + .hours(2), unit: .hour, total: tally,
            series: [Point(at: start, tally: tally), Point(at: start + .hours(1), tally: Tally())],
            byDay: [Point(at: start, tally: tally)],
            byEndpoint: [
                Endpoint(method: "POST", route: "/api/v1/connections/{id}/test", tally: tally),
                Endpoint(method: "", route: "", tally: tally),
            ],
            bySubject: [Subject(kind: .user, id: [], name: nil, tally: tally)], byStatus: [(2, 6), (4, 1)])
    }()
}
