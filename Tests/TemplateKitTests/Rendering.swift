import TemplateKit

/// A library of templates written as texts.
func library(_ sources: [String: String]) throws(TemplateError) -> TemplateLibrary {
    try TemplateLibrary(sources.mapValues { Array($0.utf8) })
}

/// What a template renders to, strictly.
func strict(
    _ template: String, _ value: TemplateValue = .null, _ partials: [String: String] = [:]
) throws(TemplateError) -> String {
    let page = try library(partials.merging(["page": template]) { $1 }).render("page", value)
    return String(decoding: page, as: UTF8.self)
}

/// What a template renders to as the specification has it.
func lenient(
    _ template: String, _ value: TemplateValue = .null, _ partials: [String: String] = [:]
) throws(TemplateError) -> String {
    let page = try library(partials.merging(["page": template]) { $1 }).renderLeniently("page", value)
    return String(decoding: page, as: UTF8.self)
}

/// The words of the error that a piece of work ends with.
func failure(_ work: () throws -> some Any) -> String {
    do {
        _ = try work()
        return "no error"
    } catch {
        return "\(error)"
    }
}
