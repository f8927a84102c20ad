import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// The fields of a webhook, on the form that makes one and on the one that changes it.
struct WebhookForm: Sendable {
    let types: EventTypes
    /// The webhook that is changed, with its whole URL and the names of its own header fields; nil for a new one.
    let webhook: (record: WebhookRecord, url: String, headers: [String])?
    /// The connections that take events.
    var receivers: [Webhooks.Receiver] = []
    let allowsHTTP: Bool
    var typed: Form?
    var problem: Problem?

    /// What the partial `webhook-fields` names.
    var members: [String: TemplateValue] {
        let form = FormView(fields, typed: typed, problem: problem)
        return [
            "form_errors": form.summary, "place_fields": form.list(["connection_id", "url", "description"]),
            "events_error": TemplateValue(problem?.errors.first { $0.field == "events" }?.detail),
            "picker": picker, "is_new": .bool(webhook == nil),
            "secret_fields": form.list(["signature_scheme", "secret"]),
            "header_fields": form.list(["header_lines", "remove_headers"]),
            "pace_fields": form.list(["per_second"]), "order_fields": form.list(["ordering", "skip_after"]),
            "state_fields": form.list(["active"]),
        ]
    }

    private var fields: [FormField] { place + secret + headers + pace }

    private var place: [FormField] {
        through + [
            FormField(
                "url", "URL", .line(type: "url", autocomplete: "off", inputMode: "url", isPlain: true),
                help: allowsHTTP
                    ? "Where events are sent by POST, over https or http."
                    : "Where events are sent by POST, over https.",
                isOptional: !receivers.isEmpty, width: .wide, maxLength: 2_048, initial: [webhook?.url ?? ""]),
            FormField(
                "description", "Description", help: "What receives them, such as “ERP”. It is the webhook’s name here.",
                isOptional: true, maxLength: 200, initial: [webhook?.record.description ?? ""]),
            // Drawn by the template itself; here so that the summary can name it and lead to it.
            FormField("events", "Events", id: "events"),
        ]
    }

    /// The choice of a connection, where there is one to choose.
    private var through: [FormField] {
        guard !receivers.isEmpty else { return [] }
        return [
            FormField(
                "connection_id", "Send to",
                .select([.init("", "A URL of your own")] + receivers.map { .init($0.id.text, $0.name) }),
                help: "A connection knows its own address; leave the URL empty with it.",
                initial: [webhook?.record.connection?.text ?? ""])
        ]
    }

    private var secret: [FormField] {
        guard webhook == nil else { return [] }
        return [
            FormField(
                "signature_scheme", "Signature",
                .choices(isMultiple: false, Self.schemes), initial: ["v1"]),
            FormField(
                "secret", "Secret of your own", .secret,
                help: """
                    whsec_ and base64 of 24 to 64 bytes; whsk_ and base64 of 32 for Ed25519; or 8 to 256 characters, \
                    which sign a header of their own. Left empty, the hub makes one.
                    """,
                isOptional: true, width: .wide, maxLength: 512),
        ]
    }

    /// The kinds of signatures that the hub makes secrets for.
    static let schemes: [FormField.Option] = [
        .init("v1", "Shared secret (HMAC-SHA256)", help: "What most receivers and libraries expect."),
        .init(
            "v1a", "Key pair (Ed25519)",
            help: "The receiver is given a public key, which is no secret: whoever holds it can check, not sign."),
    ]

    private var headers: [FormField] {
        let stored = webhook?.headers ?? []
        let lines = FormField(
            "header_lines", "Extra headers", .lines(rows: 3),
            help: stored.isEmpty
                ? "One per line as Name: value, such as X-Api-Key: …; they go along with every delivery."
                : "Stored: \(stored.joined(separator: ", ")). Left empty they stay; what you write here replaces them all.",
            isOptional: true, isStored: !stored.isEmpty, width: .wide)
        return stored.isEmpty ? [lines] : [lines, FormField("remove_headers", "Remove the stored headers", .checkbox)]
    }

    private var pace: [FormField] {
        let record = webhook?.record
        return [
            FormField(
                "per_second", "Deliveries a second",
                .line(type: "text", autocomplete: "off", inputMode: "numeric", isPlain: true),
                help: "At most, of each host of the hub; empty means as fast as the receiver takes them.",
                isOptional: true, width: .short,
                initial: [record?.perSecond.map { "\($0)" } ?? ""]),
            FormField("ordering", "Order", .select(Self.orders), initial: [(record?.ordering ?? .none).word]),
            FormField(
                "skip_after", "Skip after so many failures",
                .line(type: "text", autocomplete: "off", inputMode: "numeric", isPlain: true),
                help: "For “skip” alone: 1 to 30.", isOptional: true, width: .short,
                initial: [record?.ordering.skipAfter.map { "\($0)" } ?? "3"]),
            FormField(
                "active", "Active: send what happens", .checkbox,
                initial: [(record?.state ?? .active) == .active ? "true" : ""]),
        ]
    }

