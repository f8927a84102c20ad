import AdminShell
import Domain
import TemplateKit
import TimeKit

/// Where other services send their webhooks to.
struct SourceListPage: ShellPage {
    /// One line.
    struct Line: Sendable {
        let source: SourceRecord
        let provider: String
        let tile: TemplateValue
        /// When it last brought an event.
        let latest: Timestamp?
        let href: String
    }

    static let template = "inbound-sources"
    static let sample = SourceListPage(
        tabs: [["href": "/inbound-sources", "label": "Sources", "is_current": true]], canCreate: true,
        newHref: "/inbound-sources/new",
        lines: [
            Line(
                source: .sample, provider: "Slack", tile: ["letters": "Sl", "color": "plum"],
                latest: Timestamp(seconds: 60),
                href: "/inbound-sources/1")
        ], dead: 2, deadHref: "/inbound-events?state=dead", firstHref: "/inbound-sources",
        nextHref: "/inbound-sources?cursor=x", now: Timestamp(seconds: 7_200))

    let tabs: TemplateValue
    let canCreate: Bool
    let newHref: String
    let lines: [Line]
    let dead: Int
    let deadHref: String
    let firstHref: String?
    let nextHref: String?
    let now: Timestamp

    var title: String { "Inbound" }
    var place: Place? { .inbound }

    var view: TemplateValue {
        [
            "tabs": tabs, "can_create": .bool(canCreate), "new_href": .text(newHref),
            "has_sources": .bool(!lines.isEmpty || firstHref != nil), "attention": .list(attention),
            "sources": .list(
                lines.map { line in
                    [
                        "href": .text(line.href), "name": .text(line.source.name), "tile": line.tile,
                        "provider": .text(line.provider), "scheme": .text(line.source.scheme.words),
                        "state": line.source.stateView(at: now),
                        "latest": line.latest?.view(now: now) ?? .null,
                        "created": line.source.createdAt.view(now: now),
                    ]
                }),
            "pagination": firstHref == nil && nextHref == nil
                ? .null
                : [
                    "text": .text(lines.count.counted("source", "sources") + " on this page."),
                    "first_href": TemplateValue(firstHref), "next_href": TemplateValue(nextHref),
                ],
        ]
    }

    private var attention: [TemplateValue] {
        var list = lines.filter { $0.source.isClosed(at: now) }.prefix(3).map { line -> TemplateValue in
            [
                "tone": "bad", "title": .text("“\(line.source.name)” is closed."),
                "text": .text(line.source.sentence(at: now)), "href": .text(line.href), "label": "Open source",
            ]
        }
        if dead > 0 {
            list.append([
                "tone": "bad",
                "title": .text(dead == 1 ? "One event was put aside." : "\(dead.grouped) events were put aside."),
                "text": "They could not be published; look why, and publish them again.", "href": .text(deadHref),
                "label": "Show them",
            ])
        }
        return list
    }
}

extension SourceRecord {
    /// A source for samples of pages.
    static let sample = SourceRecord(
        id: Identifier(.real), organization: Identifier(.real), provider: "slack", name: "Slack of the shop",
        connection: Identifier(.real), workspace: nil, scheme: .slack, recipe: nil, address: Identifier(.real),
        previousAddress: Identifier(.real), previousAddressEndsAt: Timestamp(seconds: 90_000), secretSealed: nil,
        previousSealed: [1], previousEndsAt: Timestamp(seconds: 90_000), challengeSealed: nil, hasNewToken: true,
        bodyLimit: 1_048_576, perMinute: 60_000, version: 1, createdAt: Timestamp(seconds: 0))
}
