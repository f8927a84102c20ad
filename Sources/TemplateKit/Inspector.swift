/// Finds in one template what would fail, or silently vanish, when it is rendered.
struct Inspector {
    let templates: [String: Template]
    let file: String

    /// Throws the first mistake.
    func inspect(_ template: Template) throws(TemplateError) {
        if let place = template.stray.first {
            throw TemplateError(.syntax, file, at: place, "text inside a parent must stand in a block")
        }
        try inspect(template.body)
    }

    private func inspect(_ nodes: [Node]) throws(TemplateError) {
        for node in nodes {
            switch node {
            case .text, .hole: break
            case .section(let section): try inspect(section.body)
            case .block(let block): try inspect(block.body)
            case .inclusion(let inclusion): try inspect(inclusion)
            }
        }
    }

    private func inspect(_ inclusion: Inclusion) throws(TemplateError) {
        let given = inclusion.overrides.values.sorted { $0.name < $1.name }
        if case .fixed(let name) = inclusion.target {
            guard let parent = templates[name] else {
                throw TemplateError(.unknownTemplate, file, at: inclusion.place, "unknown template \"\(name)\"")
            }
            if !given.isEmpty, let places = blocks(of: parent) {
                for block in given where !places.contains(block.name) {
                    let sentence = "\"\(name)\" has no block \"\(block.name)\""
                    throw TemplateError(.unknownName, file, at: block.place, sentence)
                }
            }
        }
        for block in given { try inspect(block.body) }
    }

    /// The blocks that a template has, its partials and parents included; nothing when the data names one of those.
    private func blocks(of template: Template) -> Set<String>? {
        var found: Set<String> = []
        var seen: Set<String> = []
        return collect(template.body, &found, &seen) ? found : nil
    }

    private func collect(_ nodes: [Node], _ found: inout Set<String>, _ seen: inout Set<String>) -> Bool {
        for node in nodes {
            switch node {
            case .text, .hole: break
            case .section(let section): guard collect(section.body, &found, &seen) else { return false }
            case .block(let block):
                found.insert(block.name)
                guard collect(block.body, &found, &seen) else { return false }
            case .inclusion(let inclusion):
                guard case .fixed(let name) = inclusion.target else { return false }
                for given in inclusion.overrides.values {
                    guard collect(given.body, &found, &seen) else { return false }
                }
                guard seen.insert(name).inserted, let template = templates[name] else { break }
                guard collect(template.body, &found, &seen) else { return false }
            }
        }
        return true
    }
}
