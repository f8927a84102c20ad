import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import Testing
import TimeKit

@testable import Hub

@Suite("What relies on a connection")
struct ConnectionUseTests {
    private static func connect(_ door: FrontDoor, _ provider: String) throws -> String {
        let id = Identifier<Connection>(.real)
        let now = door.clock.now
        try door.database.execute(
            """
            INSERT INTO connections
                   (id, organization_id, provider, name, status, status_changed_at, setup, metadata, created_by, created_at,
                    updated_at)
            VALUES (\(id), \(try door.organization()), \(provider), 'team', 'connected', \(now), '{}', '{}', 'ana', \(now),
                    \(now))
            """)
        return id.text
    }

    @Test("A connection's page, and the one that asks before it is removed, name what relies on it")
    func named() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let key = try door.key()
        let ana = try door.signedIn("ana@acme.example")
        func ask(_ method: HTTPKit.Method, _ path: String, _ json: String) throws -> JSON {
            let answer = try Visitor(door).send(method, path, json: json, headers: ["authorization": "Bearer \(key)"])
            try #require((200...201).contains(answer.status.code), "\(answer.text)")
            return try JSON(parsing: Array(answer.text.utf8))
        }
        let (slack, mail) = (try Self.connect(door, "slack"), try Self.connect(door, "smtp"))
        for id in [slack, mail] {
            #expect(try ana.get("/connections/\(id)").text.contains("Nothing in the hub relies on it."))
        }
        let source = try ask(
            .post, "/api/v1/inbound-sources",
            #"{"name":"Orders & more","provider":"slack","connection_id":"\#(slack)"}"#)
        let workspace = try ask(.post, "/api/v1/workspaces", #"{"name":"Lab"}"#)["id"]?.text ?? ""
        let made = try ask(
            .post, "/api/v2/platform-integrations",
            #"{"workspace_id":"\#(workspace)","platform":"slack","config":{"connection_id":"\#(slack)"}}"#)
        let terms = #"{"connection_id":"\#(mail)","addresses":["ana@acme.example"]}"#
        _ = try ask(.put, "/api/v1/notices", terms)

        let links = [
            slack: [
                "/inbound-sources/\(source["id"]?.text ?? "")\">Inbound source “Orders &amp; more”</a>",
                "/\(made["integration"]?["id"]?.text ?? "")\">Platform integration Slack of “Lab”</a>",
            ], mail: ["/organization\">Notices by e-mail</a>"],
        ]
        for (id, expected) in links {
            for path in ["", "/remove", "/disconnect"] {
                let page = try ana.get("/connections/\(id)\(path)").text
                for link in expected { #expect(page.contains(link), "\(path): \(link)") }
            }
        }
        #expect(try !ana.get("/connections/\(mail)").text.contains("Orders"))
    }
}
