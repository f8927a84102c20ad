import FoundationEssentials
import TemplateKit
import Testing

/// One case of the Mustache specification.
private struct Case: Decodable {
    let name: String
    let template: String
    let data: Data?
    let partials: [String: String]?
    let expected: String

    struct Suite: Decodable {
        let tests: [Case]
    }

    struct Data: Decodable {
        let value: TemplateValue

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                value = .null
            } else if let truth = try? container.decode(Bool.self) {
                value = .bool(truth)
            } else if let number = try? container.decode(Int64.self) {
                value = .number(number)
            } else if let number = try? container.decode(Double.self) {
                value = .decimal(number)
            } else if let text = try? container.decode(String.self) {
                value = .text(text)
            } else if let items = try? container.decode([Data?].self) {
                value = .list(items.map { $0?.value ?? .null })
            } else {
                value = .object(try container.decode([String: Data?].self).mapValues { $0?.value ?? .null })
            }
        }
    }
}

/// The published cases, which lie outside of the repository: all pass where they are, none are needed to build.
struct ConformanceTests {
    private static let modules = [
        "comments": 12, "delimiters": 14, "interpolation": 42, "inverted": 22, "partials": 12, "sections": 34,
        "~inheritance": 27, "~dynamic-names": 21,
    ]

    /// Where the cases are: `HUB_CONFORMANCE`, or beside the checkout.
    private static var folder: URL {
        if let given = ProcessInfo.processInfo.environment["HUB_CONFORMANCE"] { return URL(filePath: given) }
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return root.appending(path: "../shared/conformance")
    }

    @Test("Every case of a module of the specification renders as published", arguments: modules.keys.sorted())
    func module(name: String) throws {
        let file = Self.folder.appending(path: "mustache/\(name).json")
        guard FileManager.default.fileExists(atPath: file.path) else { return }
        let suite = try JSONDecoder().decode(Case.Suite.self, from: Data(contentsOf: file))
        #expect(suite.tests.count >= Self.modules[name, default: 1])
        for test in suite.tests {
            var sources = (test.partials ?? [:]).mapValues { Array($0.utf8) }
            sources["the case"] = Array(test.template.utf8)
            let library = try TemplateLibrary(sources)
            let page = try library.renderLeniently("the case", test.data?.value ?? .null)
            #expect(String(decoding: page, as: UTF8.self) == test.expected, "\(name): \(test.name)")
        }
    }
}
