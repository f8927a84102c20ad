import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing

@testable import Connections

@Suite("E-mail of the hub's own")
struct NotifyingTests {
    private static let setup = #"{"api_key":"SG.0123456789abcdef","from_email":"hub@acme.example"}"#

    @Test("It goes to each address once the transaction was committed, and never when it was not")
    func sent() throws {
        struct Undone: Error {}
        let room = try PostRoom(
            "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nX-Message-Id: m1\r\nConnection: close\r\n\r\n")
        let id = try #require(Identifier<Connection>(try room.connect("sendgrid", Self.setup)))
        let scope = try room.house.scope(of: room.admin)
        #expect(try room.room.mailConnections(scope).map(\.id) == [id])
        func notify(_ transaction: Transaction) throws {
            try room.room.notify(
                ["ana@acme.example", "no address", "bo@acme.example"], "A webhook was disabled", "Look at it.",
                over: id,
                of: room.organization, in: transaction)
        }
        #expect(throws: Undone.self) {
            try room.house.database.transaction { transaction in
                try notify(transaction)
                throw Undone()
            }
        }
        #expect(try !room.work())
        try room.house.database.transaction { try notify($0) }
        let before = room.service.requests.count
        while try room.work() {}
        let sent = room.service.requests.dropFirst(before)
        #expect(sent.count == 2 && sent.allSatisfy { $0.contains("A webhook was disabled") })
        #expect(sent.contains { $0.contains("ana@acme.example") } && sent.contains { $0.contains("bo@acme.example") })
        let list = try room.json(.get, "connections/\(id)/messages").body["data"]?.elements ?? []
        #expect(list.count == 2 && list.allSatisfy { $0["status"] == "sent" })
    }

    @Test("Over what is gone, or is no mail, nothing is taken")
    func none() throws {
        let room = try PostRoom(StandIn.telegram)
        let chat = try #require(Identifier<Connection>(try room.connect("discord", PostRoom.discordHook)))
        #expect(try room.room.mailConnections(room.house.scope(of: room.admin)).isEmpty)
        for id in [chat, Identifier<Connection>(room.house.world)] {
            try room.house.database.transaction {
                try room.room.notify(["ana@acme.example"], "A", "B", over: id, of: room.organization, in: $0)
            }
        }
        #expect(try !room.work())
    }
}
