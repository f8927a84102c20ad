/// What a page hands to its template: a small tree of plain values.
///
/// Nothing is reflected: what a template may name is exactly what was put here. In a section `null`, `false`, zero,
/// empty text and an empty list count as nothing; an object, even an empty one, counts as something.
///
/// > if the data is truthy (e.g. `!!data == true`), use a single-element list     Mustache specification, sections
public enum TemplateValue: Sendable, Equatable {
    /// Known to hold nothing: writes nothing, and its sections are skipped.
    case null
    /// A truth; written as `true` or `false`.
    case bool(Bool)
    /// A whole number, written in plain digits; group digits before it comes here.
    case number(Int64)
    /// A number with a fraction, written in the shortest digits that read back as the same number.
    case decimal(Double)
    /// Text, escaped for HTML when a template writes it with two braces.
    case text(String)
    /// Items in order; a section is rendered once for each.
    case list([TemplateValue])
    /// Members by name.
    case object([String: TemplateValue])

    /// Text.
    public init(_ text: String) { self = .text(text) }
    /// Text, or `null` without any.
    public init(_ text: String?) { self = text.map(Self.text) ?? .null }
    /// A truth.
    public init(_ truth: Bool) { self = .bool(truth) }
    /// A truth, or `null` without any.
    public init(_ truth: Bool?) { self = truth.map(Self.bool) ?? .null }
    /// A whole number; one beyond 64 bits becomes the nearest that fits.
    public init(_ number: some BinaryInteger) { self = .number(Int64(clamping: number)) }
    /// A whole number, or `null` without any.
    public init(_ number: (some BinaryInteger)?) { self = number.map { .number(Int64(clamping: $0)) } ?? .null }
    /// The items of a list.
    public init(_ items: [TemplateValue]) { self = .list(items) }
    /// A list of texts.
    public init(_ texts: [String]) { self = .list(texts.map(Self.text)) }
    /// The members of an object.
    public init(_ members: [String: TemplateValue]) { self = .object(members) }
    /// The value itself, or `null` without any.
    public init(_ value: TemplateValue?) { self = value ?? .null }

    /// A list with one value for each item.
    public init<Item>(_ items: some Sequence<Item>, each value: (Item) -> TemplateValue) {
        self = .list(items.map(value))
    }

    /// What a section asks: whether there is something to render.
    var isSomething: Bool {
        switch self {
        case .null: false
        case .bool(let truth): truth
        case .number(let number): number != 0
        case .decimal(let number): number != 0
        case .text(let text): !text.isEmpty
        case .list(let items): !items.isEmpty
        case .object: true
        }
    }

    /// What kind of value this is, as a sentence names it; says nothing of the value.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a truth"
        case .number, .decimal: "a number"
        case .text: "text"
        case .list: "a list"
        case .object: "an object"
        }
    }
}

extension TemplateValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
    /// A truth.
    public init(booleanLiteral truth: Bool) { self = .bool(truth) }
    /// A whole number.
    public init(integerLiteral number: Int64) { self = .number(number) }
    /// A number with a fraction.
    public init(floatLiteral number: Double) { self = .decimal(number) }
    /// Text.
    public init(stringLiteral text: String) { self = .text(text) }
    /// A list.
    public init(arrayLiteral items: TemplateValue...) { self = .list(items) }
    /// An object; of a name written twice the later value stands.
    public init(dictionaryLiteral members: (String, TemplateValue)...) {
        self = .object(Dictionary(members) { _, later in later })
    }
}
