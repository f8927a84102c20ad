import CipherKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing

@testable import Connections

@Suite struct UndecryptableTests {
    let office: Office
    let broken: String
    let whole: String

    init() throws {
        office = try Office()
        broken = try office.telegram("broken")
        whole = try office.telegram("whole")
    }

    @Test(
        "One changed byte, wherever it stands, makes that connection undecryptable and no other",
        arguments: ["version", "key number", "nonce", "ciphertext", "tag", "length", "nothing"])
    func changed(part: String) throws {
        var bytes = try #require(try office.sealed(broken))
        let places = ["version": 0, "key number": 4, "nonce": 5, "ciphertext": 20, "tag": bytes.count - 1]
        if let place = places[part] { bytes[place] ^= 1 } else { bytes = part == "length" ? bytes.dropLast() : [] }
        try office.overwriteSealed(broken, with: bytes)
        try expectOnlyBrokenIsLost()
        #expect(try office.sealed(broken) == bytes)
    }

    @Test("Two rows' columns swapped make both undecryptable, and nothing else")
    func swapped() throws {
        let third = try office.telegram("third")
        let (one, two) = (try office.sealed(broken), try office.sealed(third))
        try office.overwriteSealed(broken, with: two)
        try office.overwriteSealed(third, with: one)
        #expect(try office.status(broken) == "undecryptable" && office.status(third) == "undecryptable")
        #expect(try office.status(whole) == "disconnected")
        try office.overwriteSealed(broken, with: one)
        #expect(try office.status(broken) == "disconnected")
    }

    @Test("With another key ring nothing opens, nothing is overwritten, and the right ring finds all as it was")
    func wrongRing() throws {
        let before = try [broken, whole].map { try office.sealed($0) }
        let door = try Door(
            office.house, Office.room(office.house, KeyRing(), calling: office.service).routes,
            templates: Connections.templates)
        let list = try door.send(.get, "/api/v1/connections", as: office.admin).text()
        #expect(list.matches(of: /"status":"undecryptable"/).count == 2)
        let made = try door.send(
            .post, "/api/v1/connections", as: office.admin,
            json: #"{"provider":"telegram","name":"new","setup":{"bot_token":"\#(Office.token)"}}"#)
        #expect(made.status == 503)
        #expect(try door.send(.get, "/connections/\(whole)", as: office.admin).text().contains("restore the key ring"))
        #expect(try [broken, whole].map { try office.sealed($0) } == before)
        #expect(try office.json(.get, "connections/\(whole)/credentials").response.status == 200)
    }

    @Test("What is undecryptable is neither edited, tested nor disconnected, but renamed, switched off and removed")
    func untouched() throws {
        var bytes = try #require(try office.sealed(broken))
        bytes[30] ^= 0x80
        try office.overwriteSealed(broken, with: bytes)
        let path = "connections/\(broken)"
        for (method, rest, body): (HTTPKit.Method, String, String) in [
            (.patch, "", #"{"setup":{"bot_token":"\#(Office.token)"}}"#), (.patch, "", #"{"setup":{"chat_id":"1"}}"#),
            (.post, "/test", "{}"), (.post, "/disconnect", "{}"),
        ] {
            let (response, answer) = try office.json(method, path + rest, body)
            #expect(response.status == 409 && answer["code"] == "undecryptable")
        }
        #expect(try office.json(.get, path + "/credentials").body["code"] == "undecryptable")
        let typed = [("name", "broken"), ("setup.bot_token", Office.token), ("workspace_id", "")]
        let edited = try office.door.send(.post, "/\(path)/edit", as: office.admin, form: typed)
        #expect(edited.status == 409)
        #expect(try edited.text().contains("Nothing was overwritten"))
        #expect(try office.sealed(broken) == bytes)
        #expect(try office.json(.patch, path, #"{"name":"default","enabled":false}"#).response.status == 200)
        #expect(try office.status(broken) == "undecryptable")
        #expect(try office.sealed(broken) == bytes)
        #expect(office.service.requests.isEmpty)
        #expect(try office.json(.delete, path).response.status == 204)
        #expect(try office.sealed(broken) == nil)
    }

    @Test("A filter by state finds what is undecryptable, and leaves it out of every other state")
    func filtered() throws {
        try office.overwriteSealed(broken, with: [1, 2, 3])
        func names(_ status: String) throws -> [String] {
            let body = try office.json(.get, "connections", query: "status=\(status)&limit=1").body
            return (body["data"]?.elements ?? []).compactMap { $0["name"]?.text }
        }
        #expect(try names("undecryptable") == ["broken"])
        #expect(try names("disconnected") == ["whole"])
        #expect(try names("connected").isEmpty)
    }

    private func expectOnlyBrokenIsLost() throws {
        #expect(try office.status(broken) == "undecryptable")
        #expect(try office.status(whole) == "disconnected")
        let list = try office.json(.get, "connections").body
        #expect(list["data"]?.elements?.compactMap { $0["status"] } == ["undecryptable", "disconnected"])
        let detail = try office.json(.get, "connections/\(broken)").body
        #expect(detail["status"] == "undecryptable" && detail["setup"]?["bot_token"] == "***")
        #expect(try office.door.send(.get, "/connections/\(broken)", as: office.admin).text().contains("Undecryptable"))
        #expect(try office.json(.post, "connections/\(broken)/test", "{}").response.status == 409)
        #expect(try office.json(.post, "connections/\(whole)/test", "{}").body["ok"] == true)
    }
}
