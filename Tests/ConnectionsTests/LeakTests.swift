import CipherKit
import DatabaseKit
import HTTPKit
import JSONKit
import RoomFixture
import Testing

@testable import Connections

@Suite struct LeakTests {
    private static let sid = "AC" + String(repeating: "x", count: 32)
    private static let secret = "TwilioAuthTokenTwilioAuthToken00"

    /// Every way in which a service may repeat what it was sent.
    static let echoes = [
        secret, Base64.encode("\(sid):\(secret)".utf8), Base64.encode(secret.utf8),
        Base64URL.encode(Array(secret.utf8)),
        Hex.encode(secret.utf8),
        // For people, and for a comparison by character, the last letter is another one; the secret stands there all the same.
        secret + "\u{301}", "\u{1F468}\u{200D}" + secret, String(repeating: "é", count: 190) + secret,
    ]

    @Test("A service that repeats what it was sent, in any form, puts no secret anywhere", arguments: echoes)
    func refused(echo: String) throws {
        let office = try Office { _ in StandIn.json(401, #"{"message":"No such token: \#(echo)"}"#) }
        let id = try made(office)
        let (response, body) = try office.json(.post, "connections/\(id)/test", "{}")
        #expect(response.status == 200 && body["ok"] == false)
        #expect(body["detail"]?.text?.contains("No such token: ") == true)
        let page = try office.door.send(.get, "/connections/\(id)", as: office.admin).text()
        let row = try #require(try office.house.database.row("SELECT status_detail, metadata FROM connections"))
        let seen = try [
            response.text(), page, row.get("status_detail", as: String?.self) ?? "", row.get("metadata"),
        ].joined()
        for form in [Self.secret, String(Self.secret.dropLast()), Base64.encode("\(Self.sid):\(Self.secret)".utf8)]
            + Self.forms
        {
            #expect(!seen.contains(form))
        }
    }

    private static let forms = [Base64.encode(secret.utf8), Hex.encode(secret.utf8)]

    private func made(_ office: Office) throws -> String {
        let setUp = #"{"account_sid":"\#(Self.sid)","auth_token":"\#(Self.secret)","from_whatsapp":"+14155238886"}"#
        let (response, body) = try office.json(.post, "connections", #"{"provider":"whatsapp","setup":\#(setUp)}"#)
        try #require(response.status == 201)
        return try #require(body["id"]?.text)
    }
}
