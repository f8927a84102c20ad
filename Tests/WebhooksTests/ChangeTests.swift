import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Webhooks

@Suite("Webhooks by their door for scripts")
struct ChangeTests {
    @Test("One is made with 201, its address, its version and its secret, which is shown this once")
    func made() throws {
        let counter = try Counter()
        let made = try counter.make(["description": "To the warehouse"], events: ["user.created", "custom.*"])
        let id = try counter.id(made)
        #expect(made.status == 201 && made.headers["location"] == "/hub/api/v1/webhooks/\(id)")
        #expect(made.headers["etag"] == "\"1\"" && made.headers["cache-control"]?.contains("no-store") == true)
        let secret = try #require(made.json["secret"]?.text)
        #expect(secret.hasPrefix("whsec_") && Base64.decode(String(secret.dropFirst(6)))?.count == 32)
        #expect(made.json["signature_scheme"] == "v1" && made.json["active"] == true && made.json["state"] == "active")
        #expect(made.json["events"] == ["user.created", "custom.*"] && made.json["description"] == "To the warehouse")
        for answer in [
            try counter.send(.get, "webhooks/\(id)"), try counter.send(.get, "webhooks"),
            try counter.send(.patch, "webhooks/\(id)", ["description": "x"]),
        ] {
            #expect(answer.status == 200)
            #expect(!String(decoding: answer.json.bytes, as: UTF8.self).contains(secret.dropFirst(6)))
        }
        #expect(try counter.send(.get, "webhooks/\(id)").json["url"]?.text == counter.url)
        #expect(try counter.post.house.auditedActions() == ["webhook.created", "webhook.updated"])
    }

