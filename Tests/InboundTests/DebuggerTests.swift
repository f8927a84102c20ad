import CipherKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Inbound

@Suite("Why a request is refused")
struct DebuggerTests {
    private static let secret = "8f742231b10e8888abcd99baac2bcd1e"
    private let now = Timestamp(seconds: 1_800_000_000)

    private func source(
        _ scheme: SchemeName, _ secrets: [InboundSecret]? = nil, recipe: Recipe? = nil
    ) -> OpenSource {
        OpenSource(
            source: InboundSource(
                SourceRecord.sample.origin, secrets: secrets ?? [InboundSecret(Secret(Self.secret))]),
            scheme: scheme, recipe: recipe, bodyLimit: 1, perMinute: 1, endsAt: nil, isLocked: false)
    }

    private func slack(_ signed: String, secret: String = secret, ago: Int64 = 0) -> Headers {
        let time = "\(now.seconds - ago)"
        return [
            "x-slack-request-timestamp": time,
            "x-slack-signature": "v0="
                + Hex.encode(HMAC.sha256(Array("v0:\(time):\(signed)".utf8), key: Array(secret.utf8))),
        ]
    }

    private func github(_ signed: String, secret: String = secret) -> Headers {
        ["x-hub-signature-256": "sha256=" + Hex.encode(HMAC.sha256(Array(signed.utf8), key: Array(secret.utf8)))]
    }

    private func hints(
        _ headers: Headers, _ body: String, _ source: OpenSource, url: String = "https://h.example/i"
    ) -> [String] {
        let examination = Examination(Arrival(url: url, headers: headers, body: Array(body.utf8)), source, at: now)
        return examination.hints.map(\.code)
    }

