import AdminShell
import Domain
import TemplateKit
import TimeKit

/// One source: where services send to, what it brought, and what it refused.
struct SourcePage: ShellPage {
    /// The addresses of what can be done with it.
    struct Links: Sendable {
        let list: String
        let edit: String
        let secret: String
        let address: String
        let token: String
        let remove: String
        let debug: String
        let events: String
        let connection: String?
    }

    static let template = "inbound-source"
    static let sample = SourcePage(
        source: .sample, provider: "Slack", canWrite: true, url: "https://hub.example/inbound/8c1f",
        links: Links(
            list: "/inbound-sources", edit: "/e", secret: "/s", address: "/a", token: "/t", remove: "/r", debug: "/d",
            events: "/inbound-events", connection: "/connections/1"),
        events: [(.sample, "/inbound-events/1")], refusals: [(.sample, "/inbound-refusals/1")],
        now: Timestamp(seconds: 7_200))

    let source: SourceRecord
    let provider: String
    let canWrite: Bool
    /// Its address; nil for those who may not change it.
    let url: String?
    let links: Links
    let events: [(event: InboundEventRecord, href: String)]
    let refusals: [(refusal: RefusalRecord, href: String?)]
    let now: Timestamp

    var title: String { source.name }
    var place: Place? { .inbound }

    var view: TemplateValue {
        let secretEnds = source.previousSecretEnds(after: now)
        let addressEnds = source.previousAddressEndsAt.flatMap { $0 > now ? $0 : nil }
        return [
            "list_href": .text(links.list), "name": .text(source.name), "state": source.stateView(at: now),
            "sentence": .text(source.sentence(at: now)), "attention": .list(attention), "can_write": .bool(canWrite),
            "url": TemplateValue(url), "edit_href": .text(links.edit), "secret_href": .text(links.secret),
            "address_href": .text(links.address), "remove_href": .text(links.remove), "debug_href": .text(links.debug),
            "events_href": .text(links.events),
            "token_action": source.hasNewToken && canWrite ? .text(links.token) : .null,
            "secret_words": .text(source.secretSealed == nil ? "Set secret" : "Replace secret"),
            "details": [
                "provider": .text(provider), "scheme": .text(source.scheme.words),
                "signature": TemplateValue(source.recipe.map(Self.words)),
                "connection_href": TemplateValue(links.connection),
                "previous_secret_ends": secretEnds?.view(now: now) ?? .null,
                "previous_address_ends": addressEnds?.view(now: now) ?? .null,
                "body_limit": .text(bytesInWords(source.bodyLimit)),
                "per_minute": .text("\(source.perMinute.grouped) a minute"),
                "created": source.createdAt.view(now: now), "id": .text(source.id.text),
            ],
            "events": .list(
                events.map { row in
                    [
                        "href": .text(row.href), "type": .text(row.event.type), "key": .text(row.event.key),
                        "state": row.event.stateView, "at": row.event.received.view(now: now),
                    ]
                }),
            "refusals": .list(
                refusals.map { row in
                    [
                        "href": TemplateValue(row.href), "detail": .text(row.refusal.detail),
                        "from": .text(row.refusal.remoteAddress), "at": row.refusal.received.view(now: now),
                    ]
                }),
        ]
    }

    private var attention: [TemplateValue] {
        var list: [TemplateValue] = []
        if source.isClosed(at: now) {
            list.append([
                "tone": "bad", "title": "This source is closed.", "text": .text(source.sentence(at: now)),
                "href": canWrite && source.scheme != .notion ? .text(links.secret) : .null, "label": "Set secret",
            ])
        }
        if source.hasNewToken {
            list.append([
                "tone": "warn", "title": "A verification token has come.",
                "text": "Enter it at the service to finish the subscription; it is shown once.", "href": .null,
                "label": "",
            ])
        }
        return list
    }

    private static func words(_ recipe: Recipe) -> String {
        let content = recipe.time.map { "\($0.header), a dot and the body" } ?? "the body"
        return
            "\(recipe.header): \(recipe.prefix)HMAC-\(recipe.digest.rawValue) of \(content), \(recipe.encoding.rawValue)"
    }
}

extension InboundEventRecord {
    /// An event for samples of pages.
    static let sample = InboundEventRecord(
        id: Identifier(.real),
        origin: InboundOrigin(source: Identifier(.real), organization: Identifier(.real), provider: "slack"),
        sourceName: "Slack of the shop", key: "Ev0123456789", type: "message", scheme: .slack, knownBy: "current",
        bodyBytes: 1_200, parts: 0, state: .dead, attempts: 8, nextAt: Timestamp(seconds: 90),
        lastError: "It could not be published; the log says why.", times: 2, replays: 1,
        received: Timestamp(seconds: 0), publishedAt: Timestamp(seconds: 1))
}

extension RefusalRecord {
    /// A refused request for samples of pages.
    static let sample = RefusalRecord(
        id: Identifier(.real), organization: Identifier(.real), source: Identifier(.real), reason: "wrong_signature",
        detail: Failure.wrongSignature.sentence, remoteAddress: "203.0.113.9", bodyBytes: 143, isWhole: false,
        received: Timestamp(seconds: 0))
}
