import HTTPKit
import TemplateKit

/// One field of a form, as it is drawn by the partial `field`.
public struct FormField: Sendable {
    /// How a value is entered.
    public enum Control: Sendable {
        /// A line of text; the type is that of the HTML element.
        case line(type: String, autocomplete: String?, inputMode: String?, isPlain: Bool)
        /// Several lines.
        case lines(rows: Int)
        /// One of several values.
        case select([Option])
        /// Yes or no.
        case checkbox
        /// One or several of a list, each with help of its own.
        case choices(isMultiple: Bool, [Option])

        /// A line of ordinary text.
        public static let text = Control.line(type: "text", autocomplete: nil, inputMode: nil, isPlain: false)
        /// A line of text that is no prose: names of things, tokens.
        public static let code = Control.line(type: "text", autocomplete: "off", inputMode: nil, isPlain: true)
        /// A secret.
        public static let secret = Control.line(type: "password", autocomplete: "off", inputMode: nil, isPlain: true)
        /// An e-mail address.
        public static let email = Control.line(type: "email", autocomplete: "email", inputMode: "email", isPlain: true)
        /// The e-mail address that one signs in with; HTML allows `username` on no field of type `email`.
        public static let username = Control.line(
            type: "text", autocomplete: "username", inputMode: "email", isPlain: true)

        /// A password that password managers may fill in: `current-password` or `new-password`.
        public static func password(_ autocomplete: String) -> Control {
            .line(type: "password", autocomplete: autocomplete, inputMode: nil, isPlain: true)
        }

        /// A name that browsers may fill in, such as `organization`.
        public static func named(_ autocomplete: String) -> Control {
            .line(type: "text", autocomplete: autocomplete, inputMode: nil, isPlain: false)
        }
    }

    /// A value to choose.
    public struct Option: Sendable {
        let value: String
        let label: String
        let help: String?

        /// A value and how it is shown.
        public init(_ value: String, _ label: String, help: String? = nil) {
            self.value = value
            self.label = label
            self.help = help
        }
    }

    /// How wide the expected value is.
    public enum Width: String, Sendable {
        /// A number or a short name.
        case short
        /// A name or an address.
        case medium
        /// A token or a URL.
        case wide
    }

    /// The field's name, as ``HTTPKit/Input`` reads it.
    public let name: String
    let label: String
    let control: Control
    let help: String?
    let isOptional: Bool
    let optionalWords: String
    let isStored: Bool
    let width: Width
    let maxLength: Int?
    let initial: [String]
    /// The id of the element, a name in which HTML and CSS see nothing special.
    let id: String

    /// A field.
    ///
    /// - Parameters:
    ///   - optionalWords: what stands beside the label of a field that may stay empty.
    ///   - isStored: a secret that is kept already, so that leaving it empty keeps it.
    ///   - initial: what stands in it before anything is typed.
    ///   - id: the id of the element, where a page has several fields of this name.
    public init(
        _ name: String, _ label: String, _ control: Control = .text, help: String? = nil, isOptional: Bool = false,
        optionalWords: String = "optional", isStored: Bool = false, width: Width = .medium, maxLength: Int? = nil,
        initial: [String] = [], id: String? = nil
    ) {
        self.name = name
        self.label = label
        self.control = control
        self.help = help
        self.isOptional = isOptional
        self.optionalWords = optionalWords
        self.isStored = isStored
        self.width = width
        self.maxLength = maxLength
        self.initial = initial
        self.id = id ?? "field-" + String(name.map { $0 == "." || $0 == "_" ? "-" : $0 })
    }

    private var isSecret: Bool {
        if case .line("password", _, _, _) = control { true } else { false }
    }

    fileprivate func view(typed: Form?, error: Problem.FieldError?, isFocused: Bool) -> TemplateValue {
        let values = isSecret ? [] : typed.map { $0.all(name) } ?? initial
        let described = [help == nil ? nil : "\(id)-help", error == nil ? nil : "\(id)-error"].compactMap(\.self)
        var members: [String: TemplateValue] = [
            "id": .text(id), "name": .text(name), "label": .text(label), "help": TemplateValue(help),
            "error": TemplateValue(error?.detail), "optional": isOptional ? .text(optionalWords) : .null,
            "stored": .bool(isStored),
            "described_by": described.isEmpty ? .null : .text(described.joined(separator: " ")),
            "focused": .bool(isFocused), "required": .bool(!isOptional && !isStored), "width": .text(width.rawValue),
            "input": .null, "select": .null, "textarea": .null, "checkbox": .null, "choices": .null,
        ]
        let (kind, drawn) = drawn(values)
        members[kind] = drawn
        return .object(members)
    }

