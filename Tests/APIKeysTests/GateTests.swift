import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LimitKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import APIKeys

extension GateQuestion {
    /// What nginx asks for a request with a key.
    static func asking(
        _ key: Secret<String>?, for scope: String, from address: String = "203.0.113.9", cost: String = "",
        organization: String = ""
    ) -> GateQuestion {
        var question = GateQuestion()
        question.scope = scope
        question.remoteAddress = address
        question.cost = cost
        question.organization = organization
        question.credential = key.map { .sent($0) } ?? .missing
        return question
    }
}

@Suite struct GateTests {
    let house: House
    let organization: Identifier<Organization>
    let room: APIKeys

    init() throws {
        house = try House()
        organization = try house.organization()
        room = try APIKeys(house)
    }

    private func key(_ scopes: [String] = ["items:read"]) throws -> Secret<String> {
        try room.create(name: "ci", scopes: scopes, by: house.commandLine(organization))
    }

    private func change(_ sql: SQL) throws {
        try house.database.execute(sql)
        room.gatekeeper.changed()
    }

    /// The status, and the other lines by their names.
    private func ask(_ question: GateQuestion) throws -> (status: String, lines: [String: String]) {
        let block = String(decoding: room.gatekeeper.answer(question), as: UTF8.self)
        #expect(block.hasSuffix("\r\n\r\n"))
        var lines: [String: String] = [:]
        for line in block.split(separator: "\r\n") {
            let parts = line.split(separator: ": ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let (name, value) = (parts[0], try #require(parts.last))
            #expect(lines[name] == nil, "\(name) stands twice")
            lines[name] = value
        }
        let status = try #require(lines["Status"])
        lines["Status"] = nil
        return (String(status.prefix(3)), lines)
    }

    @Test("A key that holds the right is let in, with who it is and how its limits stand")
    func letIn() throws {
        let secret = try key(["items:read", "items:write"])
        let (status, lines) = try ask(.asking(secret, for: "items:read"))
        let found = try #require(try room.gatekeeper.find(secret))
        let id = found.id
        let limits = room.gatekeeper.take(0, of: found, at: house.world.now())
        #expect(limits.standings.map(\.remaining) == [59, 999, 9_999])
        #expect(status == "204")
        #expect(
            lines == [
                "X-Hub-Code": "valid", "X-Hub-Key-Id": id.text, "X-Hub-Org-Id": organization.text,
                "X-Hub-Scopes": "items:read items:write",
                "RateLimit-Policy": #""minute";q=60;w=60,"hour";q=1000;w=3600,"day";q=10000;w=86400"#,
                "RateLimit": try #require(LimitFields.limit(limits)),
            ])
    }

