import AdminShell
import CipherKit
import ClientKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import SiteTokens

/// A file's path; the file is removed with it.
private final class TemporaryFile: Sendable {
    let path = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID().uuidString)").path

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A site that signs tokens with a secret, and the hub's room for them.
struct SigningSite {
    static let secret = Array("0123456789abcdef0123456789abcdef".utf8)
    static let issuer = "https://site.example/"

    let house: House
    let tokens: SiteTokens
    private let file = TemporaryFile()
    var path: String { file.path }

    init(allowsAdmin: Bool = false, audiences: [String] = ["hub"], claim: String = "org_id") throws {
        house = try House(connections: 2)
        let path = file.path
        try Self.write(Self.secret, to: path)
        tokens = try SiteTokens(
            database: house.database, world: house.world,
            settings: .init(
                issuer: Self.issuer, audiences: audiences, organizationClaim: claim, allowsAdmin: allowsAdmin),
            keys: KeyPlace(path), client: Client(version: "test"), log: Log(threshold: .error, descriptor: -1))
    }

    static func write(_ secret: [UInt8], to path: String) throws {
        let set = #"{"keys":[{"kty":"oct","kid":"site","k":"\#(Base64URL.encode(secret))"}]}"#
        try Data(set.utf8).write(to: URL(filePath: path), options: .atomic)
    }

    /// What a good token says, five minutes of life included.
    func claims(_ more: JSON = [:]) -> JSON {
        let now = house.world.now().seconds
        var members: [JSON.Member] = [
            .init("iss", .string(Self.issuer)), .init("aud", "hub"), .init("sub", "visitor-7"),
            .init("iat", .integer(now)), .init("exp", .integer(now + 300)),
        ]
        for member in more.members ?? [] {
            members.removeAll { $0.name == member.name }
            // A claim of null is one that is left away.
            if member.value != .null { members.append(member) }
        }
        return .object(members)
    }

    func sign(
        _ claims: JSON, header: String = #"{"alg":"HS256","kid":"site"}"#, secret: [UInt8] = Self.secret
    ) -> String {
        let text = "\(Base64URL.encode(header.utf8)).\(Base64URL.encode(claims.bytes))"
        return "\(text).\(Base64URL.encode(HMAC.sha256(text.utf8, key: secret)))"
    }

    func principal(_ more: JSON = [:]) throws -> Principal {
        try tokens.principal(Secret(sign(claims(more))))
    }

    /// Why a token does not count, as it is told; nil for one that does.
    func refusal(_ more: JSON) -> String? {
        do {
            _ = try principal(more)
            return nil
        } catch {
            let problem = Problem(presenting: error, requestID: "test")
            return "\(problem.status.code) \(problem.code) \(problem.detail)"
        }
    }
}

