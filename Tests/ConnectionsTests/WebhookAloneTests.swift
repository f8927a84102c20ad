import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Connections

@Suite("A service where people sign in, connected by the address of a webhook alone")
struct WebhookAloneTests {
    private static let address = "https://discord.com/api/webhooks/123456789012345678/never-to-be-seen"

    let office: Office

    init() throws { office = try Office { _ in StandIn.json(200, #"{"name":"Deploys","channel_id":"42"}"#) } }

    private func send(_ method: HTTPKit.Method, _ path: String, _ form: [(String, String)]? = nil) throws -> Response {
        office.house.pass(.seconds(2))
        return try office.door.send(method, path, as: office.admin, form: form)
    }

    @Test("It is tried at once, by hand and by the clock, and lent like any key")
    func used() throws {
        let made = try send(
            .post, "/connections/new/discord",
            [("setup.webhook_url", Self.address), ("setup.client_id", ""), ("name", "default"), ("workspace_id", "")])
        #expect(made.status == 303)
        let path = String(try #require(made.headers["location"]).dropFirst("/hub".count))
        let page = try send(.get, path).text()
        #expect(page.contains("Webhook Deploys") && page.contains("Connected"))
        // Nobody can sign in without a client, so nobody is told to.
        #expect(!page.contains("Nobody has signed in yet") && !page.contains("\(path)/authorize"))
        #expect(office.service.requests.last?.hasPrefix("GET /api/webhooks/123456789012345678/") == true)

        let (_, status) = try office.json(.get, "connections/discord/status")
        #expect(status["connected"] == true)
        let (_, lent) = try office.json(.get, "connections/discord/credentials")
        #expect(lent["credentials"]?["webhook_url"] == .string(Self.address))
        office.house.pass(.days(2))
        let count = office.service.requests.count
        let view = try office.room.find(.named(provider: "discord", name: "default"), scope())
        try office.room.probeDue(.init(id: view.record.id, organization: office.organization, provider: "discord"))
        #expect(office.service.requests.count == count + 1)
        let saved = try send(
            .post, "\(path)/edit",
            [
                ("setup.webhook_url", ""), ("setup.client_id", ""), ("setup.channel_id", "123456789012345678"),
                ("name", "default"),
            ])
        #expect(saved.status == 303 && office.service.requests.count == count + 2)
    }

    private func scope() throws -> OrganizationScope { try office.house.scope(of: office.admin) }

    @Test("Disconnecting drops the address, and nothing is sent to it any more")
    func disconnected() throws {
        let (_, made) = try office.json(
            .post, "connections", #"{"provider":"discord","setup":{"webhook_url":"\#(Self.address)"}}"#)
        let id = made["id"]?.text ?? ""
        let confirm = try send(.get, "/connections/\(id)/disconnect").text()
        #expect(confirm.contains("This is deleted from the hub at once: Webhook address."))
        #expect(try send(.post, "/connections/\(id)/disconnect", [("confirm_name", "default")]).status == 303)
        let (_, after) = try office.json(.get, "connections/\(id)")
        #expect(after["setup"]?["webhook_url"] == .null)
        #expect(after["status_detail"] == "Its secrets were dropped. Enter them again to connect it.")
        #expect(try office.json(.get, "connections/\(id)/credentials").response.status == 409)
    }

    @Test("With a client beside it people are led to the service")
    func beside() throws {
        let answer = try send(
            .post, "/connections/new/discord",
            [
                ("setup.webhook_url", Self.address), ("setup.client_id", "123456789012345678"),
                ("setup.client_secret", "secret"), ("name", "default"), ("workspace_id", ""),
            ])
        #expect(answer.status == 200 && answer.headers["refresh"]?.contains("discord.com/oauth2/authorize") == true)
    }
}
