import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Webhooks

@Suite struct PageTests {
    let post: Post
    let door: Door

    init() throws {
        post = try Post()
        door = try Door(post.house, post.room.pageRoutes, templates: Webhooks.templates)
    }

    private var hook: String { "http://127.0.0.1:\(post.receiver.port)/hook" }

    private func get(_ path: String, query: String = "", as principal: Principal? = nil) throws -> String {
        let answer = try door.send(.get, path, as: principal ?? post.admin, query: query)
        #expect(answer.status == 200, "\(path)")
        return try answer.text()
    }

    private func send(_ path: String, _ form: [(String, String)] = []) throws -> Response {
        try door.send(.post, path, as: post.admin, form: [("csrf_token", "token"), ("form_nonce", "n")] + form)
    }

    @Test("Each page's sample fills its template")
    func samples() throws { try door.check(Webhooks.pages) }

    @Test("Every path of a page is read as it is written")
    func paths() throws {
        for route in WebhookPageRoute.samples {
            #expect(WebhookPageRoute(try #require(Path(route.path))) == route, "\(route.path)")
        }
        #expect(WebhookPageRoute(try #require(Path("/event-types/a/b"))) == nil)
    }

    @Test("A webhook made by the form shows its secret in the answer, never stored, and never again")
    func creating() throws {
        let answer = try send(
            "/webhooks/new",
            [
                ("url", hook), ("description", "ERP"), ("events", "user.created"), ("events", "payment.*"),
                ("events", "custom.order.shipped\r\ncustom.x"), ("signature_scheme", "v1"), ("secret", ""),
                ("header_lines", "X-Api-Key: k:1\r\nX-Team: a"), ("per_second", "5"), ("ordering", "skip"),
                ("skip_after", "4"), ("active", "true"),
            ])
        #expect(answer.status == 200 && answer.headers["cache-control"] == "no-store")
        let page = try answer.text()
        let secret = try #require(page.firstMatch(of: #/whsec_[A-Za-z0-9+\/=]+/#)?.output)
        let record = try #require(try post.room.store(post.scope).list(after: nil, limit: 1).first)
        #expect(record.events.map(\.description) == ["user.created", "payment.*", "custom.order.shipped", "custom.x"])
        #expect(record.ordering == .skip(after: 4) && record.perSecond == 5 && record.state == .active)
        let fields = try post.room.headers(record, in: post.house.database)
        #expect(fields.map { "\($0.name)=\($0.value.reveal { $0 })" } == ["X-Api-Key=k:1", "X-Team=a"])
        for path in ["", "/edit", "/verify", "/roll", "/replay", "/remove"] {
            #expect(try !get("/webhooks/\(record.id)\(path)").contains(secret), "\(path)")
        }
        #expect(try get("/webhooks").contains("ERP"))
        #expect(try post.house.auditedActions() == ["webhook.created"])
    }

    @Test("A key pair is given by its public key, which stands on the page too")
    func keyPair() throws {
        let page = try send(
            "/webhooks/new", [("url", hook), ("events", "*"), ("signature_scheme", "v1a"), ("active", "true")]
        ).text()
        let key = try #require(page.firstMatch(of: #/whpk_[A-Za-z0-9+\/=]+/#)?.output)
        #expect(!page.contains("whsk_"))
        let record = try #require(try post.room.store(post.scope).list(after: nil, limit: 1).first)
        #expect(try get("/webhooks/\(record.id)").contains(key))
        #expect(try get("/webhooks/\(record.id)/verify", query: "language=go").contains(key))
    }

    @Test("A refused form comes back with what was typed but the secret, each fault beside its field")
    func refused() throws {
        let answer = try send(
            "/webhooks/new",
            [
                ("url", "ftp://<b>"), ("events", "no event!"), ("secret", "tiny"), ("header_lines", "no colon"),
                ("signature_scheme", "v1"), ("per_second", "0"), ("ordering", "none"),
            ])
        #expect(answer.status == 422)
        let page = try answer.text()
        for id in ["field-url", "events", "field-secret", "field-header-lines", "field-per-second"] {
            #expect(page.contains("id=\"\(id)-error\""), "\(id)")
        }
        #expect(page.contains("value=\"ftp://&lt;b&gt;\"") && !page.contains("tiny"))
        let host = try send("/webhooks/new", [("url", hook), ("events", "*"), ("header_lines", "Host: x")]).text()
        #expect(host.contains("id=\"field-header-lines-error\""))
    }

