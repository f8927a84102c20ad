import Testing

@testable import Domain

@Suite struct EventPatternTests {
    @Test(
        "A name is words of letters, digits and _ joined by dots, 128 characters at most",
        arguments: [
            ("user.created", true), ("a", true), ("A_1.b_2.c", true), (String(repeating: "a", count: 128), true),
            ("", false),
            (".", false), ("a.", false), (".a", false), ("a..b", false), ("a b", false), ("a-b", false), ("ä.b", false),
            ("a.*", false), ("a\r\nb", false), ("a\u{0}", false), (String(repeating: "a", count: 129), false),
        ])
    func names(text: String, isGood: Bool) { #expect((EventName(text) != nil) == isGood) }

    @Test(
        "A pattern wants what its words say and nothing beside",
        arguments: [
            ("*", ["user.created", "x"], []),
            ("user.created", ["user.created"], ["user.created.twice", "user", "User.created"]),
            ("user.*", ["user.created", "user.a.b"], ["user", "users.created", "xuser.created"]),
            ("a.b.*", ["a.b.c"], ["a.b", "a.bc"]),
        ] as [(String, [String], [String])])
    func wants(text: String, good: [String], bad: [String]) throws {
        let pattern = try #require(EventPattern(text))
        #expect(pattern.description == text)
        for name in good { #expect(EventName(name).map(pattern.matches) == true, "\(text) wants \(name)") }
        for name in bad { #expect(EventName(name).map(pattern.matches) == false, "\(text) does not want \(name)") }
    }

    @Test(
        "Anything else is no pattern",
        arguments: ["", "**", "*.a", "user.*.x", "user*", ".*", "a b.*", "user.**", "%", "user._%"])
    func refused(text: String) { #expect(EventPattern(text) == nil) }

    @Test("What the hub tells of are names, and fit the column that keeps them", arguments: DomainEventType.allCases)
    func types(type: DomainEventType) { #expect(EventName(type.rawValue) != nil && type.rawValue.utf8.count <= 64) }
}