    @Test("A timestamp that is off is told by its seconds, and whether the signature would be right")
    func clock() {
        let late = Examination(
            Arrival(url: "/", headers: slack("{}", ago: 412), body: Array("{}".utf8)), source(.slack), at: now)
        #expect(late.failure == .late(412) && late.hints.map(\.code) == ["only_the_clock"])
        #expect(
            late.sentence.contains("412 s")
                && late.checks.map(\.outcome) == [.passed, .passed, .passed, .failed, .notReached])
        #expect(hints(slack("{}", secret: "x", ago: 412), "{}", source(.slack)).isEmpty)
    }

    @Test("Mistakes with bodies are told")
    func bodies() {
        #expect(hints(github("{}"), "{}\n", source(.github)) == ["trailing_newline"])
        #expect(hints(github("{}\n"), "{}", source(.github)) == ["trailing_newline"])
        #expect(hints(github("a\nb"), "a\r\nb", source(.github)) == ["line_ends"])
        #expect(hints(github(""), "{}", source(.github)) == ["empty_body"])
        let compact = #"{"b":1,"a":"é"}"#
        #expect(hints(github(compact), #"{ "b": 1, "a": "é" }"#, source(.github)) == ["reserialized"])
        #expect(
            hints(github(#"{"b": 1, "a": "\u00e9"}"#), compact, source(.github)) == ["reserialized"],
            "as Python writes it")
        #expect(hints(github(#"{"a":"é","b":1}"#), compact, source(.github)) == ["reserialized"], "sorted")
        #expect(hints(slack("{ }"), "{}", source(.slack)).isEmpty)
    }

    @Test("Mistakes with secrets are told")
    func secrets() {
        let rotated = [
            InboundSecret(Secret("fresh-fresh")), InboundSecret(Secret(Self.secret), until: now + .seconds(-60)),
        ]
        #expect(hints(github("{}"), "{}", source(.github, rotated)) == ["previous_secret"])
        #expect(hints(github("{}", secret: Self.secret + "\n"), "{}", source(.github)) == ["secret_with_newline"])
        let standard = "whsec_" + Base64.encode(Array("012345678901234567890123".utf8))
        let content = Array("m1.\(now.seconds).{}".utf8)
        let asText: Headers = [
            "webhook-id": "m1", "webhook-timestamp": "\(now.seconds)",
            "webhook-signature": "v1," + Base64.encode(HMAC.sha256(content, key: Array(standard.utf8))),
        ]
        #expect(hints(asText, "{}", source(.standardWebhooks, [InboundSecret(Secret(standard))])) == ["secret_form"])
        #expect(hints(github("{}", secret: "quite another"), "{}", source(.github)).isEmpty)
        #expect(hints(github("{}"), "{}", source(.github, [])).isEmpty)
    }

    @Test("Mistakes with headers are told")
    func headers() {
        let code = HMAC.sha256(Array("{}".utf8), key: Array(Self.secret.utf8))
        #expect(hints(["x-hub-signature-256": Hex.encode(code)], "{}", source(.github)) == ["prefix_missing"])
        #expect(
            hints(["x-hub-signature-256": "sha256=" + Base64.encode(code)], "{}", source(.github)) == ["other_encoding"]
        )
        #expect(hints(["x-shopify-hmac-sha256": Hex.encode(code)], "{}", source(.shopify)) == ["other_encoding"])
        #expect(hints(["x-signature-256": "sha256=" + Hex.encode(code)], "{}", source(.github)) == ["other_header"])
        let old = HMAC.sha1(Array("{}".utf8), key: Array(Self.secret.utf8))
        #expect(hints(["x-hub-signature": "sha1=" + Hex.encode(old)], "{}", source(.github)) == ["old_header"])
        let recipe = Recipe(
            header: "x-sig", prefix: "", digest: .sha256, encoding: .base64, keyForm: .text, timestamp: "x-time",
            idHeader: nil, typeHeader: nil)
        let alone: Headers = ["x-sig": Base64.encode(code), "x-time": "\(now.seconds)"]
        #expect(hints(alone, "{}", source(.hmac, recipe: recipe)) == ["body_alone"])
    }

    @Test("Mistakes with addresses are told")
    func addresses() {
        func twilio(_ url: String) -> Headers {
            ["x-twilio-signature": Base64.encode(HMAC.sha1(Array(url.utf8), key: Array(Self.secret.utf8)))]
        }
        let url = "https://hub.example/hub/inbound/1"
        #expect(hints(twilio("http://hub.example/hub/inbound/1"), "", source(.twilio), url: url) == ["other_scheme"])
        #expect(hints(twilio(url), "", source(.twilio), url: url + "?a=1") == ["without_query"])
        #expect(hints(twilio(url + "/"), "", source(.twilio), url: url) == ["trailing_slash"])
        func hubspot(_ url: String) -> Headers {
            let time = "\(now.seconds * 1_000)"
            let code = HMAC.sha256(Array("POST\(url){}\(time)".utf8), key: Array(Self.secret.utf8))
            return ["x-hubspot-request-timestamp": time, "x-hubspot-signature-v3": Base64.encode(code)]
        }
        #expect(
            hints(hubspot(url), "{}", source(.hubspot), url: "https://hub.example:443/hub/inbound/1") == [
                "without_port"
            ])
    }

    @Test("What was refused at a neighbour's address is listed, shown and examined as that of the room's own sources")
    func neighbours() throws {
        let address = Identifier<InboundAddress>(.real)
        let id = Identifier<InboundSource>(.real)
        let whose = Lock<InboundSource?>(nil)
        let mail = try Mailroom(
            sources: [{ asked in asked == address ? whose.withLock { $0 } : nil }],
            named: [
                { asked, scope in
                    guard asked == id, let source = whose.withLock({ $0 }),
                        source.origin.organization == scope.organization
                    else { return nil }
                    return Inbound.NamedSource(name: "Slack", address: address, path: "/platforms/1", source: source)
                }
            ])
        let origin = InboundOrigin(source: id, organization: mail.organization, provider: "slack")
        whose.withLock {
            $0 = InboundSource(
                origin, secrets: [InboundSecret(Secret(Self.secret))],
                bearers: [InboundSecret(Secret("webhook-secret"))])
        }
        #expect(try mail.post("/inbound/\(address)", "{}\n", mail.slack("{}", secret: Self.secret)).status == 401)
        let listed = try mail.api(.get, "inbound-sources/\(id)/refusals").json["data"]?.elements ?? []
        #expect(listed.count == 1 && listed[0]["reason"] == "wrong_signature")
        let refusal = try #require(listed.first?["id"]?.text)
        let examined = try mail.api(.post, "inbound-sources/\(id)/debug", ["refusal_id": .string(refusal)])
        #expect(examined.json["hints"]?.elements?.compactMap { $0["code"]?.text } == ["trailing_newline"])
        #expect(try mail.api(.get, "inbound-refusals/\(refusal)").json["source_id"]?.text == id.text)
        let pages = try Door(mail.house, mail.room.pageRoutes, templates: Inbound.templates)
        let page = try pages.send(.get, "/inbound-sources/\(id)/debug", as: mail.admin).text()
        #expect(page.contains("/hub/inbound-refusals/\(refusal)") && page.contains("/hub/platforms/1"))
        #expect(
            try pages.send(.get, "/inbound-refusals/\(refusal)", as: mail.admin).text().contains("another line end"))
        let theirs = try mail.house.organization("Evil Corp")
        let eve = try mail.house.person(.owner, in: theirs)
        #expect(try mail.api(.get, "inbound-sources/\(id)/refusals", as: eve).status == 404)
        #expect(try mail.api(.get, "inbound-refusals/\(refusal)", as: eve).status == 404)
        // What cannot be changed here is not there to be changed.
        #expect(try mail.api(.get, "inbound-sources/\(id)").status == 404)
    }

    @Test("A refused request is shown to scripts as it came, without the tokens in it")
    func shown() throws {
        let mail = try Mailroom()
        let made = try mail.source(["provider": "slack", "secret": .string(Self.secret)])
        var headers = mail.slack("{}", secret: "another")
        headers["authorization"] = "Bearer of-no-use"
        #expect(try mail.post(made.path, "{\"a\":1}", headers).status == 401)
        mail.house.pass(.milliseconds(5))
        #expect(try mail.post(made.path, [0xff, 0x00], headers).status == 401)
        let listed = try mail.api(.get, "inbound-sources/\(made.id)/refusals").json["data"]?.elements ?? []
        let shown = try listed.map { try mail.api(.get, "inbound-refusals/\($0["id"]?.text ?? "")") }
        #expect(shown.map { $0.json["body_base64"] } == ["/wA=", .null])
        let text = try #require(shown.last)
        #expect(text.json["body"] == "{\"a\":1}" && text.json["reason"] == "wrong_signature")
        #expect(text.json["headers"]?.elements?.contains { $0["name"] == "x-slack-signature" } == true)
        #expect(!text.text.contains("of-no-use") && text.response.headers["cache-control"] == "no-store")
        let support = try mail.house.person(.support, in: mail.organization)
        #expect(try mail.api(.get, "inbound-refusals/\(listed[0]["id"]?.text ?? "")", as: support).status == 403)
        #expect(try mail.api(.get, "inbound-refusals/\(made.id)").status == 404)
    }

    @Test("A refused request is kept and examined by the clock of when it came; a pasted one by what it says")
    func kept() throws {
        let mail = try Mailroom()
        let made = try mail.source(["provider": "slack", "secret": .string(Self.secret)])
        #expect(try mail.post(made.path, "{}\n", mail.slack("{}", secret: Self.secret)).status == 401)
        mail.house.pass(.hours(5))
        let listed = try mail.api(.get, "inbound-sources/\(made.id)/refusals")
        let refusal = try #require(listed.json["data"]?[0])
        #expect(refusal["reason"] == "wrong_signature" && refusal["remote_address"] == "203.0.113.1")
        let examined = try mail.api(
            .post, "inbound-sources/\(made.id)/debug", ["refusal_id": refusal["id"] ?? .null])
        #expect(examined.json["verdict"] == "refused" && examined.json["code"] == "wrong_signature")
        #expect(examined.json["hints"]?.elements?.compactMap { $0["code"]?.text } == ["trailing_newline"])
        let headers = mail.slack("{}", secret: Self.secret)
        let pasted: JSON = [
            "headers": [
                "X-Slack-Signature": JSON(headers["x-slack-signature"]),
                "X-Slack-Request-Timestamp": JSON(headers["x-slack-request-timestamp"]),
            ], "body": "{}",
        ]
        let accepted = try mail.api(.post, "inbound-sources/\(made.id)/debug", pasted)
        #expect(accepted.json["verdict"] == "accepted" && accepted.json["key"] == "current")
        for answer in [examined, accepted, listed] { #expect(!answer.text.contains(Self.secret)) }
        for wrong in [[:], ["headers": 1], ["headers": [:], "url": "x"], ["refusal_id": "x"]] as [JSON] {
            #expect(try mail.api(.post, "inbound-sources/\(made.id)/debug", wrong).status == 422)
        }
        let support = try mail.house.person(.support, in: mail.organization)
        #expect(try mail.api(.post, "inbound-sources/\(made.id)/debug", pasted, as: support).status == 403)
    }
}
