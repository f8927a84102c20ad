/// A page: a struct that knows its template, and a sample of itself.
///
/// The sample lets a test and `hub doctor` render each page before a person asks for it. It should fill every optional
/// and give every list an item, so that each hole of the template is reached.
public protocol Page: Sendable {
    /// The name of the template in the library, such as `connections/list`.
    static var template: String { get }
    /// A page with every optional filled and every list holding an item.
    static var sample: Self { get }
    /// What the template sees.
    var view: TemplateValue { get }
}
