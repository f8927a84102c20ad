/// All templates of a program, read once and rendered many times.
///
/// A template is named after its file: `list.html` in the folder `connections` is `connections/list`, and partials and
/// parents are named the same way everywhere. A library never changes, so lanes share it freely.
public struct TemplateLibrary: Sendable {
    private let templates: [String: Template]

    /// Reads templates.
    ///
    /// - Parameters:
    ///   - sources: The bytes of each template by file name, with or without `.html` or `.mustache`.
    ///   - folder: What stands before each name, and a slash; nothing by default.
    /// - Throws: The first breach of the rules, in the order of file names; or two files that give the same name.
    public init(_ sources: [String: [UInt8]], folder: String = "") throws(TemplateError) {
        var templates: [String: Template] = [:]
        for (key, bytes) in sources.sorted(by: { $0.key < $1.key }) {
            let file = folder.isEmpty ? key : "\(folder)/\(key)"
            let name = Self.name(of: file)
            if let other = templates[name] { throw Self.duplicate(name, other.file, file) }
            templates[name] = try Parser.parse(file: file, bytes: bytes)
        }
        self.templates = templates
    }

    /// Joins libraries; throws when two of them bring the same template.
    public init(joining libraries: [TemplateLibrary]) throws(TemplateError) {
        var templates: [String: Template] = [:]
        for library in libraries {
            for (name, template) in library.templates.sorted(by: { $0.key < $1.key }) {
                if let other = templates[name] { throw Self.duplicate(name, other.file, template.file) }
                templates[name] = template
            }
        }
        self.templates = templates
    }

    private init(templates: [String: Template]) {
        self.templates = templates
    }

    /// The same library with a site's own files, which replace templates of their name or add new ones.
    public func overlaid(by sources: [String: [UInt8]]) throws(TemplateError) -> TemplateLibrary {
        let own = try TemplateLibrary(sources)
        return TemplateLibrary(templates: templates.merging(own.templates) { _, site in site })
    }

    /// The names of all templates, sorted.
    public var names: [String] { templates.keys.sorted() }

    /// Renders a template strictly.
    ///
    /// A name that neither the value nor what stands around it has is an error, and so are an unknown partial or
    /// parent, a member of something that is no object, and writing out a list or an object. `null` is known and
    /// writes nothing.
    ///
    /// - Parameters:
    ///   - name: The template.
    ///   - value: What it sees.
    ///   - base: What it sees beneath that, such as the frame of every page.
    /// - Returns: The page in UTF-8.
    /// - Throws: Where the template and its data disagree.
    public func render(
        _ name: String, _ value: TemplateValue, over base: TemplateValue = .null
    ) throws(TemplateError) -> [UInt8] {
        try render(name, value, over: base, isStrict: true)
    }

    /// Renders a page strictly with its own template.
    public func render(_ page: some Page, over base: TemplateValue = .null) throws(TemplateError) -> [UInt8] {
        try render(type(of: page).template, page.view, over: base)
    }

    /// Renders a template as the Mustache specification asks: what is unknown writes nothing.
    ///
    /// - Throws: An unknown template by this name, or a page that outgrows its limits.
    public func renderLeniently(
        _ name: String, _ value: TemplateValue, over base: TemplateValue = .null
    ) throws(TemplateError) -> [UInt8] {
        try render(name, value, over: base, isStrict: false)
    }

    private func render(
        _ name: String, _ value: TemplateValue, over base: TemplateValue, isStrict: Bool
    ) throws(TemplateError) -> [UInt8] {
        guard let template = templates[name] else {
            throw TemplateError(.unknownTemplate, name, "no template has this name")
        }
        let stack = base == .null ? [value] : [base, value]
        var renderer = Renderer(templates: templates, isStrict: isStrict, file: template.file, stack: stack)
        try renderer.render(template.body)
        return renderer.output
    }

    /// Verifies what can be known before any page is rendered.
    ///
    /// - Throws: A partial or parent that does not exist, a block handed to a parent that has no place for it, or text
    ///   inside a parent but outside its blocks, which would never be written.
    public func check() throws(TemplateError) {
        for name in names {
            guard let template = templates[name] else { continue }
            try Inspector(templates: templates, file: template.file).inspect(template)
        }
    }

    private static func name(of file: String) -> String {
        for ending in [".html", ".mustache"] where file.hasSuffix(ending) {
            return String(file.dropLast(ending.count))
        }
        return file
    }

    private static func duplicate(_ name: String, _ one: String, _ other: String) -> TemplateError {
        TemplateError(.duplicate, other, "brings the template \"\(name)\", and so does \(one)")
    }
}
