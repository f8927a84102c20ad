/// Why a template could not be read or rendered, and where.
///
/// The sentence repeats names that stand in template files, never a value from the data.
public struct TemplateError: Error, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    /// What a caller may want to tell apart.
    public enum Code: Sendable, Equatable {
        /// The text of a template breaks the rules of Mustache.
        case syntax
        /// A template names what its data does not have.
        case unknownName
        /// A template, partial or parent of this name does not exist.
        case unknownTemplate
        /// The data has another kind of value than the template needs.
        case wrongKind
        /// Two files bring the same template.
        case duplicate
        /// Templates include each other without end, or a page or file outgrows its limit.
        case tooLarge
    }

    /// What a caller may want to tell apart.
    public let code: Code
    /// The file, as it was named when the library was made.
    public let file: String
    /// The line, from 1; 0 when the error is about the whole file.
    public let line: Int
    /// The column in Unicode scalars, from 1; 0 when the error is about the whole file.
    public let column: Int
    /// What is wrong, in words.
    public let sentence: String

    init(_ code: Code, _ file: String, at place: Place = .whole, _ sentence: String) {
        self.code = code
        self.file = file
        line = place.line
        column = place.column
        self.sentence = sentence
    }

    /// File, line, column and sentence, as `connections/list.html:12:9: unknown name "titel"`.
    public var description: String {
        line == 0 ? "\(file): \(sentence)" : "\(file):\(line):\(column): \(sentence)"
    }

    /// The code and the description.
    public var debugDescription: String { "template error (\(code)) \(description)" }
}

/// A place in a file: line, and column in Unicode scalars, both from 1.
struct Place: Sendable, Equatable {
    /// Stands for a whole file.
    static let whole = Place(line: 0, column: 0)

    var line: Int
    var column: Int
}