    @Test("An edit keeps the headers that are not written anew, and whoever saw another version is told")
    func editing() throws {
        let made = try post.webhook { $0.headers = [("X-Key", Secret("1"))] }
        let path = "/webhooks/\(made.record.id)/edit"
        #expect(try get(path).contains("X-Key") && get(path).contains("value=\"\(hook)\""))
        let form = [("url", hook), ("events", "*"), ("ordering", "block"), ("skip_after", "3"), ("version", "1")]
        #expect(try send(path, form).status == 303)
        let record = try post.room.find(made.record.id, post.scope)
        #expect(record.ordering == .block && record.state == .paused)
        #expect(try post.room.headers(record, in: post.house.database).map(\.name) == ["X-Key"])
        #expect(try send(path, form).status == 409)
        let removed = form.filter { $0.0 != "version" } + [("remove_headers", "true"), ("active", "true")]
        #expect(try send(path, removed).status == 303)
        #expect(try post.room.find(made.record.id, post.scope).headersSealed == nil)
    }

    @Test("Pause, resume, roll and remove do what they say")
    func deeds() throws {
        let made = try post.webhook { $0.description = "ERP" }
        let path = "/webhooks/\(made.record.id)"
        #expect(try send("\(path)/pause").status == 303 && get(path).contains("Resume"))
        #expect(try send("\(path)/resume").status == 303 && get(path).contains("Pause"))
        let rolled = try send("\(path)/roll", [("grace_seconds", "3600"), ("signature_scheme", "v1")])
        #expect(try rolled.text().contains("whsec_") && rolled.headers["cache-control"] == "no-store")
        #expect(try send("\(path)/roll", [("signature_scheme", "v1")]).status == 422)
        #expect(try send("\(path)/remove", [("confirm_name", "CRM")]).status == 422)
        #expect(try send("\(path)/remove", [("confirm_name", "ERP")]).status == 303)
        #expect(try door.send(.get, path, as: post.admin).status == 404)
        #expect(
            try post.house.auditedActions().sorted() == [
                "webhook.created", "webhook.deleted", "webhook.enabled", "webhook.paused", "webhook.secret_rolled",
            ])
    }

    @Test("A test leads to its delivery, which tells what was said; sending again makes it due")
    func delivery() throws {
        let post = try Post { _ in
            "HTTP/1.1 503 Busy\r\nX-Why: <b>\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<i>!"
        }
        let door = try Door(post.house, post.room.pageRoutes, templates: Webhooks.templates)
        let made = try post.webhook()
        let form = [("csrf_token", "token"), ("form_nonce", "n"), ("type", "user.created")]
        let answer = try door.send(.post, "/webhooks/\(made.record.id)/test", as: post.admin, form: form)
        let path = String(try #require(answer.headers["location"]?.trimmingPrefix("/hub")))
        let page = try door.send(.get, path, as: post.admin).text()
        for words in ["503", "&lt;i&gt;!", "x-why", "webhook-signature", "as a test", "user_id", "First byte"] {
            #expect(page.lowercased().contains(words.lowercased()), "\(words)")
        }
        #expect(!page.contains("<i>!"))
        #expect(try door.send(.get, path, as: post.admin, query: "show=payload").text().contains("json-name"))
        #expect(try door.send(.get, path, as: post.admin, query: "attempt=2").status == 404)
        #expect(try door.send(.post, "\(path)/retry", as: post.admin, form: []).status == 303)
        #expect(try post.deliveries() == ["waiting 1 503"])
    }

    @Test("The detail counts what came of attempts, and lists deliveries by state and event")
    func detail() throws {
        let isWell = Lock(true)
        let post = try Post { _ in
            isWell.withLock { $0 } ? Post.ok : "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        }
        let door = try Door(post.house, post.room.pageRoutes, templates: Webhooks.templates)
        let made = try post.webhook { $0.description = "ERP" }
        for _ in 0..<3 { try post.take("user.created") }
        try post.dispatchAll()
        isWell.withLock { $0 = false }
        post.house.pass(.seconds(1))
        try post.take("payment.failed")
        try post.dispatch()
        let figures = try post.room.figures(of: made.record.id, since: post.house.world.now() - .hours(24))
        #expect(figures.total.delivered == 3 && figures.total.failed == 1 && figures.spans.count == 25)
        #expect(figures.spans.last?.delivered == 3 && figures.total.p95 != nil)
        let health = try post.room.health(of: [made.record.id], since: post.house.world.now() - .hours(24))
        let own = try #require(health[made.record.id])
        #expect(own.delivered == 3 && own.failed == 1 && own.waiting == 1 && own.last?.status == 500)
        let path = "/webhooks/\(made.record.id)"
        let failed = try door.send(.get, path, as: post.admin, query: "status=waiting").text()
        #expect(failed.contains(">payment.failed</a>") && !failed.contains(">user.created</a>"))
        let users = try door.send(.get, path, as: post.admin, query: "event=user.*&range=7d").text()
        #expect(users.contains(">user.created</a>") && !users.contains(">payment.failed</a>"))
        let list = try door.send(.get, "/webhooks", as: post.admin).text()
        #expect(list.contains("75 %") && list.contains("Failing"))
        #expect(try post.room.attentionCount(post.scope) == 0)
        post.house.pass(.minutes(20))
        #expect(try post.room.attentionCount(post.scope) == 1)
        #expect(try door.send(.get, "/webhooks", as: post.admin).text().contains("“ERP” fails for 20 min."))
    }

    @Test("A replay is counted before it is confirmed, and its page tells how far it is")
    func replay() throws {
        let made = try post.webhook()
        for _ in 0..<3 { try post.take() }
        try post.dispatchAll()
        let path = "/webhooks/\(made.record.id)/replay"
        post.house.pass(.seconds(1))
        #expect(try get(path, query: "range=24h&since=&until=&status=failed&event=").contains("Nothing matches"))
        let counted = try get(path, query: "range=24h&since=&until=&status=delivered&event=user.*")
        #expect(counted.contains("Send 3 deliveries again"))
        let since = try #require(counted.firstMatch(of: #/name="since" value="([^"]+)"/#)?.output.1)
        let until = try #require(counted.firstMatch(of: #/name="until" value="([^"]+)"/#)?.output.1)
        let begun = try send(
            path, [("since", "\(since)"), ("until", "\(until)"), ("status", "delivered"), ("event", "user.*")])
        #expect(begun.status == 303)
        let status = String(try #require(begun.headers["location"]?.trimmingPrefix("/hub")))
        #expect(try get(status).contains("0 of 3 made due") && get(path).contains("0 of 3"))
        #expect(try door.send(.get, path, as: post.admin, query: "range=own&status=failed").status == 422)
    }

    @Test("A replay that ended before its time says so, and sending again says when that will be")
    func endedAndSlowed() throws {
        let made = try post.webhook()
        try post.take()
        try post.dispatchAll()
        post.house.pass(.seconds(1))
        let begun = try send("/webhooks/\(made.record.id)/replay", [("range", "24h"), ("status", "")])
        let status = String(try #require(begun.headers["location"]?.trimmingPrefix("/hub")))
        try post.house.database.execute("UPDATE replays SET state = 'finished'")
        #expect(try get(status).contains("What matched is due"))
        try post.house.database.execute("UPDATE replays SET state = 'canceled'")
        #expect(try get(status).contains("It ended before its time") && !get(status).contains("What matched is due"))
        let delivery = try #require(try post.room.log(post.scope).deliveries(.init(), after: nil, limit: 1).first)
        func said() throws -> String {
            let cookie = try #require(try send("/deliveries/\(delivery.id)/retry").headers["set-cookie"])
            let sentence = try #require(cookie.split(separator: ".").dropFirst().first)
            return String(decoding: try #require(Base64URL.decode(String(sentence))), as: UTF8.self)
        }
        #expect(try said() == "It is sent again now.")
        try post.house.database.execute("UPDATE webhooks SET slow_until = \(post.house.world.now() + .hours(2))")
        #expect(try said().contains("asked"))
        _ = try post.room.setActive(false, made.record.id, by: post.scope)
        #expect(try said().contains("resumed"))
    }

    @Test("An event published by the form reaches its webhook; broken data are refused beside the field")
    func publishing() throws {
        try post.webhook(["user.*"])
        let broken = try send(
            "/events/new", [("type", "user.created"), ("data", "{"), ("id", ""), ("ordering_key", "")])
        #expect(try broken.status == 422 && broken.text().contains("id=\"field-data-error\""))
        let unknown = try send("/events/new", [("type", "user.painted"), ("data", "{}")])
        #expect(try unknown.status == 422 && unknown.text().contains("id=\"field-type-error\""))
        let answer = try send(
            "/events/new", [("type", "user.created"), ("data", "{\"a\": [1, \"<b>\"]}"), ("id", "k1")])
        let path = String(try #require(answer.headers["location"]?.trimmingPrefix("/hub")))
        let page = try get(path)
        #expect(page.contains("It went to 1 webhook.") && page.contains("&lt;b&gt;") && !page.contains("\\u003c"))
        #expect(try get("/events", query: "type=user.*").contains("k1"))
        #expect(try get("/events", query: "type=payment.*").contains("No event matches"))
        #expect(try get("/events", query: "until=2001-01-01").contains("No event matches"))
        #expect(try post.dispatch() == 1)
    }

    @Test("A kind of event is described, changed and removed; an example that breaks its schema is refused")
    func types() throws {
        let schema = "{\"type\": \"object\", \"required\": [\"order_id\"]}"
        let broken = try send(
            "/event-types/new-type",
            [("name", "order.shipped"), ("description", "x"), ("schema", schema), ("example", "{}")])
        #expect(try broken.status == 422 && broken.text().contains("id=\"field-example-error\""))
        let made = try send(
            "/event-types/new-type",
            [
                ("name", "order.shipped"), ("description", "It left."), ("schema", schema),
                ("example", "{\"order_id\": \"1\"}"),
            ])
        #expect(made.headers["location"] == "/hub/event-types/order.shipped")
        #expect(try get("/event-types").contains("order.shipped"))
        let changed = try send(
            "/event-types/order.shipped/edit",
            [("description", "It is gone."), ("schema", ""), ("example", ""), ("deprecated", "true"), ("version", "1")])
        #expect(changed.status == 303)
        let page = try get("/event-types/order.shipped")
        #expect(page.contains("It is gone.") && page.contains("Deprecated") && page.contains("Any data is taken."))
        #expect(try send("/event-types/order.shipped/remove", [("confirm_name", "order.shipped")]).status == 303)
        #expect(try door.send(.get, "/event-types/order.shipped", as: post.admin).status == 404)
        #expect(try door.send(.get, "/event-types/user.created/edit", as: post.admin).status == 404)
        #expect(
            try post.house.auditedActions().sorted() == [
                "event_type.created", "event_type.deleted", "event_type.updated",
            ])
    }

    @Test("A member sees webhooks of their own alone, and another organization's answer 404")
    func strangers() throws {
        let made = try post.webhook()
        try post.take()
        let delivery = try #require(try post.room.log(post.scope).deliveries(.init(), after: nil, limit: 1).first)
        let member = try post.house.person(.member, in: post.organization)
        let stranger = try post.house.person(.owner, in: try post.house.organization("Else"))
        for path in ["/webhooks/\(made.record.id)", "/webhooks/\(made.record.id)/verify", "/deliveries/\(delivery.id)"]
        {
            #expect(try door.send(.get, path, as: member).status == 404, "\(path)")
            #expect(try door.send(.get, path, as: stranger).status == 404, "\(path)")
        }
        #expect(try get("/webhooks", as: stranger).contains("No webhook yet"))
    }
}
