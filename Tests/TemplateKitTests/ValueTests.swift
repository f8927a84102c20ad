import TemplateKit
import Testing

struct ValueTests {
    @Test("Literals and plain Swift values become values without ceremony")
    func values() {
        let name: String? = nil
        let count: Int? = 3
        let here = "here"
        #expect(TemplateValue(name) == .null)
        #expect(TemplateValue(count) == .number(3))
        #expect(TemplateValue("text") == .text("text"))
        #expect(TemplateValue(UInt64.max) == .number(.max))
        #expect(TemplateValue(5) == 5)
        #expect(TemplateValue(true) == true)
        #expect(TemplateValue(["a", "b"]) == ["a", "b"])
        #expect(TemplateValue(1...2) { .init($0 * 2) } == [2, 4])
        #expect(
            ["a": nil, "b": [1, 2.5], "c": "\(here)"] as TemplateValue
                == .object([
                    "a": .null, "b": .list([.number(1), .decimal(2.5)]), "c": .text("here"),
                ]))
    }

    @Test("Of a member written twice the later stands")
    func twice() {
        #expect((["a": 1, "a": 2] as TemplateValue) == ["a": 2])
    }
}
