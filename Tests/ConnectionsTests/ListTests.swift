import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing

@testable import Connections

@Suite struct ListTests {
    let office: Office

    init() throws { office = try Office() }

    private func walk(_ query: String, meanwhile: () throws -> Void = {}) throws -> [String] {
        var seen: [String] = []
        var part = query
        while true {
            let (response, body) = try office.json(.get, "connections", query: part)
            try #require(response.status == 200)
            seen += (body["data"]?.elements ?? []).compactMap { item in
                item["provider"]?.text.flatMap { provider in item["name"]?.text.map { "\(provider):\($0)" } }
            }
            try meanwhile()
            guard let cursor = body["next_cursor"]?.text else {
                #expect(response.headers["link"] == nil)
                return seen
            }
            part = "\(query)&cursor=\(cursor)"
            #expect(
                response.headers["link"]
                    == "<https://site.example/hub/api/v1/connections?\(part)>; rel=\"next\"")
        }
    }

    private func openrouter(_ name: String) throws {
        let (response, _) = try office.json(
            .post, "connections",
            #"{"provider":"openrouter","name":"\#(name)","setup":{"api_key":"sk-or-v1-0123456789abcdef"}}"#)
        try #require(response.status == 201)
    }

    @Test("A list is walked by service, default first, without gaps or doubles while connections come and go")
    func walking() throws {
        for name in ["z", "default", "b", "a"] { _ = try office.telegram(name) }
        for name in ["9", "default", "10"] { try openrouter(name) }
        let all = [
            "openrouter:default", "openrouter:10", "openrouter:9", "telegram:default", "telegram:a", "telegram:b",
            "telegram:z",
        ]
        #expect(try walk("limit=200") == all)
        var number = 0
        let seen = try walk("limit=2") {
            // What is new stands before what was seen, and what was seen last goes.
            number += 1
            try openrouter("0\(number)")
            if number == 2 { #expect(try office.json(.delete, "connections/openrouter:9").response.status == 204) }
        }
        #expect(seen.filter { !$0.hasPrefix("openrouter:0") } == all)
        #expect(Set(seen).count == seen.count)
    }

    @Test("One query takes several services, a workspace, words and a state")
    func filtering() throws {
        let workspace = try office.workspace("Shop", in: office.organization)
        _ = try office.telegram()
        let shop = try office.telegram("shop", workspace: workspace.text)
        try openrouter("default")
        #expect(
            try walk("provider=telegram&provider=openrouter&provider=aws")
                == ["openrouter:default", "telegram:default", "telegram:shop"])
        #expect(try walk("provider=aws").isEmpty)
        #expect(try walk("workspace_id=\(workspace)") == ["telegram:shop"])
        #expect(try walk("search=Tele") == ["telegram:default", "telegram:shop"])
        #expect(try walk("search=OpenRouter") == ["openrouter:default"])
        #expect(try walk("search=sho") == ["telegram:shop"])
        for nothing in ["search=%25", "search=_", "search=%C3%A9", "search=%F0%9F%92%A5", "provider=%C3%A9"] {
            #expect(try walk(nothing).isEmpty)
        }
        _ = try office.json(.post, "connections/\(shop)/test", "{}")
        #expect(try walk("status=connected") == ["telegram:shop"])
        _ = try office.json(.patch, "connections/\(shop)", #"{"enabled":false}"#)
        #expect(try walk("status=disabled") == ["telegram:shop"])
        #expect(try walk("status=connected").isEmpty)
        #expect(try walk("status=disconnected&limit=1") == ["openrouter:default", "telegram:default"])
    }

    @Test(
        "A wrong question about a list is refused",
        arguments: [
            ("limit=0", 422), ("limit=201", 422), ("cursor=x", 422), ("status=fine", 422), ("workspace_id=1", 422),
            ("sort=name", 422), ("limit=1&limit=2", 400),
        ] as [(String, Int)])
    func refused(query: String, status: Int) throws {
        #expect(try office.json(.get, "connections", query: query).response.status.code == status)
        #expect(try office.door.send(.get, "/connections", as: office.admin, query: query).status.code == status)
    }

    @Test(
        "A connection is found by its id, by its service, and by service and name",
        arguments: ["telegram", "telegram:default", "ID"])
    func names(name: String) throws {
        let id = try office.telegram()
        let path = name == "ID" ? id : name
        #expect(try office.json(.get, "connections/\(path)").body["id"] == .string(id))
        #expect(try office.json(.get, "connections/\(path)/status").body["status"] == "disconnected")
    }

    @Test(
        "Names that nothing bears answer 404",
        arguments: [
            "telegram:", "telegram:Default", "Telegram", "telegram:a:b", ":default", "%C3%A9", "telegram:%F0%9F%92%A5",
            "~",
            "01890a5d-ac96-774b-bcce-b302099a8057",
        ])
    func unknown(name: String) throws {
        _ = try office.telegram()
        for rest in ["", "/status", "/credentials"] {
            #expect(try office.json(.get, "connections/\(name)\(rest)").response.status == 404)
        }
    }

    @Test("Nothing of another organization is seen, tried or changed, by id or by name")
    func isolation() throws {
        let id = try office.telegram("alerts")
        let other = try office.house.organization("Other")
        try Office.prepare(other, office.house, office.ring)
        let stranger = try office.house.person(.owner, in: other)
        let before = try office.json(.get, "connections/\(id)").body
        for name in [id, "telegram:alerts"] {
            for (method, rest, body): (HTTPKit.Method, String, String?) in [
                (.get, "", nil), (.get, "/status", nil), (.get, "/credentials", nil), (.post, "/test", "{}"),
                (.post, "/disconnect", "{}"), (.patch, "", #"{"enabled":false}"#), (.delete, "", nil),
            ] {
                let answer = try office.json(method, "connections/\(name)\(rest)", body, as: stranger)
                #expect(answer.response.status == 404, "\(method.name) \(rest)")
            }
        }
        for verb in ["", "/edit", "/disconnect", "/remove"] {
            #expect(try office.door.send(.get, "/connections/\(id)\(verb)", as: stranger).status == 404)
        }
        for verb in ["edit", "test", "enable", "disable", "disconnect", "remove"] {
            let form = [("confirm_name", "alerts"), ("name", "x")]
            #expect(try office.door.send(.post, "/connections/\(id)/\(verb)", as: stranger, form: form).status == 404)
        }
        #expect(try office.json(.get, "connections", as: stranger).body["data"] == [])
        #expect(try office.json(.get, "connections/\(id)").body == before)
        #expect(try office.house.auditedActions() == ["connection.created"])
        #expect(office.service.requests.isEmpty)
    }

    @Test("The catalogue tells each service with the rules of its fields")
    func catalogue() throws {
        let body = try office.json(.get, "providers").body
        let keys = body["data"]?.elements?.compactMap { $0["key"]?.text }
        #expect(try keys == ProviderCatalogue().providers.map(\.key))
        let telegram = try office.json(.get, "providers/telegram").body
        #expect(telegram["fields"]?[0]?["secret"] == true)
        #expect(telegram["fields"]?[0]?["pattern"] == "[0-9]{3,20}:[A-Za-z0-9_-]{20,100}")
        #expect(try office.json(.get, "providers/nope").response.status == 404)
    }
}
