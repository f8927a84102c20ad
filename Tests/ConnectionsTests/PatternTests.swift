import CostFixture
import Testing

@testable import Connections

@Suite("A pattern")
struct PatternTests {
    @Test(
        "A pattern matches whole values and nothing else",
        arguments: [
            ("AC[a-zA-Z0-9]{4}", "AC12ab", true), ("AC[a-zA-Z0-9]{4}", "AC12abc", false),
            ("AC[a-zA-Z0-9]{4}", "xAC12ab", false),
            ("[0-9]+:[A-Za-z0-9_-]+", "12:a-_", true), ("[0-9]+:[A-Za-z0-9_-]+", ":a", false),
            ("-?[0-9]{1,3}|@[a-z]{2,}", "-12", true), ("-?[0-9]{1,3}|@[a-z]{2,}", "@ab", true),
            ("-?[0-9]{1,3}|@[a-z]{2,}", "@a", false), ("-?[0-9]{1,3}|@[a-z]{2,}", "1234", false),
            ("(ab)*", "", true), ("(ab)*", "abab", true), ("(ab)*", "aba", false), ("(?:a|bc)+d?", "abcad", true),
            ("a.c", "a\u{1F600}c", true), ("a.c", "a\nc", false), ("[^:]+", "ab", true), ("[^:]+", "a:b", false),
            (#"\d\w\s\."#, "1_ .", true), (#"[\d.-]+"#, "1-.2", true), ("a{2,}", "a", false), ("a{2,}", "aaaa", true),
            ("a{0}", "", true), ("()*", "", true), ("é", "e\u{301}", false), ("x|", "", true),
        ])
    func matching(text: String, value: String, isMatch: Bool) throws {
        #expect(try Pattern(text).matches(value) == isMatch, "\(text) and \(value)")
    }

    @Test(
        "What would need a step back, or is a mistake, is refused",
        arguments: [
            "", "^a", "a$", "a**", "a+?", "*a", "(a", "a)", "[a", "[]", "[z-a]", "a{2,1}", "a{", "a{,3}", "a{2000}",
            #"\1"#,
            #"a\"#, #"\b"#, "(?=a)", "(?<n>a)", "a]", "a}", "((a{1000}){1000})", String(repeating: "(", count: 30),
            String(repeating: "a", count: 1_001),
        ])
    func refusing(text: String) {
        #expect(throws: PatternError.self) { try Pattern(text) }
    }

    @Test("No value makes a pattern run wild", arguments: ["(a+)+b", "(a|a)*b", "(a*)*b", "(a|aa)+b", "((a?){20})*b"])
    func linear(text: String) throws {
        let pattern = try Pattern(text)
        #expect(!pattern.matches(String(repeating: "a", count: 20_000)))
        let growth = growth(from: 2_500) {
            String(repeating: "a", count: $0)
        } _: {
            _ = pattern.matches($0)
        }
        #expect(growth < 24)
    }

    @Test("A group that matches nothing is not repeated a thousand times a thousand times")
    func empty() throws {
        #expect(try Pattern("((((){1000}){1000}){1000}){1000}").matches(""))
    }
}
