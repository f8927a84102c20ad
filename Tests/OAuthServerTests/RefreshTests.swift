import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import OAuthServer

/// Refresh tokens, each good for one use and forgiving of the network (RFC 6749 §6, RFC 9700 §4.14.2).
@Suite struct RefreshTests {
    @Test("Fifty parallel refreshes give one successor, the same pair to all")
    func fifty() throws {
        let bureau = try Bureau()
        for _ in 0..<3 {
            let first = try bureau.tokens(["prompt": "consent"])
            let answers = try inThreads(50) { _ in try bureau.refresh(first.refresh).1 }
            #expect(Set(answers.map { $0["refresh_token"]?.text ?? "none" }).count == 1)
            #expect(Set(answers.map { $0["access_token"]?.text ?? "none" }).count == 1)
            #expect(try bureau.refresh(answers[0]["refresh_token"]?.text ?? "").0.status == 200)
        }
        #expect(try bureau.count("SELECT COUNT(*) FROM oauth_grants WHERE revoked_at IS NOT NULL") == 0)
        // Each grant has the first token, its successor and the successor's.
        #expect(try bureau.count("SELECT COUNT(*) FROM oauth_refresh_tokens") == 9)
        #expect(try bureau.events().isEmpty)
    }

    @Test("Within the grace a used token gives the very same pair; later it ends the family, and the owner is told")
    func reuse() throws {
        let bureau = try Bureau()
        let first = try bureau.tokens()
        let second = try bureau.refresh(first.refresh).1
        bureau.house.pass(.seconds(30))
        let again = try bureau.refresh(first.refresh).1
        #expect(again["refresh_token"] == second["refresh_token"] && again["access_token"] == second["access_token"])
        #expect(again["expires_in"] == 3_570)
        let third = try bureau.refresh(second["refresh_token"]?.text ?? "").1
        bureau.house.pass(.seconds(31))
        let late = try bureau.refresh(first.refresh)
        #expect(late.0.status == 400 && late.1.error == "invalid_grant")
        for token in [first.access, second["access_token"]?.text, third["access_token"]?.text] {
            #expect(!bureau.opens(token ?? ""))
        }
        #expect(try bureau.refresh(third["refresh_token"]?.text ?? "").1.error == "invalid_grant")
        #expect(try bureau.events() == ["oauth_app.token_reused"])
    }

    @Test("> The requested scope MUST NOT include any scope not originally granted; a refused refresh uses nothing up")
    func scopes() throws {
        let bureau = try Bureau()
        let first = try bureau.tokens(["scope": "connections:read audit:read"])
        for scope in ["connections:write", "connections:*", "admin:*", "audit:read connections:write", "nonsense"] {
            #expect(try bureau.refresh(first.refresh, [("scope", scope)]).1.error == "invalid_scope")
        }
        let narrow = try bureau.refresh(first.refresh, [("scope", "audit:read")]).1
        #expect(narrow["scope"] == "audit:read")
        let wide = try bureau.refresh(narrow["refresh_token"]?.text ?? "").1
        #expect(wide["scope"] == "connections:read audit:read")
    }

    @Test("A refresh token is bound to its client, and a stranger's attempt takes nothing from its owner")
    func client() throws {
        let bureau = try Bureau()
        let first = try bureau.tokens()
        #expect(try bureau.refresh(first.refresh, as: bureau.publicApp).1.error == "invalid_grant")
        #expect(try bureau.refresh(first.access).1.error == "invalid_grant")
        #expect(try bureau.refresh(first.refresh).0.status == 200)
    }

    @Test("A refresh token ends after 30 days without use, and a grant after a year whatever happens")
    func expiry() throws {
        let bureau = try Bureau()
        let idle = try bureau.tokens()
        bureau.house.pass(.days(30))
        #expect(try bureau.refresh(idle.refresh).1.error == "invalid_grant")
        var token = try bureau.tokens().refresh
        for _ in 0..<13 {
            bureau.house.pass(.days(28))
            token = try #require(try bureau.refresh(token).1["refresh_token"]?.text)
        }
        bureau.house.pass(.days(2))
        #expect(try bureau.refresh(token).1.error == "invalid_grant")
    }

    @Test("What a dump holds opens nothing: neither a token nor its successor stands in the tables")
    func hashed() throws {
        let bureau = try Bureau()
        let first = try bureau.tokens()
        let second = try bureau.refresh(first.refresh).1
        let row = try #require(
            try bureau.house.database.row(
                "SELECT GROUP_CONCAT(HEX(token_hash)) AS hashes FROM oauth_refresh_tokens"))
        let hashes: String = try row.get("hashes")
        for token in [first.refresh, second["refresh_token"]?.text ?? ""] {
            let text = try #require(TokenText(token))
            #expect(!hashes.contains(token))
            #expect(
                hashes.lowercased().contains(text.digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()))
        }
    }

    @Test(
        "Tokens die with the person's membership, their account, and at once with another password (RFC 9700 §4.14.2)")
    func ends() throws {
        let bureau = try Bureau()
        let database = bureau.house.database
        let first = try bureau.tokens()
        try database.execute("UPDATE users SET disabled_at = UTC_TIMESTAMP(6) WHERE id = \(bureau.user)")
        bureau.room.changed()
        #expect(!bureau.opens(first.access))
        #expect(try bureau.refresh(first.refresh).1.error == "invalid_grant")
        try database.execute("UPDATE users SET disabled_at = NULL WHERE id = \(bureau.user)")
        bureau.room.changed()
        #expect(bureau.opens(first.access))
        try database.transaction { try bureau.room.passwordChanged(of: bureau.user, in: $0) }
        bureau.room.changed()
        #expect(!bureau.opens(first.access))
        #expect(try bureau.refresh(first.refresh).1.error == "invalid_grant")
    }
}