    private func drawn(_ values: [String]) -> (String, TemplateValue) {
        let first = values.first ?? ""
        switch control {
        case .line(let type, let autocomplete, let inputMode, let isPlain):
            return (
                "input",
                [
                    "type": .text(type), "value": .text(first), "autocomplete": TemplateValue(autocomplete),
                    "inputmode": TemplateValue(inputMode), "maxlength": TemplateValue(maxLength), "placeholder": .null,
                    "plain": .bool(isPlain),
                ]
            )
        case .lines(let rows):
            return ("textarea", ["value": .text(first), "rows": .number(Int64(rows)), "plain": true])
        case .select(let options):
            let list = options.map { option -> TemplateValue in
                ["value": .text(option.value), "label": .text(option.label), "selected": .bool(option.value == first)]
            }
            return ("select", ["options": .list(list)])
        case .checkbox:
            return ("checkbox", ["value": "true", "checked": .bool(first == "true")])
        case .choices(let isMultiple, let options):
            let list = options.enumerated().map { index, option -> TemplateValue in
                [
                    "id": .text("\(id)-\(index)"), "value": .text(option.value), "label": .text(option.label),
                    "help": TemplateValue(option.help), "checked": .bool(values.contains(option.value)),
                ]
            }
            return ("choices", ["type": isMultiple ? "checkbox" : "radio", "options": .list(list)])
        }
    }
}

/// A form as it is shown first, or again after it was refused with everything that was typed.
public struct FormView: Sendable {
    private let fields: [FormField]
    private let typed: Form?
    private let problem: Problem?

    /// A form; with what was typed and why it was refused when it is shown again.
    public init(_ fields: [FormField], typed: Form? = nil, problem: Problem? = nil) {
        self.fields = fields
        self.typed = typed
        self.problem = problem
    }

    /// The values of the partials `form-errors` and `field`: `form_errors` and `fields`.
    public var members: [String: TemplateValue] {
        ["form_errors": summary, "fields": list]
    }

    /// The fields alone.
    public var list: TemplateValue { .list(fields.map(view)) }

    /// Some of the fields, for forms in several parts.
    public func list(_ names: [String]) -> TemplateValue {
        .list(fields.filter { names.contains($0.name) }.map(view))
    }

    /// The fields without one that takes the focus, for a form that is not what its page is about.
    public var quietList: TemplateValue {
        .list(fields.map { $0.view(typed: typed, error: error(of: $0), isFocused: error(of: $0) != nil) })
    }

    private func view(_ field: FormField) -> TemplateValue {
        field.view(typed: typed, error: error(of: field), isFocused: field.name == focused)
    }

    private func error(of field: FormField) -> Problem.FieldError? {
        problem?.errors.first { $0.field == field.name }
    }

    /// The first faulty field, else the first one.
    private var focused: String? {
        (fields.first { error(of: $0) != nil } ?? (problem == nil ? fields.first : nil))?.name
    }

    /// What keeps the form from being accepted; null when nothing does.
    public var summary: TemplateValue {
        guard let problem else { return .null }
        let items = problem.errors.map { error -> TemplateValue in
            let field = fields.first { $0.name == error.field }
            return [
                "field_id": TemplateValue(field?.id),
                "text": .text("\(field?.label ?? error.field): \(error.detail)"),
            ]
        }
        let title =
            items.isEmpty
            ? problem.detail
            : items.count == 1 ? "One field needs another value." : "\(items.count) fields need another value."
        return ["title": .text(title), "has_items": .bool(!items.isEmpty), "items": .list(items)]
    }
}

extension FormField {
    /// How long the present secret lives on when another takes its place, in seconds.
    public static func grace(usual: Duration) -> FormField {
        FormField(
            "grace_seconds", "The present secret ends",
            .choices(
                isMultiple: false,
                [
                    .init("0", "at once", help: "When it may have leaked. Whatever still uses it is refused."),
                    .init("3600", "in 1 hour"),
                    .init("86400", "in 24 hours", help: "Time to put the new one everywhere it is needed."),
                    .init("604800", "in 7 days"), .init("2592000", "in 30 days"),
                ]), initial: ["\(usual.components.seconds)"])
    }
}
