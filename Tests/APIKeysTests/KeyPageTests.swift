import Domain
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import APIKeys

@Suite struct KeyPageTests {
    let office: Office

    init() throws { office = try Office() }

    private let filled = [
        ("csrf_token", "token"), ("form_nonce", "n"), ("name", "billing"), ("scopes", "connections:read"),
        ("other_scopes", "payments:read"), ("expires_in_days", "30"), ("expires_on", ""),
        ("rate_limit.requests_per_minute", "7"), ("rate_limit.requests_per_hour", ""),
        ("rate_limit.requests_per_day", "900"), ("allowed_ips", "203.0.113.7/24\r\n2001:db8::1, 10.0.0.1"),
        ("metadata", "team=billing\r\n note = a=b \r\n\r\n"),
    ]

    private func form(_ changes: [String: String]) -> [(String, String)] {
        filled.map { ($0.0, changes[$0.0] ?? $0.1) }
    }

    private func only() throws -> JSON {
        try #require(try office.send(.get, "").body["data"]?.elements?.first)
    }

    // MARK: Making

    @Test("The form says all that scripts can say")
    func twin() throws {
        #expect(try office.post("/new", filled).status == 200)
        let key = try only()
        #expect(key["scopes"] == ["connections:read", "payments:read"])
        #expect(
            key["rate_limit"] == ["requests_per_minute": 7, "requests_per_hour": 1_000, "requests_per_day": 900])
        #expect(key["allowed_ips"] == ["203.0.113.0/24", "2001:db8::1", "10.0.0.1"])
        #expect(key["metadata"] == ["team": "billing", "note": "a=b"])
        #expect(key["expires_at"] == JSON(office.house.world.now() + .days(30)))
    }

    @Test("A key ends at the beginning of a date that was chosen")
    func date() throws {
        #expect(try office.post("/new", form(["expires_in_days": "date", "expires_on": "2030-02-01"])).status == 200)
        #expect(try only()["expires_at"] == "2030-02-01T00:00:00.000Z")
    }

    @Test(
        "What is refused stands beside its field, and what was typed stays",
        arguments: [
            ("rate_limit.requests_per_minute", "0", "field-rate-limit-requests-per-minute", "between 1 and"),
            ("rate_limit.requests_per_day", "many", "field-rate-limit-requests-per-day", "whole number"),
            ("allowed_ips", "10.0.0.1\n300.1.1.1", "field-allowed-ips", "“300.1.1.1” is no address"),
            ("metadata", "billing", "field-metadata", "“billing” has no ="),
            ("metadata", "a=1\na=2", "field-metadata", "“a” is written twice"),
            ("metadata", "a b=1", "field-metadata", "“a b” is no name"),
            ("other_scopes", "everything", "field-other-scopes", "“everything” is no scope"),
            ("expires_on", "2030-02-01", "field-expires-on", "Choose “on a date”"),
            ("expires_in_days", "date", "field-expires-on", "This is needed"),
            ("expires_in_days", "soon", "field-expires-in-days", "whole number"),
            ("name", "", "field-name", "This is needed"),
        ])
    func refused(name: String, value: String, id: String, sentence: String) throws {
        let answer = try office.post("/new", form([name: value]))
        #expect(answer.status == 422)
        let page = try answer.text()
        #expect(page.contains("id=\"\(id)-error\">"))
        #expect(page.contains("href=\"#\(id)\""))
        #expect(page.contains(sentence))
        #expect(page.contains(name == "allowed_ips" ? "10.0.0.1\n300.1.1.1" : "203.0.113.7/24"))
        #expect(try office.send(.get, "").body["data"] == [])
    }

    @Test("Past and far dates are refused", arguments: [("2020-01-01", "in the future"), ("2190-01-01", "too far")])
    func dates(date: String, sentence: String) throws {
        let answer = try office.post("/new", form(["expires_in_days": "date", "expires_on": date]))
        #expect(answer.status == 422)
        #expect(try answer.text().contains(sentence))
    }

    // MARK: Showing

    @Test("A key's page tells all but the key")
    func show() throws {
        let key = try office.made(
            #"{"name":"ci <b>","scopes":["connections:read","x:*"],"allowed_ips":["10.0.0.0/8"],"metadata":{"a":"<i>"},"#
                + #""rate_limit":{"requests_per_day":1234567}}"#)
        let page = try office.page("/\(key.id)")
        for text in [
            "ci &lt;b&gt;", "x:*", "10.0.0.0/8", "&lt;i&gt;", "1\u{202f}234\u{202f}567 requests", "ana@acme.example",
            "4 120", "href=\"/hub/usage\"", "Created", "curl https://site.example/hub/api/v1/connections",
        ] { #expect(page.contains(text), "\(text)") }
        #expect(page.contains("\(key["prefix"]?.text ?? "-")_…\(key["last_four"]?.text ?? "-")"))
        #expect(!page.contains(try #require(key["key"]?.text)))
        let support = try office.house.person(.support, in: office.organization)
        let read = try office.page("/\(key.id)", as: support)
        #expect(read.contains("10.0.0.0/8") && !read.contains("<form method=\"post\" action=\"/hub/api-keys"))
        #expect(!read.contains("Roll key"))
    }

    // MARK: Changing

    @Test("A form that is sent as it was shown changes nothing")
    func unchanged() throws {
        _ = try office.post("/new", filled)
        let key = try only()
        let page = try office.page("/\(key.id)/edit")
        #expect(page.contains("value=\"billing\"") && page.contains("203.0.113.0/24\n2001:db8::1\n10.0.0.1</textarea>"))
        #expect(page.contains("team=billing\nnote=a=b</textarea>") && page.contains("payments:read</textarea>"))
        let same = form([
            "expires_in_days": "keep", "rate_limit.requests_per_hour": "1000",
            "allowed_ips": "203.0.113.0/24\n2001:db8::1\n10.0.0.1",
        ]).filter { $0.0 != "form_nonce" }
        let answer = try office.post("/\(key.id)/edit", same + [("version", "1")])
        #expect(answer.status == 303 && answer.headers["location"] == "/hub/api-keys/\(key.id)")
        #expect(try only() == key)
        #expect(try office.house.auditedActions() == ["api_key.created"])
    }

    @Test("The form changes all terms, and who has seen another version is told so")
    func edit() throws {
        let key = try office.made()
        let changed = form(["expires_in_days": ""]) + [("version", "1")]
        #expect(try office.post("/\(key.id)/edit", changed).status == 303)
        let now = try only()
        #expect(now["name"] == "billing" && now["expires_at"] == .null)
        #expect(now["allowed_ips"] == ["203.0.113.0/24", "2001:db8::1", "10.0.0.1"])
        let late = try office.post("/\(key.id)/edit", form(["name": "late"]) + [("version", "1")])
        #expect(late.status == 409)
        #expect(try late.text().contains("Somebody else changed this key meanwhile"))
        #expect(try only()["name"] == "billing")
        let refused = try office.post("/\(key.id)/edit", form(["allowed_ips": "x"]) + [("version", "2")])
        #expect(refused.status == 422)
        #expect(try refused.text().contains("“x” is no address"))
    }

    @Test("A form cannot give more than its sender holds, and says so beside the scopes")
    func beyond() throws {
        let member = try office.house.person(.member, in: office.organization)
        let key = try office.made(as: member)
        let answer = try office.door.send(
            .post, "/api-keys/\(key.id)/edit", as: member, form: form(["other_scopes": "credentials:read"]))
        #expect(answer.status == 403)
        #expect(try answer.text().contains("You do not hold credentials:read yourself"))
    }

    // MARK: Rolling and ending

    @Test("A rolled key is shown once; the one before can be ended from its page")
    func roll() throws {
        let key = try office.made()
        #expect(try office.page("/\(key.id)/roll").contains("value=\"86400\" checked"))
        #expect(try office.post("/\(key.id)/roll", [("grace_seconds", "")]).status == 422)
        let answer = try office.post("/\(key.id)/roll", [("grace_seconds", "3600")])
        #expect(answer.status == 200 && answer.headers["cache-control"] == "no-store")
        let page = try answer.text()
        let secret = try #require(page.firstMatch(of: #/sk_[0-9a-f]{8}_[0-9A-Za-z]{38}/#)?.output)
        #expect(page.contains("has a new secret") && page.contains("in 1 h"))
        #expect(String(secret) != key["key"]?.text)
        let shown = try office.page("/\(key.id)")
        #expect(shown.contains("id=\"previous-title\"") && shown.contains("_…\(key["last_four"]?.text ?? "-")"))
        #expect(try office.page("/\(key.id)/roll").contains("it ends at once when you roll again"))
        #expect(try office.post("/\(key.id)/end-previous").status == 303)
        #expect(try !office.page("/\(key.id)").contains("id=\"previous-title\""))
    }

    @Test("A key is put aside and taken back from its page")
    func disable() throws {
        let key = try office.made()
        #expect(try office.post("/\(key.id)/disable").headers["location"] == "/hub/api-keys/\(key.id)")
        let aside = try office.page("/\(key.id)")
        #expect(aside.contains("Enable key") && !aside.contains("Disable key") && aside.contains(">Disabled<"))
        #expect(try office.post("/\(key.id)/enable").status == 303)
        #expect(try office.page("/\(key.id)").contains("Disable key"))
    }

    @Test("What is over shows no way to change it")
    func ended() throws {
        let key = try office.made()
        _ = try office.send(.delete, "/\(key.id)")
        let page = try office.page("/\(key.id)")
        #expect(page.contains("It was revoked and opens nothing any more."))
        for words in ["Roll key", "Disable key", "Revoke key", "curl "] { #expect(!page.contains(words), "\(words)") }
        for path in ["/edit", "/roll"] {
            #expect(try office.door.send(.get, "/api-keys/\(key.id)\(path)", as: office.admin).status == 409)
        }
        #expect(try office.post("/\(key.id)/disable").status == 409)
    }

    // MARK: The list

    @Test("The list says what needs somebody, and its tabs keep what was searched")
    func list() throws {
        _ = try office.made(#"{"name":"idle","scopes":["x:read"],"expires_at":null}"#)
        office.house.pass(.days(91))
        let end = (office.house.world.now() + .days(3)).rfc3339
        _ = try office.made(#"{"name":"trial","scopes":["x:read"],"expires_at":"\#(end)"}"#)
        let page = try office.page("")
        #expect(page.contains("“trial” ends in 3 days.") && page.contains("1 key is unused."))
        #expect(page.contains("60/min") && page.contains("10\u{202f}000/day"))
        let unused = try office.page("", query: "state=unused&q=i")
        #expect(unused.contains("idle") && !unused.contains("trial"))
        #expect(unused.contains("href=\"/hub/api-keys?state=ended&amp;q=i\""))
        #expect(unused.contains("name=\"state\" value=\"unused\""))
        #expect(try office.page("", query: "state=disabled").contains("No key is disabled."))
    }

    @Test("A secret that was pasted into the search is not shown again")
    func pasted() throws {
        let key = try office.made()
        let secret = try #require(key["key"]?.text)
        let page = try office.page("", query: "q=\(secret)")
        #expect(page.contains("/hub/api-keys/\(key.id)"))
        #expect(!page.contains(secret))
    }

    @Test("Unused keys are revoked together when their number is typed")
    func revokeUnused() throws {
        _ = try office.made(#"{"name":"one","scopes":["x:read"],"expires_at":null}"#)
        _ = try office.made(#"{"name":"two","scopes":["x:read"],"expires_at":null}"#)
        #expect(try office.page("/revoke-unused").contains("Every key is in use"))
        office.house.pass(.days(90))
        let page = try office.page("/revoke-unused")
        #expect(page.contains("This revokes 2 keys") && page.contains("one") && page.contains("two"))
        let wrong = try office.post("/revoke-unused", [("count", "1")])
        #expect(wrong.status == 422)
        #expect(try wrong.text().contains("There are 2 such keys now."))
        #expect(try office.post("/revoke-unused", [("count", "2")]).headers["location"] == "/hub/api-keys")
        #expect(try office.send(.get, "").body["data"]?.elements?.allSatisfy { $0["state"] == "revoked" } == true)
    }
}
