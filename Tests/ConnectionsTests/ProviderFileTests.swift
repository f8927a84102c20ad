import JSONKit
import Testing

@testable import Connections

@Suite struct ProviderFileTests {
    /// A whole provider file; each mistake below replaces one part of it.
    private static let whole = """
        {
          "key": "pager", "name": "Pager", "kind": "api_key", "category": "Messaging",
          "tile": { "letters": "Pa", "color": "red" },
          "summary": "Page people.", "guide": ["Open it."],
          "docs": { "href": "https://pager.example/docs", "label": "Pager" },
          "fields": [
            { "name": "api_key", "label": "API key", "kind": "secret", "required": true, "pattern": "[a-z]{4,10}" },
            { "name": "region", "label": "Region", "kind": "select", "options": [{ "value": "eu", "label": "Europe" }] },
            { "name": "size", "label": "Size", "kind": "number", "minimum": 1, "maximum": 9 }
          ],
          "test": {
            "kind": "http", "method": "GET", "url": "https://api.pager.example/{region}/me",
            "headers": { "x-size": "{size}" }, "bearer": "{api_key}", "success": { "status": [200] },
            "error": "message", "access": "Pager {name} in {setup.region}", "metadata": [{ "label": "Name", "path": "name" }]
          }
        }
        """

    @Test("A provider file without a mistake is read")
    func right() throws {
        let provider = try ProviderFile.read("pager.json", Array(Self.whole.utf8))
        #expect(provider.key == "pager" && provider.fields.map(\.name) == ["api_key", "region", "size"])
    }

