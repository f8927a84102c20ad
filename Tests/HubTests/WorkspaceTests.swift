import AdminShell
import Domain
import HTTPKit
import JSONKit
import LogKit
import Platforms
import Testing

@testable import Hub

/// Workspaces to their end, and platform keys at the door of the whole house.
@Suite(.timeLimit(.minutes(15))) struct WorkspaceLives {
    @Test("A workspace is removed, on its page and in JSON, once nothing belongs to it any more")
    func removed() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let (visitor, headers): (Visitor, Headers) = (
            try door.signedIn("ana@acme.example"), ["x-api-key": try door.key()]
        )
        let made = try Visitor(door).send(.post, "/api/v1/workspaces", json: #"{"name":"Lab"}"#, headers: headers)
        let path = try #require(made.headers["location"])
        let id = try #require(try JSON(parsing: Array(made.text.utf8))["id"]?.text)
        let tied = try Visitor(door).send(
            .post, "/api/v2/platform-integrations", json: #"{"workspace_id":"\#(id)","platform":"slack"}"#,
            headers: headers)
        #expect(tied.status == 201)
        let refused = try Visitor(door).send(.delete, path, headers: headers)
        #expect(refused.status == 409 && refused.text.contains("workspace_in_use"))
        let page = "/organization/workspaces/\(id)/remove"
        #expect(try visitor.get("/organization").text.contains(page))
        #expect(try visitor.submit(page, [("confirm_name", "Lab")]).status == 409)
        let integration = try #require(tied.headers["location"])
        #expect(try Visitor(door).send(.delete, integration, headers: headers).status == 200)
        #expect(try visitor.submit(page, [("confirm_name", "lab")]).status == 422)
        #expect(try visitor.submit(page, [("confirm_name", "Lab")]).status == 303)
        #expect(try Visitor(door).get(path, headers: headers).status == 404)
        let other = try Visitor(door).send(.post, "/api/v1/workspaces", json: #"{"name":"Lab"}"#, headers: headers)
        let second = try #require(other.headers["location"])
        let stale = headers.merging("if-match", "\"7\"")
        #expect(try Visitor(door).send(.delete, second, headers: stale).status == 412)
        #expect(try Visitor(door).send(.delete, second, headers: headers).status == 204)
    }

    @Test("A platform key opens the routes of its integration and no other of the house")
    func platformKeys() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let headers: Headers = ["x-api-key": try door.key()]
        let made = try Visitor(door).send(.post, "/api/v1/workspaces", json: #"{"name":"Lab"}"#, headers: headers)
        let id = try #require(try JSON(parsing: Array(made.text.utf8))["id"]?.text)
        let tied = try Visitor(door).send(
            .post, "/api/v2/platform-integrations", json: #"{"workspace_id":"\#(id)","platform":"slack"}"#,
            headers: headers)
        let integration = try #require(tied.headers["location"])
        let answer = try Visitor(door).send(.post, "\(integration)/api-key", headers: headers)
        let key = try #require(try JSON(parsing: Array(answer.text.utf8))["api_key"]?.text)
        let mine: Headers = ["authorization": "Bearer \(key)"]
        #expect(try Visitor(door).get(integration, headers: mine).status == 200)
        for (path, method, access) in door.walk where EveryRoute.isScript(path) && access != .open {
            let parsed = try #require(Path(path))
            guard PlatformRoute(parsed) == nil else { continue }
            let status = try Visitor(door).send(method, path, headers: mine).status
            #expect(status == 403, "\(method) \(path) → \(status.code)")
        }
        #expect(try Visitor(door).send(.delete, "\(integration)/api-key", headers: headers).status == 200)
        #expect(try Visitor(door).get(integration, headers: mine).status == 401)
    }
}

extension Headers {
    fileprivate func merging(_ name: String, _ value: String) -> Headers {
        var copy = self
        copy[name] = value
        return copy
    }
}