    @Test("A change is what is given, null is what is usual, and a change of nothing is none")
    func patched() throws {
        let counter = try Counter()
        let id = try counter.id(
            try counter.make([
                "description": "a", "per_second": 5, "ordering": "skip", "skip_after": 7, "headers": ["X-Team": "blue"],
            ]))
        let path = "webhooks/\(id)"
        var seen = try counter.send(.get, path)
        #expect(seen.json["per_second"] == 5 && seen.json["ordering"] == "skip" && seen.json["skip_after"] == 7)
        #expect(seen.json["has_headers"] == true)
        seen = try counter.send(.patch, path, ["events": ["a.b"], "active": false])
        #expect(seen.json["events"] == ["a.b"] && seen.json["state"] == "paused" && seen.json["per_second"] == 5)
        seen = try counter.send(
            .patch, path,
            [
                "description": .null, "per_second": .null, "ordering": .null, "headers": .null, "active": .null,
            ])
        #expect(seen.status == 200 && seen.json["description"] == "" && seen.json["per_second"] == .null)
        #expect(
            seen.json["ordering"] == "none" && seen.json["skip_after"] == .null && seen.json["has_headers"] == false)
        #expect(seen.json["state"] == "active" && seen.json["events"] == ["a.b"])
        for body in [[:], ["active": true]] as [JSON] {
            let again = try counter.send(.patch, path, body)
            #expect(again.status == 200 && again.headers["etag"] == seen.headers["etag"])
        }
    }

    @Test("Pausing and going on are told and logged as such, by whichever door; a change of nothing is not")
    func turned() throws {
        let counter = try Counter()
        let path = "webhooks/\(try counter.id(try counter.make()))"
        for body in [["active": false], ["active": false], ["active": true, "description": "x"], [:]] as [JSON] {
            #expect(try counter.send(.patch, path, body).status == 200)
        }
        let expected = ["webhook.created", "webhook.paused", "webhook.updated", "webhook.enabled"]
        #expect(try counter.post.house.auditedActions().sorted() == expected.sorted())
        let told = try counter.post.house.database.rows("SELECT type FROM domain_events ORDER BY id LIMIT 20")
        #expect(try told.map { try $0.get("type", as: String.self) }.sorted() == expected.sorted())
    }

    @Test("A change or an end that names another version is refused with 412, and changes nothing")
    func matched() throws {
        let counter = try Counter()
        let path = "webhooks/\(try counter.id(try counter.make()))"
        let tag = try #require(try counter.send(.patch, path, ["description": "two"]).headers["etag"])
        for method in [HTTPKit.Method.patch, .delete] {
            let body: JSON? = method == .patch ? ["description": "three"] : nil
            let answer = try counter.send(method, path, body, headers: ["if-match": "\"1\""])
            #expect(answer.status == 412 && answer.code == "precondition_failed")
        }
        #expect(try counter.send(.get, path).json["description"] == "two")
        #expect(try counter.send(.patch, path, ["description": "four"], headers: ["if-match": tag]).status == 200)
        #expect(try counter.send(.delete, path, headers: ["if-match": tag]).status == 412)
        #expect(try counter.send(.delete, path).status == 204)
        #expect(try counter.send(.get, path).status == 404 && counter.send(.delete, path).status == 404)
    }

    @Test("A person has twenty at most, also when they are made at once; others have their own")
    func twenty() throws {
        let counter = try Counter()
        let answers = try inThreads(24) { _ in try counter.make().status }
        #expect(answers.filter { $0 == 201 }.count == 20 && answers.filter { $0 == 409 }.count == 4)
        #expect(try counter.make().code == "too_many_webhooks")
        let other = try counter.post.house.person(.admin, in: counter.post.organization)
        #expect(try counter.make(as: other).status == 201)
        let all = try counter.send(.get, "webhooks", query: "limit=200").json["data"]?.elements ?? []
        let mine = all.filter { $0["user_id"]?.text == counter.post.admin.browser?.user.text }
        #expect(all.count == 21 && mine.count == 20)
        #expect(try counter.send(.delete, "webhooks/\(mine[0]["id"]?.text ?? "")").status == 204)
        #expect(try counter.make().status == 201 && counter.make().status == 409)
    }

    @Test("A list is read part by part, each webhook once, whatever is added meanwhile")
    func listed() throws {
        let counter = try Counter()
        var ids: [String] = []
        for _ in 0..<5 {
            ids.append(try counter.id(try counter.make()))
            counter.post.house.pass(.seconds(1))
        }
        var (found, query): ([String], String?) = ([], "limit=2")
        while let part = query {
            let answer = try counter.send(.get, "webhooks", query: part)
            #expect(answer.status == 200)
            found += (answer.json["data"]?.elements ?? []).compactMap { $0["id"]?.text }
            let next = answer.json["next_cursor"]?.text
            #expect((answer.headers["link"] != nil) == (next != nil))
            query = next.map { "limit=2&cursor=\($0)" }
            try counter.make()
        }
        #expect(found == ids.reversed())
        #expect(try counter.send(.get, "webhooks", query: "cursor=AAAA").status == 422)
        #expect(try counter.send(.get, "webhooks", query: "sort=url").refusals == ["sort unknown_field"])
    }

    @Test("Another organization sees nothing of it: 404 wherever its id is used")
    func isolated() throws {
        let counter = try Counter()
        let id = try counter.id(try counter.make())
        let event = try counter.id(try counter.send(.post, "events", ["type": "user.created", "data": [:]]))
        let delivery = try #require(
            try counter.send(.get, "webhooks/\(id)/deliveries").json["data"]?[0]?["id"]?.text)
        let replay = try counter.id(
            try counter.send(.post, "webhooks/\(id)/replay", ["since": "2020-01-01T00:00:00Z"]))
        let stranger = try counter.stranger()
        let since: JSON = ["since": "2020-01-01T00:00:00Z"]
        for (method, path, body) in [
            (.get, "webhooks/\(id)", nil), (.patch, "webhooks/\(id)", ["description": "x"]),
            (.delete, "webhooks/\(id)", nil),
            (.post, "webhooks/\(id)/test", nil), (.post, "webhooks/\(id)/roll-secret", nil),
            (.get, "webhooks/\(id)/deliveries", nil), (.post, "webhooks/\(id)/replay", since),
            (.get, "replays/\(replay)", nil), (.get, "deliveries/\(delivery)", nil),
            (.post, "deliveries/\(delivery)/retry", nil), (.get, "events/\(event)", nil),
        ] as [(HTTPKit.Method, String, JSON?)] {
            let answer = try counter.send(method, path, body, as: stranger)
            #expect(answer.status == 404 && answer.code == "not_found", "\(method) \(path)")
        }
        for path in ["webhooks", "events"] {
            #expect(try counter.send(.get, path, as: stranger).json["data"] == [])
        }
        #expect(try counter.send(.get, "webhooks/\(id)").status == 200)
    }

    @Test("Members see their own alone, and whoever may not write sees no more of an address than its beginning")
    func own() throws {
        let counter = try Counter()
        let house = counter.post.house
        let member = try house.person(.member, in: counter.post.organization)
        let support = try house.person(.support, in: counter.post.organization)
        let secretURL = "\(counter.url)/T0K3N1234567890abcdef?key=s3cr3t"
        let id = try counter.id(try counter.make(["url": .string(secretURL)]))
        #expect(try counter.send(.post, "events", ["type": "user.created", "data": [:]]).status == 202)
        let delivery = try #require(try counter.send(.get, "webhooks/\(id)/deliveries").json["data"]?[0]?["id"]?.text)
        #expect(try counter.send(.get, "webhooks", as: member).json["data"] == [])
        for path in ["webhooks/\(id)", "webhooks/\(id)/deliveries", "deliveries/\(delivery)"] {
            #expect(try counter.send(.get, path, as: member).status == 404, "\(path)")
        }
        #expect(try counter.make(as: support).status == 403)
        let shown = try counter.send(.get, "webhooks/\(id)", as: support)
        #expect(shown.status == 200)
        let text = String(decoding: shown.json.bytes, as: UTF8.self)
        #expect(!text.contains("T0K3N") && !text.contains("s3cr3t"))
        let list = String(decoding: try counter.send(.get, "webhooks").json.bytes, as: UTF8.self)
        #expect(!list.contains("T0K3N") && !list.contains("s3cr3t"))
        let audit = try house.database.rows("SELECT details FROM audit_events LIMIT 10").map {
            try $0.get("details", as: String.self)
        }
        #expect(!audit.isEmpty && audit.allSatisfy { !$0.contains("T0K3N") && !$0.contains("s3cr3t") })
        #expect(try counter.send(.get, "webhooks/\(id)").json["url"]?.text == secretURL)
    }
}
