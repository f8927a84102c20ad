import CipherKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Connections

@Suite struct AuthorizationTests {
    @Test("The authorization address asks for a code with state, PKCE S256, offline access and consent")
    func address() throws {
        let there = try SigningInOffice()
        let address = try there.begin(there.connection())
        #expect(address.place == "https://accounts.google.com/o/oauth2/v2/auth")
        #expect(address["response_type"] == "code" && address["client_id"] == "123-abc.apps.googleusercontent.com")
        #expect(address["redirect_uri"] == "https://site.example/hub/connections/callback/google")
        #expect(address["scope"] == "openid email profile")
        #expect(address["access_type"] == "offline" && address["prompt"] == "consent")
        #expect(address["code_challenge_method"] == "S256" && address["code_challenge"]?.count == 43)
        #expect(Base64URL.decode(address.state)?.count == 32)
        #expect(address.query.pairs.count == Set(address.query.names).count)
        #expect(!address.text.contains(SigningInOffice.clientSecret))
    }

    @Test("Two sign-ins share neither state nor challenge, and the database knows neither state nor verifier")
    func fresh() throws {
        let there = try SigningInOffice()
        let id = try there.connection()
        let (one, other) = (try there.begin(id), try there.begin(id))
        #expect(one.state != other.state && one["code_challenge"] != other["code_challenge"])
        let rows = try there.office.house.database.rows("SELECT state_hash, verifier_sealed FROM authorization_flows")
        #expect(
            try Set(rows.map { try $0.get("state_hash", as: [UInt8].self) })
                == [SHA256.digest(Array(one.state.utf8)), SHA256.digest(Array(other.state.utf8))])
        #expect(try rows.allSatisfy { try $0.get("verifier_sealed", as: [UInt8].self).count > 43 })
    }

    @Test("Signing in stores what was granted, tests it and says whose access it is")
    func connected() throws {
        let there = try SigningInOffice()
        let id = try there.connection()
        let address = try there.begin(id)
        let back = try there.comeBack([("code", SigningInOffice.code), ("state", address.state), ("scope", "email")])
        #expect(back.status == 303 && back.headers["location"] == "/hub/connections/\(id)")
        #expect(flash(back) == "Google “default” connected. Google answered. ana@gmail.example.")
        let sent = there.sent("POST /token ")
        #expect(sent["grant_type"] == "authorization_code" && sent["code"] == SigningInOffice.code)
        #expect(sent["redirect_uri"] == address["redirect_uri"])
        #expect(sent["client_secret"] == SigningInOffice.clientSecret)
        #expect(sent["code_verifier"].map(AuthorizationRequest.challenge) == address["code_challenge"])
        #expect(there.request("GET /oauth2/v3/userinfo")?.contains("Bearer \(SigningInOffice.accessToken)") == true)
        let tokens = try #require(try there.tokens(id))
        #expect(tokens.access.reveal { $0 } == SigningInOffice.accessToken)
        #expect(tokens.refresh?.reveal { $0 } == SigningInOffice.refreshToken)
        let body = try there.office.json(.get, "connections/\(id)").body
        #expect(body["status"] == "connected" && body["access"] == "ana@gmail.example")
        #expect(body["scopes"]?["requested"] == ["openid", "email", "profile"] && body["scopes"]?["missing"] == [])
        #expect(body["scopes"]?["granted"]?.elements?.count == 3)
        #expect(body["authorized_at"] != .null && body["token_expires_at"] != .null)
        #expect(
            try there.office.house.auditedActions() == [
                "connection.created", "connection.authorized", "connection.tested",
            ]
                || there.office.house.auditedActions() == ["connection.created", "connection.authorized"])
    }

    @Test("A token is renewed five minutes or a tenth of its life before its end, and sooner by chance, never later")
    func dueTimes() throws {
        let there = try SigningInOffice()
        let id = try #require(Identifier<Connection>(there.connection()))
        _ = try there.signIn(id.text)
        let row = try #require(
            try there.office.house.database.row(
                "SELECT token_expires_at, refresh_due_at, grant_key FROM connections WHERE id = \(id)"))
        let rest = try row.get("token_expires_at", as: Timestamp.self) - row.get("refresh_due_at", as: Timestamp.self)
        #expect(rest >= .seconds(359) && rest <= .seconds(396))
        #expect(try row.get("grant_key", as: [UInt8].self).count == 32)
    }

    @Test("Of one account, connections of one client share a grant; another account or another client has its own")
    func siblings() throws {
        let there = try SigningInOffice()
        func key(_ name: String, client: String = "123-abc.apps.example") throws -> [UInt8] {
            let id = try there.connection(name: name, setup: #"{"client_id":"\#(client)","client_secret":"s"}"#)
            _ = try there.signIn(id)
            let key = try #require(Identifier<Connection>(id))
            let row = try there.office.house.database.row("SELECT grant_key FROM connections WHERE id = \(key)")
            return try #require(row).get("grant_key")
        }
        let first = try key("one")
        #expect(try key("two") == first)
        #expect(try key("three", client: "456-def.apps.example") != first)
        there.service.answer("/oauth2/v3/userinfo", 200, #"{"email":"bo@gmail.example"}"#)
        #expect(try key("four") != first)
    }

    @Test("What was not granted is told in the seed's words, and a passing test does not hide it")
    func insufficient() throws {
        let there = try SigningInOffice()
        let id = try there.connection()
        let scope = "https://www.googleapis.com/auth/drive.file"
        let address = try there.begin(id, #"{"scopes":["openid","email","\#(scope)"]}"#)
        #expect(address["scope"] == "openid email \(scope)")
        _ = try there.comeBack([("code", "c"), ("state", address.state)])
        let body = try there.office.json(.get, "connections/\(id)").body
        #expect(body["status"] == "error" && body["scopes"]?["missing"] == [.string(scope)])
        #expect(
            body["status_detail"]?.text
                == "Insufficient scope: Google did not grant \(scope). Connect again and allow it, or ask for less.")
        #expect(try there.audited("connection.authorized")?["missing_scopes"] == [.string(scope)])
        let page = try there.office.door.send(.get, "/connections/\(id)", as: there.office.admin).text()
        #expect(page.contains("Not granted") && page.contains("userinfo.profile"))
        // Asked for again, and granted this time.
        there.service.answer(
            "/token", 200,
            #"{"access_token":"a","refresh_token":"r","token_type":"bearer","scope":"openid email \#(scope)"}"#)
        there.office.house.pass(.seconds(2))
        _ = try there.signIn(id)
        #expect(try there.office.json(.get, "connections/\(id)").body["status"] == "connected")
    }

    @Test("What a service answers without a lifetime, in text, in another case or without scopes is understood")
    func tolerant() throws {
        let there = try SigningInOffice()
        let id = try there.connection()
        there.service.answer(
            "/token", 200, #"{"access_token":"abc","refresh_token":"r","expires_in":"7200","token_type":"BEARER"}"#)
        _ = try there.signIn(id)
        let body = try there.office.json(.get, "connections/\(id)").body
        #expect(body["status"] == "connected" && body["scopes"]?["granted"] == .null)
        #expect(body["scopes"]?["missing"] == [])
        for answer in [
            #"{"access_token":"abc","token_type":"mac"}"#, #"{"token_type":"bearer"}"#, "<html>",
            #"{"access_token":"a b","token_type":"bearer"}"#,
        ] {
            there.service.answer("/token", 200, answer)
            #expect(flash(try there.signIn(id)).contains("Google"))
            #expect(try there.tokens(id)?.access.reveal { $0 } == "abc", "\(answer)")
        }
    }

    @Test("Reconnecting replaces the tokens in place; a sign-in that fails leaves what works alone")
    func reconnecting() throws {
        let there = try SigningInOffice()
        let id = try there.connection()
        _ = try there.signIn(id)
        there.service.answer("/token", 400, #"{"error":"invalid_grant","error_description":"Bad Request"}"#)
        let failed = try there.signIn(id)
        #expect(
            flash(failed)
                == "Invalid grant: the authorization code or refresh token expired, was used already or was revoked at Google. It said: “Bad Request”. Sign in again."
        )
        #expect(try there.office.status(id) == "connected")
        #expect(try there.tokens(id)?.access.reveal { $0 } == SigningInOffice.accessToken)
        #expect(try there.audited("connection.authorization_failed")?["error"] == "invalid_grant")
        there.service.answer("/token", 200, #"{"access_token":"second","token_type":"bearer"}"#)
        there.office.house.pass(.seconds(2))
        _ = try there.signIn(id)
        #expect(try there.tokens(id)?.access.reveal { $0 } == "second")
    }

    @Test("Another set-up stored while somebody signs in, or while the code is exchanged, keeps the grant out")
    func outrun() throws {
        let there = try SigningInOffice()
        let id = try there.connection()
        let address = try there.begin(id)
        let change = #"{"setup":{"client_secret":"another"}}"#
        _ = try there.office.json(.patch, "connections/\(id)", change)
        let before = there.office.service.requests.count
        let back = try there.comeBack([("code", "c"), ("state", address.state)])
        #expect(flash(back) == "Somebody changed the set-up while you signed in. Connect again.")
        #expect(there.office.service.requests.count == before)
        #expect(try there.tokens(id) == nil)
        let gone = try there.begin(id)
        _ = try there.office.json(.patch, "connections/\(id)", #"{"name":"other"}"#)
        #expect(try there.office.json(.delete, "connections/\(id)").response.status == 204)
        #expect(try there.comeBack([("code", "c"), ("state", gone.state)]).headers["location"] == "/hub/connections")
    }

    @Test("The set-up that lacks a client begins nothing, and a service without sign-in says so")
    func refused() throws {
        let there = try SigningInOffice()
        let telegram = try there.office.telegram()
        let (response, body) = try there.office.json(.post, "connections/\(telegram)/authorize", "{}")
        #expect(response.status == 409 && body["code"] == "no_sign_in")
        let id = try there.connection()
        let (early, detail) = try there.office.json(.post, "connections/\(id)/test", "{}")
        #expect(early.status == 409 && detail["code"] == "sign_in_needed")
        for (sent, refusal) in [
            (#"{"return_to":"https://evil.example"}"#, "/return_to invalid"),
            (#"{"return_to":"//evil"}"#, "/return_to invalid"),
            (#"{"return_to":"/\\evil"}"#, "/return_to invalid"), (#"{"scopes":["a\"b"]}"#, "/scopes invalid"),
            (#"{"redirect_uri":"https://evil.example"}"#, "/redirect_uri unknown_field"),
        ] {
            #expect(
                try refusals(there.office.json(.post, "connections/\(id)/authorize", sent).body) == [refusal], "\(sent)"
            )
        }
    }

    @Test("A path of this site is returned to with the outcome, for good and ill")
    func returning() throws {
        let there = try SigningInOffice()
        let id = try there.connection()
        let good = try there.begin(id, #"{"return_to":"/settings?tab=a#top"}"#)
        #expect(
            try there.comeBack([("code", "c"), ("state", good.state)]).headers["location"]
                == "/settings?tab=a&connection=\(id)&result=connected#top")
        let bad = try there.begin(id, #"{"return_to":"/settings"}"#)
        #expect(
            try there.comeBack([("error", "access_denied"), ("state", bad.state)]).headers["location"]
                == "/settings?connection=\(id)&result=error&error=access_denied")
    }

    @Test("No secret, code or state stands in any answer but the address that begins the sign-in")
    func silent() throws {
        let there = try SigningInOffice()
        let id = try there.connection()
        let address = try there.begin(id)
        let back = try there.comeBack([("code", SigningInOffice.code), ("state", address.state)])
        var texts = [try back.text(), "\(back.headers)", flash(back)]
        texts.append(try there.office.door.send(.get, "/connections/\(id)", as: there.office.admin).text())
        texts.append(String(decoding: try there.office.json(.get, "connections/\(id)").body.bytes, as: UTF8.self))
        for row in try there.office.house.database.rows("SELECT details FROM audit_events LIMIT 100") {
            texts.append(try row.get("details"))
        }
        let secrets = [
            SigningInOffice.accessToken, SigningInOffice.refreshToken, SigningInOffice.code,
            SigningInOffice.clientSecret, address.state,
        ]
        for secret in secrets { #expect(texts.allSatisfy { !$0.contains(secret) }) }
    }
}
