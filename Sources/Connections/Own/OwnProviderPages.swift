import AdminShell
import Domain
import HTTPKit
import JSONKit
import TemplateKit

/// Describing a service of an organization's own, with what is wrong or what it will look like beside it.
struct ProviderEditPage: ShellPage {
    /// Taking the provider away.
    struct Removal: Sendable {
        let action: String
        /// Why it cannot be removed; nil when it can.
        let reason: String?
        let key: String
    }

    static let template = "provider-edit"

    /// The provider as it is stored; nil for a new one.
    let stored: OwnProvider?
    let galleryHref: String
    let action: String
    let source: String
    /// What was found; nil before anybody asked.
    let reading: ProviderReading?
    var removal: Removal?
    var problem: Problem?

    var title: String { stored.map { "Edit provider \($0.key)" } ?? "Add a provider" }
    var place: Place? { .connections }

    var view: TemplateValue {
        [
            "gallery_href": .text(galleryHref), "heading": .text(title), "lead": .text(lead), "action": .text(action),
            "version": TemplateValue(stored.map { String($0.stamp.version) }), "fields": field.list,
            "has_mistakes": .bool(!mistakes.isEmpty), "mistakes": .list(mistakes), "mistakes_title": .text(summary),
            "preview": reading?.provider.map(Self.preview) ?? .null, "remove": remove,
        ]
    }

    private var lead: String {
        "A service that the hub does not know, described as JSON for your organization alone. The README tells what may stand there."
    }

    private var field: FormView {
        let field = FormField(
            "source", "Provider file", .lines(rows: 28), help: "At most 64 kB.", width: .wide, initial: [source])
        let error = reading.flatMap { $0.provider == nil ? $0.mistakes.first : nil }.map {
            Problem.invalid("source", "mistake", "Line \($0.place.line), column \($0.place.column): \($0.sentence)")
        }
        return FormView([field], problem: error ?? problem)
    }

    private var summary: String {
        let count = reading?.mistakes.count ?? 0
        return count == 1 ? "One mistake" : "\(count) mistakes"
    }

    private var mistakes: [TemplateValue] {
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        return (reading?.mistakes ?? []).prefix(50).map { mistake in
            let line = lines.indices.contains(mistake.place.line - 1) ? lines[mistake.place.line - 1] : ""
            let shown = line.drop { $0 == " " || $0 == "\t" }.prefix(160)
            return [
                "place": .text("Line \(mistake.place.line), column \(mistake.place.column):"),
                "sentence": .text(mistake.sentence), "line": .text(String(shown)),
            ]
        }
    }

    private var remove: TemplateValue {
        guard let removal else { return .null }
        let field = FormField("confirm_name", "Type “\(removal.key)” to go on", .code)
        let isAbout = problem?.errors.contains { $0.field == "confirm_name" } ?? false
        return [
            "action": .text(removal.action), "reason": TemplateValue(removal.reason),
            "fields": FormView([field], problem: isAbout ? problem : nil).quietList,
        ]
    }

    private static func preview(_ provider: Provider) -> TemplateValue {
        [
            "name": .text(provider.name), "summary": .text(provider.summary),
            "tile": ["letters": .text(provider.tile.letters), "color": .text(provider.tile.color)],
            "credential": .text(provider.kind.words),
            "fields": .list(provider.fields.filter(\.isPermitted).map { $0.view(in: provider) }),
            "addresses": .list(
                provider.addresses.map { ["what": .text($0.what), "text": .text($0.text)] }),
            "hosts": .list(provider.hostsInWords.map { ["text": .text($0)] }),
        ]
    }

