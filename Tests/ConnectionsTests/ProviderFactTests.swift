import Domain
import JSONKit
import Testing
import TimeKit

@testable import Connections

/// What a provider file tells besides fields and one test: addresses with holes, what is asked every hour, what ends.
@Suite struct ProviderFactTests {
    /// A whole provider file; each mistake below replaces one part of it.
    private static let whole = #"""
        {
          "key": "pager", "name": "Pager", "kind": "oauth2", "category": "Messaging",
          "tile": { "letters": "Pa", "color": "red" },
          "summary": "Page people.", "guide": ["Add {redirect_uri} there."],
          "fields": [
            { "name": "shop", "label": "Shop", "kind": "text", "required": true, "pattern": "[a-z0-9-]{1,60}" },
            { "name": "base_url", "label": "Base", "kind": "url", "hosts": ["*"], "pattern": "https://[^\\s?#]+" },
            { "name": "hook", "label": "Hook", "kind": "secret", "hosts": ["hook.*.pager.example"] },
            { "name": "client_id", "label": "Client", "kind": "text", "required": true, "unless": "hook" },
            { "name": "ends_on", "label": "Ends on", "kind": "date", "default": "2027-01-31" }
          ],
          "hosts": ["{shop}.pager.example", "{base_url}", "*.cdn.pager.example"],
          "oauth": {
            "authorize": "https://{shop}.pager.example/authorize", "token": "{base_url}/token",
            "scopes_field": "shop", "issuer": "https://{shop}.pager.example", "own_token": "hook",
            "revoke": { "method": "POST", "url": "{base_url}/revoke", "parameters": { "token": "{refresh_token}" }, "success": { "status": [200] } }
          },
          "test": [
            { "kind": "http", "method": "GET", "url": "{base_url}/me", "bearer": "{access_token}",
              "success": { "status": [200] }, "access": "Me", "metadata": [{ "label": "Status", "path": "@status" }] },
            { "kind": "http", "method": "POST", "url": "{hook}", "json": { "text": ["{shop}"] },
              "success": { "status": [200] }, "access": "Hook", "metadata": [], "notice": "Posts an event." }
          ],
          "sync": [{ "method": "GET", "url": "{base_url}/me", "bearer": "{access_token}", "success": { "status": [200] }, "facts": [] }],
          "sunset": [{ "date": "2027-02-16", "href": "https://pager.example/news", "sentence": "It ends." }],
          "ends": "ends_on"
        }
        """#

    @Test("A file with all of it is read")
    func right() throws {
        let provider = try ProviderFile.read("pager.json", Array(Self.whole.utf8))
        #expect(provider.tests.count == 2 && provider.sync.count == 1 && provider.ends == "ends_on")
        #expect(provider.hosts == ["{base_url}", "{hook}", "{shop}.pager.example", "*.cdn.pager.example"])
        #expect(provider.hostFields == ["shop", "base_url", "hook"])
        #expect(provider.sunsets.map(\.date.day) == ["2027-02-16"])
        #expect(provider.redirectPath(for: nil) == nil)
    }

    @Test(
        "Each mistake is told with its line and column",
        arguments: [
            Mistake(#""[a-z0-9-]{1,60}""#, #""[a-z0-9.-]{1,60}""#, "14:18", "pattern without dots"),
            Mistake(
                #""https://{shop}.pager.example/authorize""#, #""https://api.{shop}.example/authorize""#, "14:18",
                "its first label"),
            Mistake(
                #""https://{shop}.pager.example/authorize""#, #""https://{shop}.example/authorize""#, "14:18",
                "its first label"),
            Mistake(
                #""https://{shop}.pager.example/authorize""#, #""http://{shop}.pager.example/authorize""#, "14:18",
                "begins with https://"),
            Mistake(#""{base_url}/token""#, #""{shop}/token""#, "14:69", "a field with hosts"),
            Mistake(#""{base_url}/token""#, #""{base_url}.evil.example/token""#, "14:69", "must begin with /"),
            Mistake(#""{base_url}/token""#, #""x{base_url}/token""#, "14:69", "begins with https://"),
            Mistake(#""https://[^\\s?#]+""#, #""https://.+""#, "19:47", "without ? and #"),
            Mistake(#"["*"]"#, #"["com"]"#, "7:69", "a host is a name"),
            Mistake(#"["*"]"#, #"["*.com"]"#, "7:69", "a host is a name"),
            Mistake(#"["*"]"#, #"["A.example"]"#, "7:69", "a host is a name"),
            Mistake(#"["*"]"#, #"[]"#, "7:68", "at least one"),
            Mistake(
                #""kind": "text", "required": true, "pattern""#,
                #""kind": "text", "hosts": ["*"], "required": true, "pattern""#, "6:65", "of kind url or secret"),
            Mistake(#""unless": "hook""#, #""unless": "other""#, "9:91", "no other field"),
            Mistake(#""unless": "hook""#, #""unless": "client_id""#, "9:91", "no other field"),
            Mistake(#""required": true, "unless": "hook""#, #""unless": "hook""#, "9:73", "fields that are required"),
            Mistake(#""2027-01-31""#, #""2027-02-30""#, "10:73", "must be a day"),
            Mistake(#""name": "hook""#, #""name": "access_token""#, "8:15", "the hub itself fills in"),
            Mistake(#""*.cdn.pager.example""#, #""*""#, "12:51", "a host is a name"),
            Mistake(#""scopes_field": "shop""#, #""scopes_field": "shops""#, "15:21", "no field shops"),
            Mistake(
                #""issuer": "https://{shop}.pager.example""#, #""issuer": "https://{town}.pager.example""#, "15:39",
                "no field town"),
            Mistake(#""{refresh_token}""#, #""{refresh}""#, "16:88", "no field refresh"),
            Mistake(#"["{shop}"]"#, #"["{town}"]"#, "21:66", "no field town"),
            Mistake(#""json": {"#, #""parameters": { "a": "b" }, "json": {"#, "21:94", "instead of parameters"),
            Mistake(
                #""bearer": "{access_token}",\#n"#, #""bearer": "{refresh_token}",\#n"#, "19:74",
                "no field refresh_token"),
            Mistake(#""2027-02-16""#, #""soon""#, "25:24", "date is a day"),
            Mistake(#""https://pager.example/news""#, #""http://pager.example/news""#, "25:46", "https://"),
            Mistake(#""ends": "ends_on""#, #""ends": "shop""#, "26:11", "of kind date"),
            Mistake(#""facts": []"#, #""fact": []"#, "24:123", "no member fact"),
            Mistake(#"{redirect_uri}"#, #"{redirect}"#, "4:40", "the only hole of a guide"),
            Mistake(#""summary": "Page people.""#, #""summary": "Page\npeople.""#, "4:14", "control character"),
        ])
    func mistakes(mistake: Mistake) throws {
        try #require(Self.whole.contains(mistake.from))
        let text = Self.whole.replacing(mistake.from, with: mistake.to, maxReplacements: 1)
        let error = try #require(
            throws: ProviderFileError.self, performing: { try ProviderFile.read("pager.json", Array(text.utf8)) })
        #expect(error.description.hasPrefix("pager.json:\(mistake.place): "), "\(error)")
        #expect(error.sentence.contains(mistake.words), "\(error)")
    }

    @Test("All mistakes are told at once, in the file's own words")
    func several() {
        let text = Self.whole.replacing("\"red\"", with: "\"puce\"").replacing("\"soon\"", with: "1")
            .replacing("2027-02-16", with: "soon").replacing("\"Pager\"", with: "7")
        let mistakes = ProviderCatalogue.mistakes(in: "pager.json", Array(text.utf8))
        #expect(
            mistakes.map(\.description) == [
                "pager.json:2:27: name must be a text.",
                "pager.json:3:39: color is one of \(Provider.Tile.colors.sorted().joined(separator: ", ")).",
                "pager.json:25:24: date is a day such as 2026-11-21.",
            ])
        #expect(ProviderCatalogue.mistakes(in: "pager.json", Array(Self.whole.utf8)).isEmpty)
    }

    @Test(
        "A host pattern takes the hosts it names and no others",
        arguments: [
            ("api.example.com", "api.example.com", true), ("api.example.com", "x.api.example.com", false),
            ("api.example.com", "api.example.com.evil.example", false), ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", true), ("*.example.com", "example.com", false),
            ("*.example.com", "evilexample.com", false), ("hook.*.make.com", "hook.eu1.make.com", true),
            ("hook.*.make.com", "hook.a.b.make.com", false), ("hook.*.make.com", "hook..make.com", false),
            ("hook.*.make.com", "evil.eu1.make.com", false), ("*", "anything.example", true),
        ])
    func hosts(pattern: String, host: String, isTaken: Bool) throws {
        #expect(try #require(HostPattern(pattern)).matches(host) == isTaken)
    }

    @Test("An address is filled so that a value stays one part of it, and a base address keeps its path")
    func filling() {
        let values = [
            "base": "https://n8n.example/sub/", "id": "a/b?c#d e", "http": "http://n8n.example",
            "hook": "https://h.example/x?y=z",
        ]
        #expect(Holes.address("{base}/api/{id}", values) == "https://n8n.example/sub/api/a%2Fb%3Fc%23d%20e")
        #expect(Holes.address("https://a.example/{id}", values) == "https://a.example/a%2Fb%3Fc%23d%20e")
        #expect(Holes.address("{hook}", values) == "https://h.example/x?y=z")
        #expect(Holes.address("{http}/api", values).isEmpty && Holes.address("{nothing}/api", values).isEmpty)
    }

    @Test("The first test that has all of its values is made; a field is not missing where its alternative is given")
    func choosing() throws {
        let provider = try ProviderFile.read("pager.json", Array(Self.whole.utf8))
        let signedIn = ["base_url": "https://a.example", "access_token": "t", "shop": "a", "client_id": "c"]
        #expect(provider.test(for: signedIn).notice == nil && provider.missing(signedIn).isEmpty)
        let hook = ["hook": "https://hook.eu1.pager.example/1", "shop": "a"]
        #expect(provider.test(for: hook).notice == "Posts an event." && provider.missing(hook).isEmpty)
        #expect(provider.missing(["shop": "a"]).map(\.name) == ["client_id"])
        #expect(provider.allows("a.pager.example", hook) && provider.allows("hook.eu1.pager.example", hook))
        #expect(!provider.allows("b.pager.example", hook) && !provider.allows("a.example", hook))
    }
}
