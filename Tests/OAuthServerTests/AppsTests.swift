import AdminShell
import CipherKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import OAuthServer

/// The life of an app, as scripts and people lead it.
@Suite(.timeLimit(.minutes(10))) struct AppsTests {
    private let office: Office
    private let path = "/api/v1/oauth-apps"

    init() throws { office = try Office() }

    @Test("An app is made with a secret that is shown once and never again")
    func made() throws {
        let (response, app) = try office.send(.post, path, Office.usual)
        #expect(response.status == 201 && response.headers["cache-control"] == "no-store")
        #expect(response.headers["location"] == "/hub\(path)/\(app.id)")
        #expect(app["client_secret"]?.text?.hasPrefix("hub_cs_") == true && app["confidential"] == true)
        #expect(app["grant_types"]?.elements?.compactMap(\.text) == GrantType.allCases.map(\.rawValue))
        let again = try office.send(.get, "\(path)/\(app.id)")
        #expect(again.body["client_secret"] == nil && again.response.headers["etag"] == "\"1\"")
        let page = try office.page("/oauth-apps/\(app.id)")
        let secret = app["client_secret"]?.text ?? ""
        #expect(page.contains(app["client_id"]?.text ?? "-") && !page.contains(secret.dropFirst(7).prefix(20)))
        #expect(page.contains("hub_cs_…\(secret.suffix(4))"))
    }

    @Test(
        "What cannot be registered is refused, each field named",
        arguments: [
            ("{}", ["/name required", "/scopes required", "/redirect_uris required"]),
            (#"{"name":"x","scopes":["connections:read"]}"#, ["/redirect_uris required"]),
            (
                #"{"name":"x","scopes":["Connections"],"redirect_uris":["http://app.example/"]}"#,
                ["/scopes invalid_scope", "/redirect_uris scheme_not_allowed"]
            ),
            (
                #"{"name":"x","scopes":["a:b"],"redirect_uris":["https://a.example/"],"grant_types":["implicit"]}"#,
                ["/grant_types unknown_grant"]
            ),
            (
                #"{"name":"x","scopes":["a:b"],"redirect_uris":["https://a.example/"],"grant_types":["refresh_token"]}"#,
                ["/grant_types required"]
            ),
            (
                #"{"name":"x","scopes":["a:b"],"confidential":false,"grant_types":["client_credentials"]}"#,
                ["/grant_types confidential_only"]
            ),
            (
                #"{"name":"x","scopes":["a:b"],"redirect_uris":["https://a.example/"],"website_url":"javascript:alert(1)"}"#,
                ["/website_url invalid"]
            ),
            (
                #"{"name":"x","scopes":["a:b"],"redirect_uris":["https://a.example/"],"logo":"x"}"#,
                ["/logo unknown_field"]
            ),
        ])
    func refused(body: String, refusals: [String]) throws {
        let (response, problem) = try office.send(.post, path, body)
        #expect(response.status == 422 && problem.refusals == refusals, "\(problem)")
    }

    @Test("A user has at most five apps, and one that was removed makes room")
    func limit() throws {
        let apps = try (0..<5).map { _ in try office.made() }
        let refused = try office.send(.post, path, Office.usual)
        #expect(refused.response.status == 409 && refused.body["code"]?.text == "too_many_apps")
        #expect(try office.send(.delete, "\(path)/\(apps[0].id)").response.status == 204)
        _ = try office.made()
        // Another user counts for themselves.
        _ = try office.made(as: try office.house.person(.owner, in: office.organization))
    }

    @Test("A change is merged, guarded by its version, and written down with what it was")
    func changed() throws {
        let app = try office.made()
        let stale = try office.send(
            .patch, "\(path)/\(app.id)", #"{"name":"Other"}"#, headers: ["if-match": "\"7\""])
        #expect(stale.response.status == 412)
        let (response, changed) = try office.send(
            .patch, "\(path)/\(app.id)",
            #"{"name":"Other","website_url":"https://x.example","rate_limit":{"requests_per_minute":5}}"#,
            headers: ["if-match": "\"1\""])
        #expect(response.status == 200 && changed["name"] == "Other" && changed["scopes"] == ["connections:read"])
        #expect(changed["rate_limit"]?["requests_per_minute"] == 5)
        #expect(changed["rate_limit"]?["requests_per_hour"] == 1_000)
        let cleared = try office.send(.patch, "\(path)/\(app.id)", #"{"website_url":null,"rate_limit":null}"#).body
        #expect(cleared["website_url"] == .null && cleared["rate_limit"]?["requests_per_minute"] == 60)
        let told = try office.events().filter { $0.type == "oauth_app.updated" }
        #expect(told.first?.data["changes"]?["name"] == ["from": "Nightly export", "to": "Other"])
    }

    @Test("An app of another organization does not exist, and a member makes and changes none")
    func foreign() throws {
        let app = try office.made()
        let stranger = try office.house.person(.owner, in: office.house.organization("Other"))
        for (method, tail) in [(HTTPKit.Method.get, ""), (.delete, ""), (.get, "/tokens"), (.delete, "/tokens")] {
            #expect(try office.send(method, "\(path)/\(app.id)\(tail)", as: stranger).response.status == 404)
        }
        let patch = try office.send(.patch, "\(path)/\(app.id)", #"{"name":"x"}"#, as: stranger)
        #expect(patch.response.status == 404)
        #expect(try office.send(.post, path, Office.usual, as: office.member).response.status == 403)
        #expect(try office.send(.delete, "\(path)/\(app.id)", as: office.member).response.status == 403)
        #expect(try office.send(.get, "\(path)/\(app.id)", as: office.member).response.status == 200)
    }

    @Test("An app never exceeds its maker")
    func rights() throws {
        let key = Principal(
            actor: office.admin.actor, memberships: office.admin.memberships,
            limits: [.write(.oauthApps), .read(.connections)])
        let wanted = Office.usual.replacing("connections:read", with: "admin:*")
        #expect(try office.send(.post, path, wanted, as: key).response.status == 403)
        let app = try office.made(wanted)
        for (tail, body) in [("/roll-secret", "{}"), ("/enable", "{}")] {
            if tail == "/enable" { _ = try office.send(.post, "\(path)/\(app.id)/disable", "{}") }
            #expect(try office.send(.post, "\(path)/\(app.id)\(tail)", body, as: key).response.status == 403)
        }
    }

    @Test("A list is asked for in parts, by state, by a part of the name and by client id")
    func list() throws {
        let (one, two) = (try office.made(), try office.made(Office.usual.replacing("Nightly", with: "Daily_50%")))
        _ = try office.send(.post, "\(path)/\(two.id)/disable")
        func names(_ query: String) throws -> [String] {
            (try office.send(.get, path, query: query).body["data"]?.elements ?? []).compactMap { $0["name"]?.text }
        }
        #expect(try names("") == ["Daily_50% export", "Nightly export"])
        #expect(try names("state=disabled") == ["Daily_50% export"])
        #expect(try names("q=y_50%25") == ["Daily_50% export"])
        #expect(try names("q=" + (one["client_id"]?.text ?? "")) == ["Nightly export"])
        #expect(try names("q=%25") == ["Daily_50% export"])
        let part = try office.send(.get, path, query: "limit=1").body
        #expect(part["next_cursor"]?.text != nil && part["data"]?.elements?.count == 1)
    }

    @Test("Of five apps made at once by one who may have five more, no sixth comes to be")
    func together() throws {
        let results = Collected()
        let group = DispatchGroup()
        for _ in 0..<8 {
            group.enter()
            Thread.detachNewThread { [office] in
                results.add((try? office.send(.post, "/api/v1/oauth-apps", Office.usual).response.status.code) ?? 0)
                group.leave()
            }
        }
        group.wait()
        #expect(results.all.filter { $0 == 201 }.count == 5 && results.all.filter { $0 == 409 }.count == 3)
    }

    @Test("Every change is in the audit log and told of, and each event has what its description shows")
    func told() throws {
        let app = try office.made()
        _ = try office.send(.patch, "\(path)/\(app.id)", #"{"name":"Other"}"#)
        _ = try office.send(.post, "\(path)/\(app.id)/roll-secret", "{}")
        _ = try office.send(.delete, "\(path)/\(app.id)/previous-secret")
        _ = try office.send(.post, "\(path)/\(app.id)/disable")
        _ = try office.send(.post, "\(path)/\(app.id)/enable")
        _ = try office.send(.delete, "\(path)/\(app.id)/tokens")
        _ = try office.send(.delete, "\(path)/\(app.id)")
        let deeds = [
            "created", "updated", "secret_rolled", "previous_ended", "disabled", "enabled", "tokens_revoked", "deleted",
        ].map { "oauth_app.\($0)" }
        #expect(try office.house.auditedActions() == deeds)
        #expect(try office.events().map(\.type) == deeds)
        #expect(try office.send(.get, "\(path)/\(app.id)").response.status == 404)
    }
}