@Suite("Tokens of the site")
struct SiteTokensTests {
    @Test("A bearer without an account has the rights that the token states, and admin:* only where that is allowed")
    func strangers() throws {
        let site = try SigningSite()
        let organization = try site.house.organization()
        let principal = try site.principal(["scope": "openid connections:read admin:* payments:* nonsense A:b"])
        #expect(principal.actor.kind == .siteToken && principal.actor.name == "visitor-7")
        #expect(principal.actor.id?.count == 16)
        let scope = try site.house.scope(of: principal)
        #expect(scope.organization == organization)
        let rights: [(String, Bool)] = [
            ("connections:read", true), ("connections:write", false), ("payments:write", true), ("admin:read", false),
            ("users:read", false),
        ]
        for (text, isHeld) in rights { #expect(scope.allows(try #require(Scope(text))) == isHeld, "\(text)") }
        #expect(!scope.allows(.everything) && !scope.allows(.write(.apiKeys)))

        let none = try site.house.scope(of: site.principal())
        #expect(Resource.allCases.allSatisfy { !none.allows(.read($0)) })
        let listed = try site.house.scope(of: site.principal(["scopes": ["connections:read", "audit:read", 7]]))
        #expect(listed.allows(.read(.audit)) && listed.allows(.read(.connections)) && !listed.allows(.read(.usage)))

        let open = try SigningSite(allowsAdmin: true)
        _ = try open.house.organization()
        #expect(try open.house.scope(of: open.principal(["scope": "admin:*"])).allows(.everything))
    }

    @Test("One subject is one actor, and another issuer's or another subject's is another")
    func subjects() throws {
        let site = try SigningSite()
        _ = try site.house.organization()
        let one = try site.principal(["scope": "a:b"]).actor
        #expect(try one == site.principal(["scope": "c:d", "email": "x@y.example"]).actor)
        #expect(try one.id != site.principal(["sub": "visitor-8"]).actor.id)
    }

    @Test("A bearer with an account acts with its role: found by id, or by an address that the site has checked")
    func accounts() throws {
        let site = try SigningSite()
        let organization = try site.house.organization()
        let member = try site.house.user("mia@acme.example", .member, in: organization)
        let owner = try site.house.user("ana@acme.example", .owner, in: organization)

        for claims: JSON in [
            ["sub": .string(member.text)], ["email": "Mia@Acme.example", "email_verified": true],
            // The id is worth more than the address.
            ["sub": .string(member.text), "email": "ana@acme.example", "email_verified": true],
        ] {
            let principal = try site.principal(claims)
            #expect(principal.actor == Actor(kind: .siteToken, id: member.bytes, name: "mia@acme.example"))
            let scope = try site.house.scope(of: principal)
            #expect(scope.role == .member && scope.allows(.read(.connections)) && !scope.allows(.write(.connections)))
        }
        let whole = try site.house.scope(of: site.principal(["sub": .string(owner.text), "scope": "openid email"]))
        #expect(whole.allows(.everything))
        // Rights that are stated narrow the role, be they readable or not, and never widen it.
        let narrowed = try site.house.scope(of: site.principal(["sub": .string(owner.text), "scope": "audit:read"]))
        #expect(narrowed.allows(.read(.audit)) && !narrowed.allows(.read(.connections)))
        let other = try site.house.scope(of: site.principal(["sub": .string(owner.text), "scope": "billing"]))
        #expect(!other.allows(.read(.connections)))
        let wide = try site.house.scope(of: site.principal(["sub": .string(member.text), "scope": "admin:*"]))
        #expect(!wide.allows(.write(.connections)) && wide.allows(.read(.connections)))
    }

    @Test(
        "An address that the site has not checked is nobody's",
        arguments: [
            ["email": "ana@acme.example"], ["email": "ana@acme.example", "email_verified": false],
            ["email": "ana@acme.example", "email_verified": "true"],
            ["email": "ana@acme.example", "email_verified": 1], ["sub": "ana@acme.example"],
            ["user_metadata": ["email": "ana@acme.example", "email_verified": true]],
        ] as [JSON])
    func unchecked(claims: JSON) throws {
        let site = try SigningSite()
        let organization = try site.house.organization()
        _ = try site.house.user("ana@acme.example", .owner, in: organization)
        let principal = try site.principal(claims)
        #expect(principal.actor.name != "ana@acme.example" || claims["sub"] != nil)
        #expect(try !site.house.scope(of: principal).allows(.read(.connections)))
    }

    @Test("An account that is switched off is refused, whatever the token states")
    func switchedOff() throws {
        let site = try SigningSite()
        let organization = try site.house.organization()
        let user = try site.house.user("ana@acme.example", .owner, in: organization)
        try site.house.database.execute("UPDATE users SET disabled_at = \(site.house.world.now()) WHERE id = \(user)")
        #expect(site.refusal(["sub": .string(user.text), "scope": "connections:read"])?.hasPrefix("401") == true)
    }

    @Test("The organization is the one that the token names, or the only one; never one that the bearer picks")
    func organizations() throws {
        let site = try SigningSite(claim: "https://hub.example/org")
        let acme = try site.house.organization("Acme")
        let globex = try site.house.organization("Globex")
        let user = try site.house.user("ana@acme.example", .member, in: acme)
        let name = "https://hub.example/org"
        func places(_ claims: JSON) throws -> [Identifier<Organization>] {
            try site.principal(claims).memberships.map(\.organization)
        }
        #expect(try places([:]) == [])
        #expect(try places(.object([.init(name, .string(globex.text))])) == [globex])
        #expect(try places(["sub": .string(user.text)]) == [acme])
        // Named an organization that the account does not belong to, the bearer is a stranger there.
        let abroad = try site.principal(.object([.init("sub", .string(user.text)), .init(name, .string(globex.text))]))
        #expect(abroad.memberships.map(\.organization) == [globex] && abroad.actor.id != user.bytes)
        #expect(try !site.house.scope(of: abroad).allows(.read(.connections)))
        let nowhere = Identifier<Organization>(site.house.world)
        #expect(site.refusal(.object([.init(name, .string(nowhere.text))]))?.hasPrefix("404") == true)
        for wrong: JSON in ["org_2abc", 7, [], ""] {
            #expect(site.refusal(.object([.init(name, wrong)]))?.hasPrefix("401") == true, "\(wrong)")
        }
    }

    @Test("Each demand on the claims refuses by itself, and says what it is")
    func demands() throws {
        let site = try SigningSite()
        _ = try site.house.organization()
        let now = site.house.world.now().seconds
        let cases: [(JSON, String)] = [
            (["iss": "https://site.example"], "issuer"), (["iss": .null], "issuer"),
            (["iss": [.string(SigningSite.issuer)]], "issuer"),
            (["aud": "other"], "audience"), (["aud": .null], "audience"), (["aud": []], "audience"),
            (["aud": ["other", 7]], "audience"), (["aud": ["hub": true]], "audience"),
            (["exp": .null], "exp"), (["exp": .string("\(now + 300)")], "exp"), (["exp": .number(1e300)], "exp"),
            (["exp": -1], "exp"),
            (["exp": .integer(now - 60)], "expired"), (["exp": 0], "expired"),
            (["nbf": .integer(now + 61)], "not valid yet"), (["iat": .integer(now + 61)], "not valid yet"),
            (["nbf": "now"], "exp"), (["sub": .null], "sub"), (["sub": ""], "sub"), (["sub": 7], "sub"),
            (["sub": "a\nb"], "sub"), (["sub": .string(String(repeating: "x", count: 256))], "sub"),
        ]
        for (claims, word) in cases {
            let refusal = site.refusal(claims)
            #expect(refusal?.hasPrefix("401 invalid_credential") == true, "\(claims)")
            #expect(refusal?.contains(word) == true, "\(claims): \(refusal ?? "taken")")
        }
        let good: [JSON] = [
            [:], ["aud": ["other", "hub"]], ["exp": .integer(now - 59)], ["exp": .number(Double(now) + 0.5)],
            ["nbf": .integer(now + 60), "iat": .integer(now + 60)], ["iat": .null],
        ]
        for claims in good { #expect(site.refusal(claims) == nil, "\(claims)") }
        site.house.pass(.seconds(361))
        #expect(throws: Problem.self) {
            try site.tokens.principal(Secret(site.sign(site.claims(["exp": .integer(now + 300)]))))
        }
    }

    @Test("Without audiences in the settings only tokens without one count")
    func withoutAudience() throws {
        let site = try SigningSite(audiences: [])
        _ = try site.house.organization()
        #expect(site.refusal(["aud": .null]) == nil && site.refusal(["aud": "hub"])?.contains("audience") == true)
    }

    @Test("What the site did not sign is refused in one sentence, whatever is wrong with it")
    func forgeries() throws {
        let site = try SigningSite()
        _ = try site.house.organization()
        let claims = site.claims(["scope": "connections:read"])
        let good = site.sign(claims)
        let forgeries = [
            site.sign(claims, secret: Array(repeating: 0, count: 32)), site.sign(claims, header: #"{"alg":"none"}"#),
            site.sign(claims, header: #"{"alg":"HS256","kid":"other"}"#), good + "A", "..", "a.b.c",
            site.sign(claims, header: #"{"alg":"HS256","typ":"logout+jwt"}"#),
            site.sign(claims, header: #"{"alg":"RS256","kid":"site"}"#), String(repeating: ".", count: 2) + good,
        ]
        for forgery in forgeries {
            do {
                _ = try site.tokens.principal(Secret(forgery))
                Issue.record("taken: \(forgery)")
            } catch let problem as Problem {
                #expect(problem.detail == "The token is not signed as this hub demands.")
            }
        }
        for header in [
            #"{"alg":"HS256"}"#, #"{"alg":"HS256","typ":"JWT"}"#, #"{"alg":"HS256","typ":"application/at+JWT"}"#,
        ] {
            _ = try site.tokens.principal(Secret(site.sign(claims, header: header)))
        }
        #expect(SiteTokens.isToken(good) && !SiteTokens.isToken("sk_abc") && !SiteTokens.isToken(good + "."))
    }

    @Test("A changed file counts within a second; half a file changes nothing, an empty set ends everything")
    func file() throws {
        let site = try SigningSite()
        _ = try site.house.organization()
        let new = Array("another secret of the site, long enough".utf8)
        func isTaken(_ secret: [UInt8]) -> Bool {
            (try? site.tokens.principal(Secret(site.sign(site.claims(), secret: secret)))) != nil
        }
        #expect(isTaken(SigningSite.secret) && !isTaken(new))
        try SigningSite.write(new, to: site.path)
        #expect(isTaken(SigningSite.secret), "looked at once a second at most")
        site.house.pass(.seconds(1))
        #expect(isTaken(new) && !isTaken(SigningSite.secret))
        try Data("{\"keys\":[{".utf8).write(to: URL(filePath: site.path))
        site.house.pass(.seconds(1))
        #expect(isTaken(new))
        try FileManager.default.removeItem(atPath: site.path)
        site.house.pass(.seconds(1))
        #expect(isTaken(new))
        try Data("{\"keys\":[]}".utf8).write(to: URL(filePath: site.path))
        site.house.pass(.seconds(1))
        #expect(!isTaken(new))
    }

    @Test("A look at the keys counts them, and warns of a secret that others of the host can read")
    func report() throws {
        let site = try SigningSite()
        for (mode, isTold) in [(0o644, true), (0o600, false), (0o640, false)] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: site.path)
            let report = try KeyPlace(site.path).examine(with: Client(version: "test"))
            #expect(report.usable == 1 && report.skipped.isEmpty)
            #expect(report.warnings.isEmpty != isTold, "\(String(mode, radix: 8))")
        }
    }
}
