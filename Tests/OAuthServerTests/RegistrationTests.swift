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

/// Programs that register themselves (RFC 7591, RFC 7592).
@Suite(.timeLimit(.minutes(10))) struct RegistrationTests {
    private static let usual = """
        {"client_name":"Agent","redirect_uris":["https://agent.example/cb"],"scope":"connections:read",
         "software_id":"whatever"}
        """

    private func register(
        _ office: Office, _ json: String = usual, as principal: Principal? = nil
    ) throws
        -> (response: Response, body: JSON)
    {
        try office.send(.post, "/oauth/register", json, as: principal)
    }

    @Test("It is off unless the site turned it on")
    func off() throws {
        let office = try Office()
        #expect(try register(office).response.status == 404)
    }

    @Test("A program registers with a credential that may change apps, and members that are not known are passed over")
    func registers() throws {
        let office = try Office { $0.allowsRegistration = true }
        let (response, client) = try register(office)
        #expect(response.status == 201 && response.headers["cache-control"] == "no-store", "\(client)")
        #expect(client["client_secret"]?.text?.hasPrefix("hub_cs_") == true && client["client_secret_expires_at"] == 0)
        #expect(client["grant_types"] == ["authorization_code"] && client["response_types"] == ["code"])
        #expect(client["token_endpoint_auth_method"] == "client_secret_basic" && client["software_id"] == nil)
        let app = try office.record(client)
        #expect(app.isDynamic && app.isConfidential && app.organization == office.organization)
        #expect(try register(office, as: office.member).response.status == 403)
        // It does not take the place of an app that somebody makes.
        for _ in 0..<5 { _ = try office.made() }
        #expect(try register(office).response.status == 201)
    }

    @Test(
        "What cannot be registered is told in the words of RFC 7591 §3.2.2",
        arguments: [
            (#"{"scope":"a:b"}"#, "invalid_redirect_uri"),
            (#"{"scope":"a:b","redirect_uris":["http://agent.example/cb"]}"#, "invalid_redirect_uri"),
            (#"{"redirect_uris":["https://agent.example/cb"]}"#, "invalid_client_metadata"),
            (
                #"{"scope":"a:b","redirect_uris":["https://agent.example/cb"],"grant_types":["implicit"]}"#,
                "invalid_client_metadata"
            ),
            (
                #"{"scope":"a:b","redirect_uris":["https://agent.example/cb"],"response_types":["token"]}"#,
                "invalid_client_metadata"
            ),
            (
                #"{"scope":"a:b","redirect_uris":["https://agent.example/cb"],"token_endpoint_auth_method":"tls"}"#,
                "invalid_client_metadata"
            ),
            (
                #"{"scope":"a:b","redirect_uris":["https://agent.example/cb"],"client_uri":"javascript:1"}"#,
                "invalid_client_metadata"
            ),
            (
                #"{"scope":"a:b","token_endpoint_auth_method":"none","grant_types":["client_credentials"]}"#,
                "invalid_client_metadata"
            ), ("[]", "invalid_client_metadata"), ("{", "invalid_client_metadata"),
        ])
    func refused(body: String, code: String) throws {
        let office = try Office { $0.allowsRegistration = true }
        let (response, error) = try register(office, body)
        #expect(response.status == 400 && error["error"]?.text == code, "\(error)")
    }

    @Test("A registration token lends its app no way to tokens that it was not given, nor one that was taken from it")
    func grants() throws {
        let office = try Office { $0.allowsRegistration = true }
        let json = Self.usual.replacing(
            "\"software_id\":\"whatever\"", with: #""grant_types":["authorization_code","refresh_token"]"#)
        let client = try register(office, json).body
        let path = String(client["registration_client_uri"]?.text?.dropFirst("https://site.example/hub".count) ?? "")
        let bearer: Headers = ["authorization": "Bearer \(client["registration_access_token"]?.text ?? "")"]
        func put(_ grants: String) throws -> (response: Response, body: JSON) {
            let said = json.replacing(#"["authorization_code","refresh_token"]"#, with: grants).dropFirst()
            return try office.send(
                .put, path, #"{"client_id":"\#(client["client_id"]?.text ?? "")","# + said, headers: bearer)
        }
        #expect(try put(#"["authorization_code","refresh_token"]"#).response.status == 200)
        for more in ["client_credentials", "urn:ietf:params:oauth:grant-type:device_code"] {
            let answer = try put("[\"authorization_code\",\"\(more)\"]")
            #expect(
                answer.response.status == 400 && answer.body["error"] == "invalid_client_metadata", "\(answer.body)")
        }
        try office.house.database.execute("UPDATE oauth_apps SET grants = 'authorization_code'")
        #expect(try put(#"["authorization_code","refresh_token"]"#).response.status == 400)
        #expect(try put(#"["authorization_code"]"#).response.status == 200)
    }

    @Test("How a program said that it proves itself is told as it was said, until it says something else")
    func authMethod() throws {
        let office = try Office { $0.allowsRegistration = true }
        let json = Self.usual.replacing(
            "\"software_id\":\"whatever\"", with: #""token_endpoint_auth_method":"client_secret_post""#)
        let client = try register(office, json).body
        #expect(client["token_endpoint_auth_method"] == "client_secret_post")
        let path = String(client["registration_client_uri"]?.text?.dropFirst("https://site.example/hub".count) ?? "")
        let bearer: Headers = ["authorization": "Bearer \(client["registration_access_token"]?.text ?? "")"]
        func method() throws -> JSON? {
            try office.send(.get, path, headers: bearer).body["token_endpoint_auth_method"]
        }
        #expect(try method() == "client_secret_post")
        let said = #"{"client_id":"\#(client["client_id"]?.text ?? "")","# + Self.usual.dropFirst()
        #expect(try office.send(.put, path, said, headers: bearer).response.status == 200)
        #expect(try method() == "client_secret_basic")
    }

    @Test("What was registered is read, replaced and removed with its own token alone")
    func manages() throws {
        let office = try Office { $0.allowsRegistration = true }
        let client = try register(office).body
        let other = try register(office).body
        let uri = try #require(client["registration_client_uri"]?.text)
        let path = String(uri.dropFirst("https://site.example/hub".count))
        let bearer: Headers = ["authorization": "Bearer \(client["registration_access_token"]?.text ?? "")"]
        let foreign: Headers = ["authorization": "Bearer \(other["registration_access_token"]?.text ?? "")"]
        for headers in [[:], foreign, ["authorization": "Bearer x"]] {
            let answer = try office.send(.get, path, headers: headers)
            #expect(answer.response.status == 401 && answer.body["error"] == "invalid_token")
        }
        let seen = try office.send(.get, path, headers: bearer).body
        #expect(seen["client_name"] == "Agent" && seen["client_secret"] == nil)
        let id = client["client_id"]?.text ?? ""
        let put = try office.send(
            .put, path,
            #"{"client_id":"\#(id)","client_name":"Agent 2","redirect_uris":["https://agent.example/cb2"],"scope":"connections:read"}"#,
            headers: bearer)
        #expect(put.response.status == 200 && put.body["client_name"] == "Agent 2", "\(put.body)")
        let more = try office.send(
            .put, path,
            #"{"client_id":"\#(id)","redirect_uris":["https://agent.example/cb2"],"scope":"admin:*"}"#, headers: bearer)
        #expect(more.response.status == 400 && more.body["error"] == "invalid_client_metadata")
        let lied = try office.send(
            .put, path, #"{"client_id":"app_x","redirect_uris":["https://a.example/"],"scope":"a:b"}"#, headers: bearer)
        #expect(lied.response.status == 400)
        #expect(try office.send(.delete, path, headers: bearer).response.status == 204)
        #expect(try office.send(.get, path, headers: bearer).response.status == 401)
    }
}
