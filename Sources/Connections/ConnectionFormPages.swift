import AdminShell
import Domain
import HTTPKit
import JSONKit
import TemplateKit

/// What the forms of a connection have in common: fields made from the provider's rules.
private enum ConnectionForm {
    static func fields(_ provider: Provider, stored: ConnectionView?) -> [FormField] {
        provider.fields.filter(\.isPermitted).map { field in
            let isStored = field.kind == .secret && stored?.secrets.values[field.name] != nil
            // A box or a choice that the service gained later begins with its default: an empty one would be a choice too.
            let hasDefault = stored == nil || field.kind == .boolean || field.kind == .select
            let initial = stored?.record.setup[field.name]?.text ?? (hasDefault ? field.standard : nil)
            return FormField(
                "setup.\(field.name)", field.label, control(field),
                help: isStored ? "Leave empty to keep the stored one." : field.help,
                isOptional: (!field.isRequired || !field.alternatives.isEmpty) && field.kind != .boolean,
                optionalWords: field.optionalWords(in: provider),
                isStored: isStored,
                width: FormField.Width(rawValue: field.width ?? "") ?? width(field),
                initial: initial.map { [$0] } ?? [])
        }
    }

    private static func control(_ field: ProviderField) -> FormField.Control {
        switch field.kind {
        case .secret: .secret
        case .select: .select(field.options.map { .init($0.value, $0.label) })
        case .email: .email
        case .number: .line(type: "text", autocomplete: "off", inputMode: "numeric", isPlain: true)
        case .url: .line(type: "url", autocomplete: "off", inputMode: "url", isPlain: true)
        case .text: .code
        case .boolean: .checkbox
        case .textarea: .lines(rows: 5)
        case .date: .line(type: "date", autocomplete: "off", inputMode: nil, isPlain: true)
        }
    }

    private static func width(_ field: ProviderField) -> FormField.Width {
        switch field.kind {
        case .number, .date: .short
        case .select: .medium
        default: .wide
        }
    }

    static func placeFields(
        name: String, workspace: Identifier<Workspace>?, _ workspaces: [(id: Identifier<Workspace>, name: String)]
    ) -> [FormField] {
        [
            FormField(
                "name", "Name", .code,
                help: "Tells several connections to one service apart: lower-case letters, digits and hyphens.",
                maxLength: 64, initial: [name]),
            FormField(
                "workspace_id", "Workspace",
                .select([.init("", "All workspaces")] + workspaces.map { .init($0.id.text, $0.name) }),
                help: "Who in the organization it is for.", isOptional: true, initial: [workspace?.text ?? ""]),
        ]
    }

    static func tile(_ provider: Provider) -> TemplateValue {
        ["letters": .text(provider.tile.letters), "color": .text(provider.tile.color)]
    }
}

/// Setting a connection up.
struct ConnectionFormPage: ShellPage {
    static let template = "connection-new"

    let provider: Provider
    let backHref: String
    let action: String
    let workspaces: [(id: Identifier<Workspace>, name: String)]
    let guide: ProviderGuide
    let typed: Form?
    let problem: Problem?

    var title: String { "Connect \(provider.name)" }
    var place: Place? { .connections }

    var view: TemplateValue {
        let own = ConnectionForm.fields(provider, stored: nil)
        let placing = ConnectionForm.placeFields(name: ConnectionName.defaultName, workspace: nil, workspaces)
        let form = FormView(own + placing, typed: typed, problem: problem)
        return [
            "gallery_href": .text(backHref), "action": .text(action), "form_errors": form.summary,
            "provider": [
                "name": .text(provider.name), "tile": ConnectionForm.tile(provider), "summary": .text(provider.summary),
            ],
            "fields": form.list(own.map(\.name)), "place_fields": form.list(placing.map(\.name)),
            "guide": guide.view, "notices": .list(provider.tests.compactMap(\.notice).map { ["text": .text($0)] }),
            "submit": .text(provider.oauth == nil ? "Connect \(provider.name)" : "Save and connect"),
            "promise": .text(promise),
        ]
    }

    private var promise: String {
        provider.oauth == nil
            ? "The hub stores these values encrypted and tests them at once."
            : "The hub stores these values encrypted, and \(provider.name) asks you to sign in there."
                + (provider.keys.isEmpty ? "" : " A key that does without is tested at once.")
    }
}

/// Changing a connection.
struct ConnectionEditPage: ShellPage {
    static let template = "connection-edit"

    let shown: ConnectionView
    let provider: Provider
    let backHref: String
    let action: String
    let workspaces: [(id: Identifier<Workspace>, name: String)]
    let guide: ProviderGuide
    let typed: Form?
    let problem: Problem?

    init(
        view: ConnectionView, provider: Provider, backHref: String, action: String,
        workspaces: [(id: Identifier<Workspace>, name: String)], guide: ProviderGuide, typed: Form? = nil,
        problem: Problem? = nil
    ) {
        shown = view
        self.provider = provider
        self.backHref = backHref
        self.action = action
        self.workspaces = workspaces
        self.guide = guide
        self.typed = typed
        self.problem = problem
    }

    var title: String { "Edit \(shown.title)" }
    var place: Place? { .connections }

    var view: TemplateValue {
        let own = ConnectionForm.fields(provider, stored: shown)
        let placing = ConnectionForm.placeFields(
            name: shown.record.name, workspace: shown.record.workspace, workspaces)
        let form = FormView(own + placing, typed: typed, problem: problem)
        return [
            "connection_href": .text(backHref), "service": .text(provider.name), "name": .text(shown.record.name),
            "version": .text(String(shown.record.version)),
            "submit": .text(provider.oauth == nil ? "Save connection" : "Save and connect"),
            "tile": ConnectionForm.tile(provider), "action": .text(action), "form_errors": form.summary,
            "fields": form.list(own.map(\.name)), "place_fields": form.list(placing.map(\.name)),
            "guide": guide.view,
        ]
    }
}
