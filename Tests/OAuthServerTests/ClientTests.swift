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

/// How apps prove who they are (RFC 6749 §2.3).
@Suite(.timeLimit(.minutes(10))) struct ClientTests {
    private let office: Office

    init() throws { office = try Office() }

    private func ask(_ form: [(String, String)], headers: Headers = [:]) throws -> AppRecord {
        try client(form, headers: headers).app
    }

    private func client(_ form: [(String, String)], headers: Headers) throws -> ClientAuthentication.Client {
        let request = Request(
            .post, path: try #require(Path("/oauth/token")),
            headers: headers, remoteAddress: "203.0.113.9")
        return try ClientAuthentication(limiter: office.room.limiter, guessesPerMinute: 60).client(
            request, OAuthForm(Form(form)), at: office.house.world.now()
        ) { try ClientID($0).flatMap { try AppReader.find($0.id, in: office.house.database) } }
    }

    private func basic(_ id: String, _ secret: String) -> Headers {
        ["authorization": "Basic " + Base64.encode(Array("\(id):\(secret)".utf8))]
    }

    private func refusal(_ form: [(String, String)], headers: Headers = [:]) -> OAuthError? {
        do {
            _ = try ask(form, headers: headers)
            return nil
        } catch {
            return error as? OAuthError
        }
    }

    @Test("A secret is taken by HTTP Basic and in the body")
    func methods() throws {
        let app = try office.made()
        let (id, secret) = (app["client_id"]?.text ?? "", app["client_secret"]?.text ?? "")
        #expect(try ask([], headers: basic(id, secret)).id.text == app.id)
        #expect(try ask([("client_id", id), ("client_secret", secret)]).id.text == app.id)
        #expect(try ask([("client_id", id)], headers: basic(id, secret)).id.text == app.id)
        // Both parts are form-encoded before they are put together.
        let encoded = id.replacing("_", with: "%5F")
        #expect(try ask([], headers: basic(encoded, secret.replacing("_", with: "%5f"))).id.text == app.id)
        let lower = ["authorization": "basic " + Base64.encode(Array("\(id):\(secret)".utf8))] as Headers
        #expect(try ask([], headers: lower).id.text == app.id)
    }

    @Test("The client MUST NOT use more than one authentication method in each request (RFC 6749 §2.3)")
    func oneMethod() throws {
        let app = try office.made()
        let (id, secret) = (app["client_id"]?.text ?? "", app["client_secret"]?.text ?? "")
        #expect(refusal([("client_secret", secret)], headers: basic(id, secret))?.code == .invalidRequest)
        #expect(refusal([("client_id", "another")], headers: basic(id, secret))?.code == .invalidRequest)
        var twice = basic(id, secret)
        twice.add("authorization", "Basic eDp5")
        #expect(refusal([], headers: twice)?.code == .invalidRequest)
    }

    @Test("Who is not known, or proves nothing, is told invalid_client, and by Basic with a challenge (RFC 6749 §5.2)")
    func refused() throws {
        let (app, other) = (try office.made(), try office.made())
        let (id, secret) = (app["client_id"]?.text ?? "", app["client_secret"]?.text ?? "")
        let foreign = other["client_secret"]?.text ?? ""
        let changed = secret.dropLast() + (secret.hasSuffix("x") ? "y" : "x")
        for wrong in [String(changed), "", "hub_cs_", foreign, secret.uppercased(), secret + " "] {
            #expect(refusal([("client_id", id), ("client_secret", wrong)])?.code == .invalidClient, "\(wrong)")
        }
        let byHeader = refusal([], headers: basic(id, foreign))
        #expect(byHeader?.status == 401 && byHeader?.headers["www-authenticate"]?.hasPrefix("Basic ") == true)
        #expect(refusal([("client_id", "app_00000000000000000000xx"), ("client_secret", secret)])?.status == 401)
        for header in ["Basic", "Basic !!!", "Basic eHk=", "Bearer \(secret)", "Digest x"] {
            #expect(refusal([], headers: ["authorization": header])?.code == .invalidClient, "\(header)")
        }
        #expect(refusal([])?.code == .invalidClient)
        #expect(refusal([("client_id", id)])?.hint.contains("has a secret") == true)
    }

    @Test("A public app sends its id alone, and a disabled one gets nothing")
    func publicApp() throws {
        let app = try office.made(
            #"{"name":"Phone","redirect_uris":["com.example.app:/cb"],"scopes":["connections:read"],"confidential":false}"#
        )
        let id = app["client_id"]?.text ?? ""
        #expect(app["client_secret"] == nil)
        #expect(try ask([("client_id", id)]).id.text == app.id)
        #expect(
            refusal([("client_id", id), ("client_secret", ClientSecret().secret.reveal { $0 })])?.code == .invalidClient
        )
        _ = try office.send(.post, "/api/v1/oauth-apps/\(app.id)/disable")
        #expect(refusal([("client_id", id)])?.code == .invalidClient)
    }

    @Test("After a roll both secrets count until the grace ends, then one")
    func rolled() throws {
        let app = try office.made()
        let (id, old) = (app["client_id"]?.text ?? "", app["client_secret"]?.text ?? "")
        let rolled = try office.send(
            .post, "/api/v1/oauth-apps/\(app.id)/roll-secret", #"{"grace_seconds":3600}"#)
        let new = rolled.body["client_secret"]?.text ?? ""
        #expect(new != old && rolled.response.headers["cache-control"] == "no-store")
        for secret in [old, new] { #expect(try ask([], headers: basic(id, secret)).id.text == app.id) }
        office.house.pass(.seconds(3_601))
        #expect(refusal([], headers: basic(id, old))?.code == .invalidClient)
        #expect(try ask([], headers: basic(id, new)).id.text == app.id)
        // Without a grace the one before is over at once.
        let last = try office.send(.post, "/api/v1/oauth-apps/\(app.id)/roll-secret", #"{"grace_seconds":0}"#).body
        #expect(refusal([], headers: basic(id, new))?.code == .invalidClient)
        #expect(try ask([], headers: basic(id, last["client_secret"]?.text ?? "")).id.text == app.id)
    }

    @Test(
        "A parameter given twice is refused among few as among many; resource may come often",
        arguments: [2, 12, 13, 40])
    func twice(count: Int) throws {
        let pairs = (0..<count).map { ("p\($0)", "x") }
        #expect(throws: Never.self) { try OAuthForm(Form(pairs)) }
        for name in ["p0", "p\(count - 1)"] {
            let error = #expect(throws: OAuthError.self) { try OAuthForm(Form(pairs + [(name, "")])) }
            #expect(error?.code == .invalidRequest && error?.hint.contains("\(name).") == true)
        }
        let several = try OAuthForm(Form(pairs.dropLast(2) + [("resource", "a"), ("resource", "b")]))
        #expect(several.all("resource") == ["a", "b"])
    }

    @Test(
        "A proof is looked at once until something changes, a secret of the last roll each time, a wrong one never kept"
    )
    func remembered() throws {
        let app = try office.made()
        let (id, old) = (app["client_id"]?.text ?? "", app["client_secret"]?.text ?? "")
        var looks = 0
        func known(by secret: String) throws -> String {
            let headers = basic(id, secret)
            return try office.memory.client(headers["authorization"] ?? "") {
                looks += 1
                return try client([], headers: headers)
            }.id.text
        }
        for _ in 0..<3 { #expect(try known(by: old) == app.id) }
        #expect(looks == 1)
        for count in 2...3 {
            #expect(throws: OAuthError.self) { try known(by: ClientSecret().secret.reveal { $0 }) }
            #expect(looks == count)
        }
        let rolled = try office.send(
            .post, "/api/v1/oauth-apps/\(app.id)/roll-secret", #"{"grace_seconds":3600}"#)
        let new = rolled.body["client_secret"]?.text ?? ""
        for _ in 0..<2 { #expect(try known(by: new) == app.id) }
        #expect(looks == 4)
        for _ in 0..<2 { #expect(try known(by: old) == app.id) }
        #expect(looks == 6)
        office.house.pass(.seconds(3_601))
        #expect(throws: OAuthError.self) { try known(by: old) }
        _ = try office.send(.post, "/api/v1/oauth-apps/\(app.id)/disable")
        #expect(throws: OAuthError.self) { try known(by: new) }
    }

    @Test(
        "the authorization server MUST protect against brute force (RFC 6749 §2.3.1), and never locks out who is right")
    func guesses() throws {
        let app = try office.made()
        let (id, secret) = (app["client_id"]?.text ?? "", app["client_secret"]?.text ?? "")
        var refusals: [OAuthError] = []
        for _ in 0..<70 {
            if let one = refusal([("client_id", id), ("client_secret", ClientSecret().secret.reveal { $0 })]) {
                refusals.append(one)
            }
        }
        #expect(refusals.count == 70 && refusals.prefix(60).allSatisfy { $0.status == 401 })
        #expect(refusals.suffix(10).allSatisfy { $0.status == 429 && Int($0.headers["retry-after"] ?? "") != nil })
        #expect(try ask([("client_id", id), ("client_secret", secret)]).id.text == app.id)
    }

    @Test("Nothing that is kept of an app opens anything")
    func hashed() throws {
        let app = try office.made()
        let secret = app["client_secret"]?.text ?? ""
        let row = try #require(try office.house.database.row("SELECT * FROM oauth_apps"))
        for name in row.names {
            guard let text = try? row.get(name, as: String?.self) else { continue }
            #expect(!text.contains(secret.dropFirst(7).prefix(20)), "\(name)")
        }
        #expect(try row.get("secret_hash", as: [UInt8].self) == SHA256.digest(secret.utf8))
    }

    @Test("A client id is made of the app's own and never the text of a user's id")
    func clientID() throws {
        let id = Identifier<OAuthApp>(office.house.world)
        #expect(ClientID(ClientID(id).text)?.id == id && Identifier<User>(ClientID(id).text) == nil)
        for text in [
            "", "app_", id.text, "app_" + id.text, ClientID(id).text + "0", "APP_" + ClientID(id).text.dropFirst(4),
        ] {
            #expect(ClientID(text) == nil, "\(text)")
        }
    }
}