    private static let orders: [FormField.Option] = [
        .init("none", "None: as events come"),
        .init("block", "By ordering key: a failing one holds up those behind it"),
        .init("skip", "By ordering key: a failing one is skipped"),
    ]

    /// What is meant by a form that was sent: it has a number of failures always, which goes with one order alone.
    static func meant(_ form: Form) -> Form {
        Form(pairs: form.pairs.filter { $0.name != "skip_after" || form["ordering"] == "skip" })
    }

    // MARK: The picker

    /// The patterns that are chosen, as they were typed or as they are.
    private var chosen: [String] {
        let texts = typed?.all("events") ?? webhook?.record.events.map(\.description) ?? []
        return texts.flatMap { $0.split { $0 == " " || $0 == "," || $0.isNewline }.map(String.init) }
    }

    private var picker: TemplateValue {
        let chosen = chosen
        let groups = EventGroup.all(types)
        let offered = Set(["*"] + groups.flatMap { [$0.wildcard] + $0.types.map(\.name.description) })
        return [
            "everything": .bool(chosen.contains("*")),
            "others": .text(chosen.filter { !offered.contains($0) }.joined(separator: "\n")),
            "groups": .list(
                groups.map { group in
                    [
                        "label": .text(group.label), "wildcard": .text(group.wildcard),
                        "checked": .bool(chosen.contains(group.wildcard)),
                        "words": .text(group.wildcard),
                        "types": .list(group.types.map { view($0, chosen.contains($0.name.description)) }),
                    ]
                }),
        ]
    }

    private func view(_ type: EventType, _ isChecked: Bool) -> TemplateValue {
        [
            "name": .text(type.name.description), "description": .text(type.description), "checked": .bool(isChecked),
            "words": .text("\(type.name) \(type.description)"), "is_deprecated": .bool(type.deprecatedAt != nil),
        ]
    }
}

/// Kinds of events whose names begin alike.
struct EventGroup: Sendable {
    let start: String
    let types: [EventType]

    var wildcard: String { start + ".*" }
    var label: String { "Everything that begins with \(start)" }

    /// All kinds, group by group; those of one word alone come under it.
    static func all(_ types: EventTypes) -> [EventGroup] {
        let byStart = Dictionary(grouping: types.all) { String($0.name.description.prefix { $0 != "." }) }
        return byStart.map { EventGroup(start: $0.key, types: $0.value) }.sorted { $0.start < $1.start }
    }
}

/// The form that makes a webhook.
struct WebhookNewPage: ShellPage {
    static let template = "webhook-new"
    static let sample = WebhookNewPage(
        listHref: "/webhooks", action: "/webhooks/new",
        form: WebhookForm(
            types: EventTypes(own: []), webhook: nil, allowsHTTP: true,
            problem: .invalid("events", "required", "This is needed.")))

    let listHref: String
    let action: String
    let form: WebhookForm

    var title: String { "Add webhook" }
    var place: Place? { .webhooks }

    var view: TemplateValue {
        .object(["list_href": .text(listHref), "action": .text(action)].merging(form.members) { one, _ in one })
    }
}

/// The form that changes a webhook.
struct WebhookEditPage: ShellPage {
    static let template = "webhook-edit"
    static let sample = WebhookEditPage(
        webhook: .sample, showHref: "/webhooks/1", action: "/webhooks/1/edit", version: 1,
        form: WebhookForm(
            types: EventTypes(own: []), webhook: (.sample, "https://erp.acme.example/hooks/billing", ["X-Api-Key"]),
            allowsHTTP: false))

    let webhook: WebhookRecord
    let showHref: String
    let action: String
    /// The version that whoever fills it in has seen.
    let version: Int64
    let form: WebhookForm

    var title: String { "Edit webhook “\(webhook.name)”" }
    var place: Place? { .webhooks }

    var view: TemplateValue {
        .object(
            [
                "show_href": .text(showHref), "action": .text(action), "name": .text(webhook.name),
                "version": .number(version),
            ].merging(form.members) { one, _ in one })
    }
}

extension WebhookTermsReader {
    /// The terms that a form says, all of them.
    func filled(_ input: inout Input, isNew: Bool) throws -> WebhookTerms {
        var terms = try read(&input, isNew: isNew)
        terms.events = terms.events ?? input.required("events", nil)
        terms.isActive = terms.isActive ?? false
        let lines = (input.optionalText("header_lines", 0...20_000) ?? "").split(whereSeparator: \.isNewline)
        let pairs = lines.filter { !$0.trimmed.isEmpty }.compactMap { line -> (String, String)? in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                input.refuse("header_lines", "malformed", "Write each header on a line of its own, as Name: value.")
                return nil
            }
            return (String(parts[0].trimmed), String(parts[1].trimmed))
        }
        terms.headers = pairs.isEmpty ? nil : headers(pairs, &input) { _ in "header_lines" }
        if input.truth("remove_headers") == true, pairs.isEmpty { terms.headers = [] }
        return terms
    }
}