    @Test(
        "Each mistake is told with its line and column",
        arguments: [
            Mistake(#""tile": {"#, #""tile": ["#, "3:22", "not JSON"),
            Mistake(#""name": "Pager""#, #""nmae": "Pager""#, "2:27", "nmae"),
            Mistake(#""name": "Pager", "#, "", "1:1", "name"),
            Mistake(#""name": "Pager""#, #""name": 7"#, "2:27", "name"),
            Mistake(#""key": "pager""#, #""key": "Pager""#, "2:10", "key"),
            Mistake(#""key": "pager""#, #""key": "pager", "key": "other""#, "2:26", "twice"),
            Mistake("api_key\", \"category", "oauth9\", \"category", "2:44", "kind is one of"),
            Mistake(#""color": "red""#, #""color": "puce""#, "3:39", "color is one of"),
            Mistake(#""letters": "Pa""#, #""letters": "Pag""#, "3:24", "letters"),
            Mistake("https://pager.example/docs", "http://pager.example/docs", "5:21", "https://"),
            Mistake("[a-z]{4,10}", "[a-z", "7:93", "regular expression"),
            Mistake(#""required": true"#, #""required": "yes""#, "7:76", "required"),
            Mistake(#""name": "size""#, #""name": "region""#, "9:15", "region"),
            Mistake(#""minimum": 1"#, #""minimum": 10"#, "9:69", "minimum"),
            Mistake(#""minimum": 1"#, #""minimum": "1""#, "9:69", "minimum"),
            Mistake(#"[{ "value": "eu", "label": "Europe" }]"#, "[]", "8:73", "options"),
            Mistake(#""kind": "number", "#, #""kind": "number", "options": [], "#, "9:69", "options"),
            Mistake(#""kind": "select""#, #""kind": "select", "default": "us""#, "8:73", "default"),
            Mistake(#""required": true"#, #""default": "abcdef""#, "7:75", "default"),
            Mistake(#""kind": "http""#, #""kind": "ftp""#, "12:13", "kind is"),
            Mistake(#""kind": "http""#, #""kind": "smtp""#, "12:13", "needs a field host"),
            Mistake(#""method": "GET""#, #""method": "FETCH""#, "12:31", "method"),
            Mistake("https://api.pager.example/", "http://api.pager.example/", "12:45", "https://"),
            Mistake("https://api.pager.example/", "https://{region}.example/", "12:45", "host"),
            Mistake("https://api.pager.example/", "https://a b/", "12:45", "url"),
            Mistake("/{region}/me", "/{town}/me", "12:45", "town"),
            Mistake(#""bearer": "{api_key}""#, #""bearer": "{token}""#, "13:50", "token"),
            Mistake(#""x-size": "{size}""#, #""x-size": "{sizes}""#, "13:28", "sizes"),
            Mistake(#""x-size": "{size}""#, #""x-size": 7"#, "13:28", "x-size"),
            Mistake(#"{ "status": [200] }"#, #"{ "status": [] }"#, "13:86", "status"),
            Mistake(#"{ "status": [200] }"#, #"{ "status": ["200"] }"#, "13:86", "status"),
            Mistake(#"{ "status": [200] }"#, #"{ "status": [200], "path": "ok" }"#, "13:101", "equals"),
            Mistake("{setup.region}", "{setup.api_key}", "14:35", "api_key"),
            Mistake("{setup.region}", "{setup.town}", "14:35", "town"),
        ])
    func mistakes(mistake: Mistake) throws {
        try #require(Self.whole.contains(mistake.from))
        let text = Self.whole.replacing(mistake.from, with: mistake.to, maxReplacements: 1)
        let error = try #require(
            throws: ProviderFileError.self, performing: { try ProviderFile.read("pager.json", Array(text.utf8)) })
        #expect(error.description.hasPrefix("pager.json:\(mistake.place)"), "\(error)")
        #expect(error.sentence.contains(mistake.words), "\(error)")
    }

    @Test("A test that needs certain fields is refused without them")
    func missingFields() throws {
        for (kind, field) in [("smtp", "host"), ("aws_caller_identity", "access_key_id")] {
            let text = """
                {"key":"x","name":"X","kind":"credentials","category":"C","tile":{"letters":"X","color":"red"},
                 "summary":"S","guide":[],"fields":[],"test":{"kind":"\(kind)","access":"A","metadata":[]}}
                """
            let error = #expect(throws: ProviderFileError.self) { try ProviderFile.read("x.json", Array(text.utf8)) }
            #expect(error?.sentence.contains(field) == true)
        }
    }

    @Test("A site's files add to the built-in ones and replace them")
    func overlay() throws {
        let builtIn = try ProviderCatalogue()
        #expect(Set(builtIn.providers.map(\.key)).isSuperset(of: ["aws", "google", "smtp", "telegram", "whatsapp"]))
        let other = Self.whole.replacing(#""key": "pager", "name": "Pager""#, with: #""key": "smtp", "name": "Post""#)
        let catalogue = try ProviderCatalogue(
            overlay: [("pager.json", Array(Self.whole.utf8)), ("post.json", Array(other.utf8))])
        #expect(catalogue.providers.count == builtIn.providers.count + 1)
        #expect(catalogue["smtp"]?.name == "Post" && catalogue["pager"]?.name == "Pager")
        #expect(catalogue["Smtp"] == nil)
    }

    @Test("Two files of a site for one service are a mistake")
    func twice() throws {
        let bytes = Array(Self.whole.utf8)
        let error = #expect(throws: ProviderFileError.self) {
            try ProviderCatalogue(overlay: [("a.json", bytes), ("b.json", bytes)])
        }
        #expect(error?.description.hasPrefix("b.json:2:10: ") == true)
    }

    // MARK: Patterns

    @Test(
        "Fields take what the services publish and refuse near misses",
        arguments: [
            ("telegram", "bot_token", "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11", true),
            ("telegram", "bot_token", "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", true),
            ("telegram", "bot_token", "bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", false),
            ("telegram", "bot_token", "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw extra", false),
            ("telegram", "bot_token", "110201543", false),
            // KELVIN SIGN, which Unicode calls equal to K.
            ("telegram", "bot_token", "110201543:AAHdqTcvCH1vGWJxfSeofSAs0\u{212A}5PALDsaw", false),
            ("telegram", "chat_id", "@channelusername", true), ("telegram", "chat_id", "-1001234567890", true),
            ("telegram", "chat_id", "channelusername", false), ("telegram", "chat_id", "1\n", false),
            ("sendgrid", "api_key", "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", true),
            ("sendgrid", "api_key", "sg.ngeVfQFYQlKU0ufo8x5d1A", false),
            ("sendgrid", "api_key", "SG_ngeVfQFYQlKU0ufo8x5d1A", false),
            ("openrouter", "api_key", "sk-or-v1-0123456789abcdef0123456789abcdef", true),
            ("openrouter", "api_key", "sk-0123456789abcdef0123456789abcdef", false),
            ("whatsapp", "account_sid", "ACXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", true),
            ("whatsapp", "account_sid", "SKXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", false),
            ("whatsapp", "from_whatsapp", "+14155238886", true),
            ("whatsapp", "from_whatsapp", "whatsapp:+14155238886", true),
            ("whatsapp", "from_whatsapp", "14155238887", false),
            ("aws", "access_key_id", "AKIAIOSFODNN7EXAMPLE", true),
            ("aws", "access_key_id", "akiaiosfodnn7example", false),
            ("aws", "secret_access_key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", true),
            ("aws", "region", "us-east-1", true), ("aws", "region", "us-gov-west-1", true),
            ("aws", "region", "us-east-1.evil.example/", false), ("aws", "region", "us-east", false),
            ("smtp", "host", "mail.example.com", true), ("smtp", "host", "2001:db8::1", true),
            ("smtp", "host", "mail.example.com/x", false), ("smtp", "host", "-mail", false),
            ("smtp", "port", "587", true), ("smtp", "port", "0", false), ("smtp", "port", "65536", false),
            ("smtp", "port", "1e3", false), ("smtp", "security", "starttls", true),
            ("smtp", "security", "STARTTLS", false),
            ("smtp", "from_email", "ana@acme.example", true), ("smtp", "from_email", "ana@", false),
            ("smtp", "from_email", "a@b@c.example", false), ("smtp", "from_email", "a@b.example\tx", false),
        ])
    func patterns(provider: String, field: String, value: String, isTaken: Bool) throws {
        let found = try #require(try ProviderCatalogue()[provider]?.field(field))
        let objection = found.objection(to: value)
        #expect((objection == nil) == isTaken)
        #expect(objection?.contains(value) != true)
    }
}
