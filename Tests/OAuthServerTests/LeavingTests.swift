import DatabaseKit
import HTTPKit
import RoomFixture
import Testing

@testable import OAuthServer

/// How browsers are led on to apps that registered themselves, whose addresses anybody may have chosen.
@Suite struct LeavingTests {
    private func registered() throws -> Bureau {
        let bureau = try Bureau()
        try bureau.change("UPDATE oauth_apps SET is_dynamic = TRUE")
        return bureau
    }

    @Test("Nobody is sent by an error to an app that registered itself; a page says where it leads (RFC 9700 §4.11.2)")
    func errors() throws {
        let bureau = try registered()
        for changes in [["scope": "no:such"], ["response_type": "token"], ["prompt": "none"]] as [[String: String?]] {
            let response = try bureau.authorize(changes, as: bureau.person)
            #expect(response.status == 200 && response.headers["location"] == nil && response.headers["refresh"] == nil)
            #expect(response.headers["referrer-policy"] == "no-referrer")
            let page = try response.text()
            #expect(page.contains("href=\"https://app.example/callback?error=") && page.contains("registered itself"))
        }
        let waiting = try #require(try bureau.authorize(["scope": "no:such"]).headers["location"])
        let query = String(try #require(waiting.split(separator: "?").last))
        let back = try bureau.door.send(.get, "/oauth/authorize/continue", as: bureau.person, query: query)
        #expect(back.status == 200 && back.headers["refresh"] == nil)
    }

    @Test("Who declines is not sent on to an app that registered itself, who allows it is")
    func decisions() throws {
        let bureau = try registered()
        for (decision, goesOn) in [("deny", false), ("allow", true)] {
            let location = try #require(try bureau.authorize(as: bureau.person).headers["location"])
            let request = String(location.split(separator: "=")[1])
            let answer = try bureau.door.send(
                .post, "/oauth/consent", as: bureau.person, form: [("request", request), ("decision", decision)])
            #expect(answer.status == 200 && (answer.headers["refresh"] != nil) == goesOn)
            #expect(try answer.text().contains("It goes on there by itself") == goesOn)
        }
    }
}
