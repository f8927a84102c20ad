import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import APIKeys

@Suite struct TermsTests {
    let office: Office

    init() throws { office = try Office() }

    private let start = #"{"name":"a","scopes":["x:read"]"#

    @Test("What is not said is by the settings")
    func defaults() throws {
        let office = try Office(
            settings: .init(defaultExpiryDays: 30, rateLimit: .init(perMinute: 5, perHour: 50, perDay: 500)))
        let key = try office.made()
        #expect(
            key["rate_limit"] == ["requests_per_minute": 5, "requests_per_hour": 50, "requests_per_day": 500])
        #expect(key["expires_at"] == JSON(office.house.world.now() + .days(30)))
        #expect(key["allowed_ips"] == [])
        #expect(key["metadata"] == [:])
        let some = try office.made(start + #","rate_limit":{"requests_per_hour":7}}"#)
        #expect(
            some["rate_limit"] == ["requests_per_minute": 5, "requests_per_hour": 7, "requests_per_day": 500])
    }

    @Test(
        "A limit beyond what is allowed is named by itself",
        arguments: [
            (#"{"requests_per_minute":0}"#, "minute out_of_range"), (#"{"requests_per_hour":-1}"#, "hour out_of_range"),
            (#"{"requests_per_day":1001}"#, "day out_of_range"), (#"{"requests_per_day":1.5}"#, "day wrong_type"),
            (#"{"requests_per_minute":"60"}"#, "minute wrong_type"),
        ])
    func limits(json: String, refusal: String) throws {
        let office = try Office(settings: .init(rateLimit: .init(perDay: 1_000), highestRateLimit: 1_000))
        let (response, body) = try office.send(.post, "", start + #","rate_limit":\#(json)}"#)
        #expect(response.status == 422)
        #expect(body.refusals == ["/rate_limit/requests_per_\(refusal)"])
    }

    @Test(
        "What is malformed is named",
        arguments: [
            (#""rate_limit":60"#, "/rate_limit wrong_type"),
            (#""rate_limit":{"requests_per_second":1}"#, "/rate_limit/requests_per_second unknown_field"),
            (#""allowed_ips":["203.0.113.0/33"]"#, "/allowed_ips invalid_network"),
            (#""allowed_ips":["example.org"]"#, "/allowed_ips invalid_network"),
            (#""allowed_ips":["10.0.0.1 "]"#, "/allowed_ips invalid_network"),
            (#""allowed_ips":["2001:db8::/129"]"#, "/allowed_ips invalid_network"),
            (#""allowed_ips":"10.0.0.1""#, "/allowed_ips wrong_type"),
            (#""allowed_ips":[4]"#, "/allowed_ips wrong_type"), (#""metadata":[]"#, "/metadata wrong_type"),
            (#""metadata":{"a":1}"#, "/metadata wrong_type"), (#""metadata":{"a b":"c"}"#, "/metadata invalid_name"),
            (#""metadata":{"":"c"}"#, "/metadata invalid_name"),
            (#""metadata":{"a":"b\nc"}"#, "/metadata invalid_value"), (#""key":"sk_x""#, "/key unknown_field"),
        ])
    func malformed(member: String, refusal: String) throws {
        let (response, body) = try office.send(.post, "", start + "," + member + "}")
        #expect(response.status == 422)
        #expect(body.refusals == [refusal])
    }

    @Test("Lists have an end")
    func bounds() throws {
        let addresses = (0..<101).map { "\"10.0.0.\($0)\"" }.joined(separator: ",")
        #expect(
            try office.send(.post, "", start + ",\"allowed_ips\":[\(addresses)]}").body.refusals == [
                "/allowed_ips too_many"
            ])
        let members = (0..<51).map { "\"m\($0)\":\"\"" }.joined(separator: ",")
        #expect(
            try office.send(.post, "", start + ",\"metadata\":{\(members)}}").body.refusals == ["/metadata too_many"])
        let long = String(repeating: "x", count: 4_096)
        #expect(
            try office.send(.post, "", start + ",\"metadata\":{\"a\":\"\(long)\"}}").body.refusals == [
                "/metadata too_long"
            ])
        let scopes = (0..<51).map { "\"x\($0):read\"" }.joined(separator: ",")
        #expect(
            try office.send(.post, "", "{\"name\":\"a\",\"scopes\":[\(scopes)]}").body.refusals.contains(
                "/scopes too_many"))
    }

    @Test("Networks are kept in one form, each once")
    func networks() throws {
        let key = try office.made(
            start
                + #","allowed_ips":["203.0.113.7/24","203.0.113.0/24","::ffff:10.0.0.1","10.0.0.1","2001:DB8::1/32"]}"#)
        #expect(key["allowed_ips"] == ["203.0.113.0/24", "10.0.0.1", "2001:db8::/32"])
        let stored = try #require(try office.house.database.row("SELECT allowed_ips FROM api_keys"))
        #expect(try stored.get("allowed_ips") == "203.0.113.0/24 10.0.0.1/32 2001:db8::/32")
    }

    // MARK: Merge patches

    private func patched(_ key: JSON, _ json: String) throws -> JSON {
        let (response, body) = try office.send(.patch, "/\(key.id)", json)
        #expect(response.status == 200, "\(body)")
        return body
    }

    @Test("A patch changes what it names and nothing else; null is as if it had never been set")
    func patch() throws {
        let key = try office.made(
            start
                + #","rate_limit":{"requests_per_minute":7,"requests_per_hour":8},"allowed_ips":["10.0.0.1"],"#
                + #""metadata":{"team":"billing","host":"x"}}"#)
        let renamed = try patched(key, #"{"name":"b"}"#)
        for member in ["scopes", "rate_limit", "expires_at", "allowed_ips", "metadata", "prefix", "last_four"] {
            #expect(renamed[member] == key[member])
        }
        #expect(renamed["name"] == "b")
        let limited = try patched(key, #"{"rate_limit":{"requests_per_minute":9,"requests_per_hour":null}}"#)
        #expect(
            limited["rate_limit"]
                == ["requests_per_minute": 9, "requests_per_hour": 1_000, "requests_per_day": 10_000])
        let merged = try patched(key, #"{"metadata":{"team":null,"env":" live "}}"#)
        #expect(merged["metadata"] == ["host": "x", "env": "live"])
        let bare = try patched(
            key, #"{"rate_limit":null,"allowed_ips":null,"metadata":null,"expires_at":null,"scopes":["y:*"]}"#)
        #expect(
            bare["rate_limit"]
                == ["requests_per_minute": 60, "requests_per_hour": 1_000, "requests_per_day": 10_000])
        #expect(bare["allowed_ips"] == [] && bare["metadata"] == [:] && bare["expires_at"] == .null)
        #expect(bare["scopes"] == ["y:*"])
        #expect(try office.key(key.id)["name"] == "b")
    }

    @Test(
        "A patch is refused as a new key is, and then changes nothing",
        arguments: [
            (#"{"name":null}"#, "/name required"), (#"{"scopes":null}"#, "/scopes required"),
            (#"{"scopes":[]}"#, "/scopes required"),
            (#"{"expires_at":"2001-01-01T00:00:00Z"}"#, "/expires_at in_the_past"),
            (#"{"rate_limit":{"requests_per_day":0}}"#, "/rate_limit/requests_per_day out_of_range"),
            (#"{"allowed_ips":["x"]}"#, "/allowed_ips invalid_network"),
            (#"{"state":"active"}"#, "/state unknown_field"),
        ])
    func refusedPatch(json: String, refusal: String) throws {
        let key = try office.made()
        let (told, generation) = (office.told, try office.generation())
        let (response, body) = try office.send(.patch, "/\(key.id)", json)
        #expect(response.status == 422)
        #expect(body.refusals == [refusal])
        #expect(try office.send(.get, "/\(key.id)").response.headers["etag"] == "\"1\"")
        #expect(office.told == told)
        #expect(try office.generation() == generation)
    }

    @Test("The media type of merge patches is taken, and a version that is gone is not")
    func conditions() throws {
        let key = try office.made()
        let patch = try office.door.send(
            .init(
                .patch, path: #require(Path("/api/v1/api-keys/\(key.id)")), mount: "/hub", query: "",
                headers: ["content-type": "application/merge-patch+json", "if-match": "\"1\""],
                body: Array(#"{"name":"b"}"#.utf8)), as: office.admin)
        #expect(patch.status == 200)
        #expect(patch.headers["etag"] == "\"2\"")
        for (method, path, json) in [
            (HTTPKit.Method.patch, "", #"{"name":"c"}"#), (.post, "/roll", "{}"), (.post, "/disable", "{}"),
            (.post, "/enable", "{}"), (.delete, "/previous", nil), (.delete, "", nil),
        ] as [(HTTPKit.Method, String, String?)] {
            let late = try office.send(method, "/\(key.id)\(path)", json, headers: ["if-match": "\"1\""])
            #expect(late.response.status == 412, "\(method) \(path)")
        }
    }

    @Test("A patch that changes nothing leaves no trace")
    func same() throws {
        let key = try office.made()
        let told = try office.generation()
        #expect(try patched(key, #"{"name":"ci","scopes":["connections:read"]}"#)["name"] == "ci")
        #expect(try office.house.auditedActions() == ["api_key.created"])
        #expect(try office.generation() == told)
    }
}
