import AdminShell
import Domain
import HTTPKit
import LogKit
import TemplateKit
import TimeKit

/// What a source was made with, or was given, this once.
struct SourceMadePage: ShellPage {
    static let template = "inbound-source-made"
    static let sample = SourceMadePage(
        heading: "Source “Slack” is ready", lead: "Give the service what stands below.",
        values: [("url", "Address", "https://hub.example/inbound/8c1f", false), ("secret", "Secret", "whsec_x", true)],
        next: ["Paste the address at the service."], showHref: "/inbound-sources/1")

    let heading: String
    let lead: String
    let values: [(id: String, label: String, value: String, isSecret: Bool)]
    let next: [String]
    let showHref: String

    var title: String { heading }
    var place: Place? { .inbound }

    var view: TemplateValue {
        [
            "heading": .text(heading), "lead": .text(lead), "has_secret": .bool(values.contains(where: \.isSecret)),
            "values": .list(
                values.map {
                    [
                        "id": .text($0.id), "label": .text($0.label), "value": .text($0.value),
                        "is_secret": .bool($0.isSecret),
                    ]
                }),
            "next": .list(next.map { .text($0) }), "show_href": .text(showHref),
        ]
    }
}

/// The form that gives a source another secret or another address.
struct SourceRotatePage: ShellPage {
    /// What is replaced.
    enum What: Sendable {
        case secret
        case address
    }

    static let template = "inbound-source-form"
    static let sample = SourceRotatePage(
        source: .sample, what: .secret, showHref: "/inbound-sources/1", action: "/inbound-sources/1/secret",
        typed: nil, problem: .invalid("secret", "required", "x"), now: Timestamp(seconds: 7_200))

    let source: SourceRecord
    let what: What
    let showHref: String
    let action: String
    let typed: Form?
    let problem: Problem?
    let now: Timestamp

    var title: String { "\(words) of “\(source.name)”" }
    var place: Place? { .inbound }

    private var words: String {
        switch what {
        case .secret: source.secretSealed == nil ? "Set the secret" : "Replace the secret"
        case .address: "Replace the address"
        }
    }

    private var lead: String {
        switch what {
        case .secret: "Until the grace ends, requests that are signed with the old one are taken too."
        case .address: "You get a new address. Until the grace ends, the old one takes requests too."
        }
    }

    var view: TemplateValue {
        let form = FormView(fields, typed: typed, problem: problem)
        return .object(
            [
                "back_href": .text(showHref), "back_label": .text(source.name), "action": .text(action),
                "heading": .text(title), "lead": .text(lead), "hidden": [],
                "submit": what == .secret ? "Save secret" : "Replace address", "cancel_href": .text(showHref),
            ].merging(form.members) { one, _ in one })
    }

    private var fields: [FormField] {
        let grace = FormField(
            "grace_seconds", "The old one counts for",
            .select([
                .init("0", "No longer"), .init("3600", "1 hour"), .init("86400", "1 day"), .init("604800", "7 days"),
            ]), width: .short, initial: ["86400"])
        guard what == .secret else { return [grace] }
        let isOptional = source.scheme.isSecretOurs || source.scheme == .notion
        let secret = FormField(
            "secret", source.scheme.words, .secret, help: source.scheme.help, isOptional: isOptional, width: .wide,
            maxLength: 1_024)
        return source.isClosed(at: now) ? [secret] : [secret, grace]
    }
}

/// The form that removes a source.
struct SourceRemovePage: ShellPage {
    static let template = "inbound-source-remove"
    static let sample = SourceRemovePage(
        source: .sample, showHref: "/inbound-sources/1", action: "/inbound-sources/1/remove", typed: nil,
        problem: .invalid("confirm_name", "not_the_name", "x"))

    let source: SourceRecord
    let showHref: String
    let action: String
    let typed: Form?
    let problem: Problem?

    var title: String { "Remove “\(source.name)”?" }
    var place: Place? { .inbound }

    var view: TemplateValue {
        let form = FormView(
            [FormField("confirm_name", "Type its name to confirm", .code, help: source.name, maxLength: 100)],
            typed: typed, problem: problem)
        return .object(
            ["show_href": .text(showHref), "action": .text(action), "name": .text(source.name)].merging(form.members) {
                one, _ in one
            })
    }
}