    @Test("Each reason is told to nginx, and only what is let in counts")
    func reasons() throws {
        let secret = try key()
        let stranger = try ask(.asking(nil, for: "items:read"))
        #expect(stranger.status == "401")
        #expect(
            stranger.lines == ["X-Hub-Code": "unauthorized", "WWW-Authenticate": "Bearer realm=\"hub\""])
        #expect(try ask(.asking(Secret("nonsense"), for: "items:read")).lines["X-Hub-Code"] == "not_found")
        #expect(try ask(.asking(secret, for: "items:write")).lines["X-Hub-Code"] == "insufficient_scope")
        try change("UPDATE api_keys SET allowed_ips = '198.51.100.0/24 2001:db8::/32'")
        #expect(try ask(.asking(secret, for: "items:read")).lines["X-Hub-Code"] == "ip_not_allowed")
        #expect(try ask(.asking(secret, for: "items:read", from: "unix:")).lines["X-Hub-Code"] == "ip_not_allowed")
        let refused = try ask(.asking(secret, for: "items:read"))
        #expect(refused.status == "403" && refused.lines["X-Hub-Key-Id"] == nil)
        #expect(refused.lines["X-Hub-Refused-Org"] == organization.text)
        #expect(try ask(.asking(secret, for: "items:read", from: "::ffff:198.51.100.7")).status == "204")
        let last = try ask(.asking(secret, for: "items:read", from: "2001:db8::1"))
        #expect(last.lines["RateLimit"]?.hasPrefix(#""minute";r=58;"#) == true, "two were let in so far")
        try change("UPDATE api_keys SET disabled_at = created_at")
        #expect(try ask(.asking(secret, for: "items:read", from: "2001:db8::1")).lines["X-Hub-Code"] == "disabled")
        try change("UPDATE api_keys SET disabled_at = NULL, expires_at = created_at")
        #expect(try ask(.asking(secret, for: "items:read")).lines["X-Hub-Code"] == "expired")
        try change("UPDATE api_keys SET revoked_at = created_at")
        #expect(try ask(.asking(secret, for: "items:read")).lines["X-Hub-Code"] == "revoked")
        #expect(try ask(.asking(secret, for: "items:read")).status == "401")
    }

    @Test("Another organization's key is not found where one is named")
    func organizations() throws {
        let secret = try key()
        let other = try house.organization("Other")
        #expect(try ask(.asking(secret, for: "items:read", organization: organization.text)).status == "204")
        let refused = try ask(.asking(secret, for: "items:read", organization: other.text))
        #expect(refused.status == "401" && refused.lines["X-Hub-Code"] == "not_found")
        #expect(refused.lines["X-Hub-Refused-Key"] == nil)
    }

    @Test("A request counts as what the site says, and none over the limit is let in")
    func costs() throws {
        let secret = try key()
        try change("UPDATE api_keys SET requests_per_minute = 10")
        #expect(try ask(.asking(secret, for: "items:read", cost: "7")).lines["RateLimit"]?.contains("r=3;") == true)
        let over = try ask(.asking(secret, for: "items:read", cost: "4"))
        #expect(
            over.status == "403" && over.lines["X-Hub-Status"] == "429" && over.lines["X-Hub-Code"] == "rate_limited")
        #expect(over.lines["X-Hub-Violated"] == "\"minute\"")
        #expect(Int(over.lines["Retry-After"] ?? "") ?? 0 >= 60)
        #expect(try ask(.asking(secret, for: "items:read", cost: "3")).status == "204")
        #expect(try ask(.asking(secret, for: "items:read", cost: "0")).status == "204")
        #expect(try ask(.asking(secret, for: "items:read")).lines["X-Hub-Status"] == "429")
    }

    @Test(
        "What is no right or no cost lets nobody in",
        arguments: [
            ("", ""), ("items", ""), ("items:read", "-1"),
            ("items:read", "x"), ("items:read", "99999999999999999999"), ("*", ""),
        ])
    func misconfigured(scope: String, cost: String) throws {
        let answer = try ask(.asking(try key(["admin:*"]), for: scope, cost: cost))
        #expect(answer.status == "500")
    }

    @Test("After too many guesses an address is told to wait, but a key that opens something is let in")
    func guessing() throws {
        let secret = try key()
        let address = "2001:db8:1:2::1"
        var answers: [String] = []
        for number in 0..<100 {
            let lines = try ask(
                .asking(Secret("guess \(number)"), for: "items:read", from: "2001:db8:1:2::\(number + 1)")
            ).lines
            answers.append(lines["X-Hub-Status"] ?? "401")
        }
        #expect(answers == [String](repeating: "401", count: 60) + [String](repeating: "429", count: 40))
        #expect(try ask(.asking(secret, for: "items:read", from: address)).status == "204")
        #expect(try ask(.asking(Secret("guess"), for: "items:read", from: "2001:db8:1:3::1")).status == "401")
        #expect(throws: Problem.self) { _ = try room.gatekeeper.visit(Secret("x"), from: address, requestID: "test") }
        room.gatekeeper.flush()
        room.gatekeeper.flush()
        let rows = try house.database.rows(
            "SELECT object_name, request_id FROM audit_events WHERE action = 'api_key.guessed'")
        #expect(rows.count == 1)
        #expect(try rows.first?.get("object_name") == "2001:db8:1:2::61")
        house.pass(.minutes(2))
        #expect(try ask(.asking(Secret("guess"), for: "items:read", from: address)).status == "401")
    }

    @Test("Beyond its guesses an address has as many keys looked up again, then the database is not asked for it")
    func spentGuesses() throws {
        let memory = try Gatekeeper.Memory.made(house)
        let gatekeeper = try Gatekeeper.made(house, memory: memory, guesses: 5)
        let (known, late, later) = (try key(), try key(), try key())
        func ask(_ key: Secret<String>, from address: String = "203.0.113.9") -> String {
            let answer = String(
                decoding: gatekeeper.answer(.asking(key, for: "items:read", from: address)), as: UTF8.self)
            if answer.contains("Status: 204") { return "204" }
            return answer.contains("X-Hub-Status: 429") ? "429" : answer.contains("503") ? "503" : "401"
        }
        func guess() -> String { ask(KeyText(for: Identifier(house.world), prefix: "sk_").secret) }
        #expect(ask(known) == "204")
        #expect((0..<5).map { _ in guess() } == Array(repeating: "401", count: 5))
        #expect((0..<4).map { _ in guess() } == Array(repeating: "429", count: 4))
        #expect(ask(late) == "204", "what is found does not count")
        #expect(guess() == "429")
        try house.database.execute("RENAME TABLE api_keys TO keys_away")
        #expect((0..<20).map { _ in guess() } == Array(repeating: "429", count: 20), "nothing was looked up")
        #expect(ask(known) == "204" && ask(late) == "204" && ask(later) == "429")
        let neighbour = try Gatekeeper.made(house, memory: memory, guesses: 5)
        let looked = neighbour.answer(.asking(known, for: "items:read"))
        #expect(String(decoding: looked, as: UTF8.self).contains("503"), "another process may look up what was met")
        let told = #expect(throws: Problem.self) {
            _ = try gatekeeper.visit(later, from: "203.0.113.9", requestID: "test")
        }
        #expect(told?.status == 429 && told?.headers["retry-after"] != nil)
        #expect(ask(later, from: "203.0.113.10") == "503", "another address has its own")
        try house.database.execute("RENAME TABLE keys_away TO api_keys")
        gatekeeper.changed()
        #expect(ask(known) == "204", "what was met before is read anew")
        house.pass(.minutes(2))
        #expect(ask(later) == "204")
    }

    @Test("A flood of guesses asks nothing of the database")
    func withoutDatabase() throws {
        try house.database.execute("RENAME TABLE api_keys TO keys_away")
        for _ in 0..<1_000 {
            let guess = Secret("sk_\(Random.base62(8))_\(Random.base62(38))")
            #expect(try ask(.asking(guess, for: "items:read")).lines["X-Hub-Code"] != "gate_unavailable")
        }
    }

    // MARK: For back ends

    private func verify(_ json: String) throws -> JSON {
        let door = try Door(house, room.routes, templates: APIKeys.templates)
        let admin = try house.person(.admin, in: organization)
        let answer = try door.send(.post, "/api/v1/api-keys/verify", as: admin, json: json)
        #expect(answer.headers["cache-control"] == "no-store" || answer.status.code >= 400)
        return try JSON(parsing: Array(answer.text().utf8))
    }

    @Test("A back end learns whether a key opens what it asks for, and why not")
    func verifying() throws {
        let secret = try key()
        let text = secret.reveal { $0 }
        let found = try verify(#"{"key":"\#(text)","scope":"items:read","cost":2}"#)
        #expect(found["valid"] == true && found["code"] == "valid" && found["name"] == "ci")
        #expect(found["scopes"] == ["items:read"])
        let minute = try #require(found["rate_limit"]?[0])
        #expect(minute["name"] == "minute" && minute["limit"] == 60 && minute["remaining"] == 58)
        guard case .integer(60...62)? = minute["reset"] else {
            Issue.record("\(minute) begins anew after a minute")
            return
        }
        #expect(try verify(#"{"key":"\#(text)","scope":"items:write"}"#)["code"] == "insufficient_scope")
        #expect(try verify(#"{"key":"\#(text)","cost":0}"#)["rate_limit"]?[0]?["remaining"] == 58)
        #expect(try verify(#"{"key":"\#(text)","cost":59}"#)["code"] == "rate_limited")
        #expect(try verify(#"{"key":"\#(text)","cost":61}"#)["code"] == "validation_failed")
        #expect(try verify(#"{"key":"\#(text)","ip":"nowhere"}"#)["code"] == "validation_failed")
        #expect(try verify(#"{"key":"\#(text)","scope":"items"}"#)["code"] == "validation_failed")
        #expect(try verify(#"{"scope":"items:read"}"#)["code"] == "validation_failed")
        #expect(try verify(#"{"key":"nonsense"}"#)["code"] == "not_found")
        try change("UPDATE api_keys SET allowed_ips = '198.51.100.0/24'")
        #expect(try verify(#"{"key":"\#(text)","ip":"198.51.100.9"}"#)["valid"] == true)
        #expect(try verify(#"{"key":"\#(text)","ip":"203.0.113.9"}"#)["code"] == "ip_not_allowed")
        #expect(try verify(#"{"key":"\#(text)"}"#)["code"] == "ip_not_allowed", "an address that is not told is none")
        try change("UPDATE api_keys SET allowed_ips = '', disabled_at = created_at")
        #expect(try verify(#"{"key":"\#(text)"}"#)["code"] == "disabled")
        try change("UPDATE api_keys SET expires_at = created_at")
        #expect(try verify(#"{"key":"\#(text)"}"#)["code"] == "expired")
        try change("UPDATE api_keys SET revoked_at = created_at")
        #expect(try verify(#"{"key":"\#(text)"}"#)["code"] == "revoked")
        let answer = try verify(#"{"key":"\#(text)"}"#)
        #expect(answer["valid"] == false && answer["key_id"]?.text != nil)
    }

    @Test("A back end learns nothing of another organization's keys")
    func foreign() throws {
        let other = try house.organization("Other")
        let secret = try room.create(name: "theirs", scopes: ["items:read"], by: house.commandLine(other))
        let answer = try verify(#"{"key":"\#(secret.reveal { $0 })","scope":"items:read"}"#)
        #expect(
            answer == [
                "valid": false, "code": "not_found", "key_id": .null, "name": .null, "scopes": [], "rate_limit": [],
            ])
    }
}
