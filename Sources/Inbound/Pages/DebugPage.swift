import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// Why a request is refused, check by check, and how close it was.
struct DebugPage: ShellPage {
    /// A request that was kept.
    struct Kept: Sendable {
        let refusal: RefusalRecord
        let envelope: Envelope?
    }

    static let template = "inbound-debug"
    static let sample = DebugPage(
        name: "Slack of the shop", showHref: "/inbound-sources/1", action: "/inbound-sources/1/debug",
        examination: Examination(
            Arrival(url: "https://hub.example/inbound/1", headers: [:], body: []),
            OpenSource(
                source: InboundSource(SourceRecord.sample.origin, secrets: []), scheme: .slack, recipe: nil,
                bodyLimit: 1, perMinute: 1, endsAt: nil, isLocked: false), at: Timestamp(seconds: 0)),
        kept: Kept(
            refusal: .sample,
            envelope: Envelope(Arrival(url: "/", headers: ["a": "b"], body: [0x7b]), isProved: false)),
        refusals: [(.sample, "/inbound-refusals/1")], typed: nil, problem: nil, now: Timestamp(seconds: 7_200))

    /// What the source is called.
    let name: String
    let showHref: String
    let action: String
    let examination: Examination?
    let kept: Kept?
    /// The latest requests that were refused; nil where one of them is looked at.
    let refusals: [(refusal: RefusalRecord, href: String)]?
    let typed: Form?
    let problem: Problem?
    let now: Timestamp

    var title: String { kept == nil ? "Why is it refused?" : "Why was it refused?" }
    var place: Place? { .inbound }

    private static let mostShown = 16_384

    var view: TemplateValue {
        let form = FormView(
            [
                FormField(
                    "headers", "Headers", .lines(rows: 7), help: "One per line, as Name: value.", width: .wide),
                FormField(
                    "body", "Body", .lines(rows: 8), help: "Exactly as it was sent.", isOptional: true, width: .wide),
                FormField(
                    "url", "Address", .line(type: "url", autocomplete: "off", inputMode: "url", isPlain: true),
                    help: "As the sender has it; the source’s own when left empty.", isOptional: true, width: .wide),
                FormField(
                    "received_at", "When it was sent", .code,
                    help: "A time such as 2027-01-31T00:00:00Z; now when left empty.", isOptional: true, maxLength: 40),
            ], typed: typed, problem: problem)
        return .object(
            [
                "show_href": .text(showHref), "name": .text(name), "action": .text(action),
                "examination": examination.map(Self.view) ?? .null, "kept": kept.map(view) ?? .null,
                "listing": refusals.map { ["refusals": .list($0.map(line))] } ?? .null,
                // Below a verdict that is to be read, the form waits.
                "fields": examination == nil ? form.list : form.quietList,
            ].merging(form.members) { one, _ in one })
    }

    private func view(_ kept: Kept) -> TemplateValue {
        let body = kept.envelope?.body ?? []
        return [
            "from": .text(kept.refusal.remoteAddress), "at": kept.refusal.received.view(now: now),
            "is_sealed": .bool(kept.envelope == nil),
            "headers": .list(
                (kept.envelope?.shown ?? []).map { ["name": .text($0.name), "value": .text($0.value)] }),
            "body": body.isEmpty ? .null : .text(String(decoding: body.prefix(Self.mostShown), as: UTF8.self)),
            "is_cut": .bool(!kept.refusal.isWhole || body.count > Self.mostShown),
        ]
    }

    private func line(_ row: (refusal: RefusalRecord, href: String)) -> TemplateValue {
        [
            "href": .text(row.href), "detail": .text(row.refusal.detail), "from": .text(row.refusal.remoteAddress),
            "at": row.refusal.received.view(now: now),
        ]
    }

    private static func view(_ examination: Examination) -> TemplateValue {
        [
            "is_refused": .bool(examination.failure != nil), "sentence": .text(examination.sentence),
            "checks": .list(
                examination.checks.map { check, outcome in
                    let (tone, word) =
                        switch outcome {
                        case .passed: ("good", "Passed")
                        case .failed: ("bad", "Failed")
                        case .notReached: ("off", "Not reached")
                        }
                    return [
                        "question": .text(check.question), "state": ["tone": .text(tone), "word": .text(word)],
                        "detail": outcome == .failed ? TemplateValue(examination.failure?.sentence) : .null,
                    ]
                }),
            "hints": .list(examination.hints.map { .text($0.sentence) }),
            "has_hints": .bool(!examination.hints.isEmpty),
        ]
    }
}
