import Domain
import Foundation
import HTTPKit
import JSONKit
import RoomFixture
import Testing

@testable import Connections

@Suite struct ServiceEnvironmentTests {
    private static let variables = [
        "GOOGLE_CLIENT_ID": "of-the-hub.apps.googleusercontent.com", "GOOGLE_CLIENT_SECRET": "secret-of-the-hub",
        "NOTION_CLIENT_ID": "half-a-client",
    ]

    @Test("A connection without a client signs in with the one of the hub's settings, which nobody is shown or lent")
    func used() throws {
        let there = try SigningInOffice(variables: Self.variables)
        let id = try there.connection(setup: "{}")
        let address = try there.begin(id)
        #expect(address["client_id"] == "of-the-hub.apps.googleusercontent.com")
        #expect(flash(try there.comeBack([("code", "c"), ("state", address.state)])).contains("connected."))
        #expect(there.sent("POST /token ")["client_secret"] == "secret-of-the-hub")
        let texts = [
            String(decoding: try there.office.json(.get, "connections/\(id)").body.bytes, as: UTF8.self),
            String(decoding: try there.office.json(.get, "connections/\(id)/credentials").body.bytes, as: UTF8.self),
            try there.office.door.send(.get, "/connections/\(id)", as: there.office.admin).text(),
        ]
        #expect(texts[1].contains(SigningInOffice.accessToken))
        #expect(texts.allSatisfy { !$0.contains("secret-of-the-hub") && !$0.contains("of-the-hub.apps") })
        #expect(texts[2].contains("from this hub&#39;s settings") || texts[2].contains("from this hub's settings"))
    }

    @Test("A client of its own is used whole, and half a client of the settings is none")
    func own() throws {
        let there = try SigningInOffice(variables: Self.variables)
        let id = try there.connection()
        #expect(try there.begin(id)["client_id"] == "123-abc.apps.googleusercontent.com")
        let (half, body) = try there.office.json(
            .post, "connections", #"{"provider":"google","name":"half","setup":{"client_id":"123-abc.apps.example"}}"#)
        #expect(half.status == 422 && refusals(body) == ["/setup/client_secret required"])
        let (notion, _) = try there.office.json(.post, "connections", #"{"provider":"notion","setup":{}}"#)
        #expect(notion.status == 422)
    }
}
