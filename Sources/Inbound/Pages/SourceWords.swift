import AdminShell
import Domain
import TemplateKit
import TimeKit

/// How sources and events are told of on pages.
extension SourceRecord {
    /// The value of the partial `state`.
    func stateView(at now: Timestamp) -> TemplateValue {
        isClosed(at: now) ? ["tone": "bad", "word": "Closed"] : ["tone": "good", "word": "Open"]
    }

    /// What its state means, and what to do.
    func sentence(at now: Timestamp) -> String {
        switch (isClosed(at: now), scheme) {
        case (false, .notion) where secretSealed == nil:
            "It waits for Notion’s next verification token. Until its grace ends, the one before is taken."
        case (false, _): "Every request is checked with \(scheme.words) before it is stored."
        case (true, .notion):
            "It refuses everything until Notion has sent its verification token to the address: create the subscription there now."
        case (true, _): "It refuses everything, since it has no secret to check requests with. Set its secret."
        }
    }
}

extension InboundEventRecord {
    /// The value of the partial `state`.
    var stateView: TemplateValue {
        switch state {
        case .waiting: ["tone": "warn", "word": "Waiting"]
        case .published: ["tone": "good", "word": "Published"]
        case .dead: ["tone": "bad", "word": "Put aside"]
        }
    }

    /// How it was proved.
    var verdict: String {
        let way = scheme?.words ?? "a scheme of another version"
        return switch Scheme.Proof.Key(rawValue: knownBy) {
        case .previous: "Verified by the previous secret: \(way)"
        case .platformKey: "Verified by a platform key"
        case .current, nil: "Verified: \(way)"
        }
    }
}

/// So many bytes as a person would say.
func bytesInWords(_ count: Int) -> String {
    switch count {
    case ..<1_000: count.counted("byte", "bytes")
    case ..<1_000_000: "\(count / 1_000).\(count % 1_000 / 100) kB"
    default: "\(count / 1_000_000).\(count % 1_000_000 / 100_000) MB"
    }
}

extension Inbound {
    /// The tile of a service; two letters of its key for one that is not known here.
    func tile(of provider: String) -> TemplateValue {
        let known = neighbours.providers.first { $0.key == provider }
        return [
            "letters": .text(known?.letters ?? initials(of: provider)),
            "color": .text(known?.color ?? "slate"),
        ]
    }

    func name(of provider: String) -> String {
        neighbours.providers.first { $0.key == provider }?.name ?? provider
    }

    /// The two lists, as tabs of each other.
    func tabs(_ call: Call, isEvents: Bool) -> TemplateValue {
        [
            [
                "href": .text(call.link(InboundPageRoute.sources)), "label": "Sources", "is_current": .bool(!isEvents),
            ],
            ["href": .text(call.link(InboundPageRoute.events)), "label": "Events", "is_current": .bool(isEvents)],
        ]
    }
}
