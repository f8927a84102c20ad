import AdminShell
import Domain
import HTTPKit
import LogKit
import TemplateKit
import TimeKit

/// Which service a new source is for.
struct ServiceChoicePage: ShellPage {
    static let template = "inbound-services"
    static let sample = ServiceChoicePage(
        listHref: "/inbound-sources",
        services: [
            (
                "Slack", "Slack’s signing secret", ["letters": "Sl", "color": "plum"],
                "/inbound-sources/new?provider=slack"
            )
        ])

    let listHref: String
    let services: [(name: String, scheme: String, tile: TemplateValue, href: String)]

    var title: String { "Add a source" }
    var place: Place? { .inbound }

    var view: TemplateValue {
        [
            "list_href": .text(listHref),
            "services": .list(
                services.map { service in
                    [
                        "name": .text(service.name), "scheme": .text(service.scheme), "tile": service.tile,
                        "href": .text(service.href),
                    ]
                }),
        ]
    }
}

/// The form that makes a source.
struct SourceNewPage: ShellPage {
    static let template = "inbound-source-form"
    static let sample = SourceNewPage(
        provider: "stripe", name: "Stripe", choices: [.standardWebhooks, .hmac, .bearer],
        connections: [.init(id: Identifier(.real), provider: "stripe", name: "default", workspace: nil)],
        listHref: "/inbound-sources", action: "/inbound-sources/new", typed: nil,
        problem: .invalid("secret", "invalid_secret", "x"))

    let provider: String
    let name: String
    let choices: [SchemeName]
    let connections: [Inbound.ConnectionChoice]
    let listHref: String
    let action: String
    let typed: Form?
    let problem: Problem?

    var title: String { "Add a source of \(name)" }
    var place: Place? { .inbound }

    var view: TemplateValue {
        let form = FormView(fields, typed: typed, problem: problem)
        return .object(
            [
                "back_href": .text(listHref), "back_label": "Inbound", "action": .text(action),
                "heading": .text("Add a source of \(name)"),
                "lead": "You get an address for the service, which is checked, stored and published from there.",
                "hidden": [["name": "provider", "value": .text(provider)]], "submit": "Add source",
                "cancel_href": .text(listHref),
            ].merging(form.members) { one, _ in one })
    }

    private var fields: [FormField] {
        var fields = [
            FormField(
                "name", "Name", help: "What it is called here.", isOptional: true, maxLength: 100, initial: [name])
        ]
        if choices.count > 1 {
            fields.append(
                FormField(
                    "scheme", "How requests are known",
                    .choices(isMultiple: false, choices.map { .init($0.rawValue, $0.words, help: $0.help) }),
                    initial: [choices[0].rawValue]))
        }
        if !connections.isEmpty {
            fields.append(
                FormField(
                    "connection_id", "Connection",
                    .select([.init("", "None")] + connections.map { .init($0.id.text, $0.name) }),
                    help: "Its id goes along with every event.", isOptional: true))
        }
        fields.append(
            FormField(
                "secret", choices.count > 1 ? "Secret" : choices[0].words, .secret,
                help: choices.count > 1 ? "Left empty, the hub makes one." : choices[0].help,
                isOptional: true,
                optionalWords: choices.contains { $0.isSecretOurs || $0 == .notion }
                    ? "optional" : "closed without it", width: .wide, maxLength: 1_024))
        if choices.contains(.hmac) { fields += RecipeFields.fields(nil) }
        return fields
    }
}

/// The form that changes a source.
struct SourceEditPage: ShellPage {
    static let template = "inbound-source-form"
    static let sample = SourceEditPage(
        source: .sample, showHref: "/inbound-sources/1", action: "/inbound-sources/1/edit", version: 1, typed: nil,
        problem: .invalid("name", "required", "x"))

    let source: SourceRecord
    let showHref: String
    let action: String
    let version: Int64
    let typed: Form?
    let problem: Problem?

    var title: String { "Edit “\(source.name)”" }
    var place: Place? { .inbound }

    var view: TemplateValue {
        let form = FormView(fields, typed: typed, problem: problem)
        return .object(
            [
                "back_href": .text(showHref), "back_label": .text(source.name), "action": .text(action),
                "heading": .text("Edit “\(source.name)”"), "lead": "It takes effect with the next request.",
                "hidden": [["name": "version", "value": .text("\(version)")]], "submit": "Save changes",
                "cancel_href": .text(showHref),
            ].merging(form.members) { one, _ in one })
    }

    private var fields: [FormField] {
        [
            FormField("name", "Name", maxLength: 100, initial: [source.name]),
            FormField(
                "body_limit", "Largest body",
                .line(type: "text", autocomplete: "off", inputMode: "numeric", isPlain: true),
                help: "In bytes, from 1 024 to \(SchemeName.mostBytes.grouped).", width: .short,
                initial: ["\(source.bodyLimit)"]),
            FormField(
                "per_minute", "Requests a minute",
                .line(type: "text", autocomplete: "off", inputMode: "numeric", isPlain: true),
                help: "More are answered with 429, and the service comes again.", width: .short,
                initial: ["\(source.perMinute)"]),
        ] + (source.scheme == .hmac ? RecipeFields.fields(source.recipe ?? .usual) : [])
    }
}

/// The fields of a sender's own way of signing.
enum RecipeFields {
    static func fields(_ recipe: Recipe?) -> [FormField] {
        let isNew = recipe == nil
        let own = isNew ? " For HMAC alone." : ""
        return [
            FormField(
                "hmac.header", "Signature header", .code, help: "Such as X-Signature.\(own)", isOptional: isNew,
                maxLength: 100, initial: [recipe?.header ?? ""]),
            FormField(
                "hmac.prefix", "Prefix", .code, help: "What stands before the signature, such as sha256=.\(own)",
                isOptional: true, width: .short, maxLength: 40, initial: [recipe?.prefix ?? ""]),
            FormField(
                "hmac.algorithm", "Digest", .select(options(Recipe.Digest.self, isNew)), isOptional: isNew,
                width: .short, initial: [recipe?.digest.rawValue ?? ""]),
            FormField(
                "hmac.encoding", "Written as", .select(options(Recipe.Encoding.self, isNew)), isOptional: isNew,
                width: .short, initial: [recipe?.encoding.rawValue ?? ""]),
            FormField(
                "hmac.secret_encoding", "The secret is", .select(options(Recipe.KeyForm.self, isNew)),
                isOptional: isNew, width: .short, initial: [recipe?.keyForm.rawValue ?? ""]),
            FormField(
                "hmac.timestamp_header", "Timestamp header", .code,
                help: "Then the time, a dot and the body are signed, and what is older than 300 s is refused.\(own)",
                isOptional: true, maxLength: 100, initial: [recipe?.time?.header ?? ""]),
            FormField(
                "hmac.id_header", "Event id header", .code, help: "By which a repetition is known.\(own)",
                isOptional: true, maxLength: 100, initial: [recipe?.idHeader ?? ""]),
            FormField(
                "hmac.type_header", "Event type header", .code,
                help: "Left empty, “type” or “event” of the JSON says it.\(own)", isOptional: true, maxLength: 100,
                initial: [recipe?.typeHeader ?? ""]),
        ]
    }

    private static func options<Word: CaseIterable & RawRepresentable<String>>(
        _ words: Word.Type, _ isNew: Bool
    ) -> [FormField.Option] {
        (isNew ? [.init("", "As usual")] : []) + words.allCases.map { .init($0.rawValue, $0.rawValue) }
    }
}
