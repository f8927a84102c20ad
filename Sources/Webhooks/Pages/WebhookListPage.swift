import AdminShell
import Domain
import TemplateKit
import TimeKit

/// The organization's webhooks, and how each does.
struct WebhookListPage: ShellPage {
    /// One line.
    struct Line: Sendable {
        let webhook: WebhookRecord
        let health: WebhookHealth
        let href: String
    }

    static let template = "webhooks"
    static let sample = WebhookListPage(
        canCreate: true, newHref: "/webhooks/new",
        lines: [
            Line(
                webhook: .sample,
                health: WebhookHealth(
                    last: .init(at: Timestamp(seconds: 60), status: 503, reason: .status), delivered: 90, failed: 2,
                    waiting: 3), href: "/webhooks/1")
        ], held: 1, limit: 20, firstHref: "/webhooks", nextHref: "/webhooks?cursor=x", now: Timestamp(seconds: 7_200))

    let canCreate: Bool
    let newHref: String
    let lines: [Line]
    /// How many the one who looks holds; nil where nobody counts.
    let held: Int?
    let limit: Int
    let firstHref: String?
    let nextHref: String?
    let now: Timestamp

    var title: String { "Webhooks" }
    var place: Place? { .webhooks }

    var view: TemplateValue {
        [
            "can_create": .bool(canCreate), "new_href": .text(newHref),
            "has_webhooks": .bool(!lines.isEmpty || firstHref != nil),
            "quota": held.map { .text("You hold \($0) of at most \(limit).") } ?? .null,
            "attention": .list(attention), "webhooks": .list(lines.map(view)), "pagination": pagination,
        ]
    }

    private var attention: [TemplateValue] {
        lines.filter { $0.webhook.needsSomebody(now: now) }.prefix(3).map { line in
            let title =
                line.webhook.state == .disabled
                ? "“\(line.webhook.name)” is disabled."
                : "“\(line.webhook.name)” fails for \(line.webhook.failingTime(now: now))."
            let waiting =
                line.health.waiting == 0 ? "" : " \(Self.waiting(line.health.waiting)) waiting."
            return [
                "tone": "bad", "title": .text(title),
                "text": .text((line.health.last?.words ?? line.webhook.sentence(now: now)) + waiting),
                "href": .text(line.href), "label": "Look at it",
            ]
        }
    }

    private static func waiting(_ count: Int) -> String {
        count == WebhookHealth.mostWaiting
            ? "More than \(count.grouped) deliveries are"
            : count == 1 ? "1 delivery is" : "\(count.grouped) deliveries are"
    }

    private func view(_ line: Line) -> TemplateValue {
        let (webhook, health) = (line.webhook, line.health)
        let names = webhook.events.map(\.description)
        let shown = names.count > 2 ? names.prefix(1) + ["+\(names.count - 1) more"] : names[...]
        return [
            "href": .text(line.href), "name": .text(webhook.name), "url": .text(webhook.urlShown),
            "events": .list(shown.map { ["text": .text($0)] }), "state": webhook.stateView(now: now),
            "since": webhook.state == .active ? webhook.failingSince?.view(now: now) ?? .null : .null,
            "last": health.last.map { last in
                ["text": .text(last.short), "is_bad": .bool(last.reason != nil), "at": last.at.view(now: now)]
            } ?? .null,
            "success": health.delivered + health.failed == 0
                ? .null
                : [
                    "share": .text(Share(health.delivered, of: health.delivered + health.failed).words),
                    "of": .text((health.delivered + health.failed).counted("attempt", "attempts")),
                ],
            "waiting": health.waiting == 0 ? .null : .text(Self.count(health.waiting)),
        ]
    }

    private static func count(_ waiting: Int) -> String {
        waiting == WebhookHealth.mostWaiting ? "\(waiting.grouped)+" : waiting.grouped
    }

    private var pagination: TemplateValue {
        guard firstHref != nil || nextHref != nil else { return .null }
        return [
            "text": .text("\(lines.count.counted("webhook", "webhooks")), newest first"),
            "first_href": TemplateValue(firstHref), "next_href": TemplateValue(nextHref),
        ]
    }
}

extension WebhookHealth.Outcome {
    /// The outcome in a word or two.
    var short: String { status.map { "\($0)" } ?? reason?.shortWords ?? "—" }

    /// The outcome in a sentence.
    var words: String { reason?.sentence(status: status) ?? "The receiver answered with status \(status ?? 0)." }
}