    /// What a new file begins as.
    static let example = """
        {
          "key": "pager",
          "name": "Pager",
          "kind": "api_key",
          "category": "Messaging",
          "tile": { "letters": "Pa", "color": "teal" },
          "summary": "Page whoever is on duty.",
          "guide": ["Open Settings, then API keys, and create a key."],
          "fields": [
            { "name": "api_key", "label": "API key", "kind": "secret", "required": true }
          ],
          "test": {
            "kind": "http",
            "method": "GET",
            "url": "https://api.pager.example/v1/me",
            "bearer": "{api_key}",
            "success": { "status": [200] },
            "error": "message",
            "access": "{name}",
            "metadata": [{ "label": "Account", "path": "name" }]
          }
        }
        """
}

extension ProviderField {
    /// What stands beside a field that may stay empty: what makes it unneeded, where something does.
    func optionalWords(in provider: Provider) -> String {
        let others = alternatives.compactMap { provider.field($0)?.label }
        return isRequired && !others.isEmpty ? "needed without \(others.joined(separator: " and "))" : "optional"
    }

    /// The value of a row of the partial `provider-fields`.
    func view(in provider: Provider) -> TemplateValue {
        let words =
            switch kind {
            case .text: "Text"
            case .secret: hosts.isEmpty ? "Secret, encrypted" : "Secret address, encrypted"
            case .select: options.map(\.label).joined(separator: ", ")
            case .email: "E-mail address"
            case .url: "Address"
            case .number: "Number"
            case .boolean: "Yes or no"
            case .textarea: "Several lines"
            case .date: "Day"
            }
        return [
            "label": .text(label), "kind": .text(words),
            "optional": isRequired && alternatives.isEmpty ? .null : .text(optionalWords(in: provider)),
            "help": TemplateValue(help),
        ]
    }
}

extension Provider {
    /// The hosts as people read them: one that each connection names for itself is called by the field it is entered in.
    fileprivate var hostsInWords: [String] {
        hosts.map { host in
            guard let hole = Holes.names(in: host).first, let label = field(hole)?.label else { return host }
            return host == "{\(hole)}"
                ? "the host of “\(label)”" : host.replacing("{\(hole)}", with: "‹\(label.lowercased())›")
        }
    }
}

/// What is known of a service, and how to set it up.
struct ProviderPage: ShellPage {
    static let template = "provider"

    let provider: Provider
    let galleryHref: String
    let connectHref: String?
    let editHref: String?
    let guide: ProviderGuide

    var title: String { provider.name }
    var place: Place? { .connections }

    var view: TemplateValue {
        [
            "gallery_href": .text(galleryHref), "connect_href": TemplateValue(connectHref),
            "edit_href": TemplateValue(editHref), "guide": guide.view,
            "fields": .list(provider.fields.filter(\.isPermitted).map { $0.view(in: provider) }),
            "has_sunsets": .bool(!provider.sunsets.isEmpty),
            "sunsets": .list(
                provider.sunsets.map { sunset in
                    [
                        "on": .text(sunset.date.day), "sentence": .text(sunset.sentence),
                        "href": .text(sunset.href),
                    ]
                }),
            "provider": [
                "name": .text(provider.name), "summary": .text(provider.summary),
                "tile": ["letters": .text(provider.tile.letters), "color": .text(provider.tile.color)],
                "credential": .text(provider.kind.words), "is_own": .bool(provider.isOwn),
                "note": TemplateValue(provider.note), "hosts": .list(provider.hostsInWords.map { ["text": .text($0)] }),
                "capabilities": TemplateValue(Self.joined(provider.capabilities.map(\.words), by: ", ")),
                "scopes": TemplateValue(Self.joined(provider.oauth?.scopes ?? [], by: " ")),
            ],
        ]
    }

    private static func joined(_ words: [String], by separator: String) -> String? {
        words.isEmpty ? nil : words.joined(separator: separator)
    }
}

extension Capability {
    /// What it means, in words for people.
    var words: String {
        switch self {
        case .messages: "take messages"
        case .calendar: "take events of a calendar"
        case .signIn: "sign people in"
        case .ownToken: "use a token instead of a sign-in"
        case .channels: "read and write channels"
        case .revoke: "revoke on disconnecting"
        case .sync: "tell of itself every hour"
        }
    }
}
