import Domain
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Inbound

/// What Microsoft Graph sends: its question, and notifications that say what it was told.
@Suite(.timeLimit(.minutes(30))) struct GraphNotifications {
    private static let old = "whsec_1111111111111111111111111111111111111111111="
    private static let new = "whsec_2222222222222222222222222222222222222222222="
    private let integration = Identifier<PlatformIntegration>(.real)
    private let address = Identifier<InboundAddress>(.real)
    private let mail: Mailroom

    /// A Teams integration of a neighbour, its secret just replaced.
    init() throws {
        let whose = Lock<InboundSource?>(nil)
        let (address, integration) = (address, integration)
        mail = try Mailroom(sources: [{ asked in asked == address ? whose.withLock { $0 } : nil }])
        let secrets = [
            InboundSecret(Secret(Self.new)),
            InboundSecret(Secret(Self.old), until: mail.house.world.now() + .hours(1)),
        ]
        let source = try #require(Identifier<InboundSource>(bytes: integration.bytes))
        let origin = InboundOrigin(
            source: source, organization: mail.organization, provider: "microsoft_teams", integration: integration)
        whose.withLock { $0 = InboundSource(origin, secrets: secrets, bearers: secrets) }
    }

    private func post(
        _ body: String, query: String = "", _ headers: Headers = ["content-type": "application/json"]
    ) throws -> Mailroom.Answer {
        let path = try #require(Path("/inbound/\(address)"))
        return try mail.answer(
            mail.door.send(
                Request(
                    .post, path: path, mount: "/hub", query: query, headers: headers, body: Array(body.utf8),
                    remoteAddress: "20.20.32.1"), as: nil))
    }

    private func body(_ states: [String?], id: String = "", type: String = "created") -> String {
        let notifications = states.enumerated().map { place, state in
            let said = state.map { #","clientState":"\#($0)""# } ?? ""
            let named = id.isEmpty ? "" : #","id":"\#(id)\#(place)""#
            return #"{"changeType":"\#(type)","resource":"teams('t')/channels('c')/messages('1')"\#(named)\#(said)}"#
        }
        return #"{"value":[\#(notifications.joined(separator: ","))]}"#
    }

    @Test("Graph's question is answered with its token as text, and nobody else's is")
    func validation() throws {
        let query =
            "validationToken=Validation%3a+Testing+client+application+reachability+for+subscription+Request-Id%3a+522a8e7e"
        let answer = try post("", query: query, ["content-type": "text/plain; charset=utf-8"])
        #expect(answer.status == 200 && answer.response.headers["content-type"] == "text/plain; charset=utf-8")
        #expect(
            answer.text == "Validation: Testing client application reachability for subscription Request-Id: 522a8e7e")
        for odd in ["validationToken=", "validationToken=a&validationToken=b", "validationToken=%3Cscript%3E", "x=1"] {
            #expect(try post("", query: odd).status == 401, "\(odd)")
        }
        let slack = try mail.source(["provider": "slack", "secret": "8f742231b10e8888abcd99baac2bcd1e"])
        let path = try #require(Path(slack.path))
        let other = mail.door.send(Request(.post, path: path, mount: "/hub", query: query), as: nil)
        #expect(other.status == 401)
        #expect(try mail.count("inbound_events") == 0)
    }

    @Test("Notifications are taken when each says a secret that counts, the one before the last rotation, too")
    func known() throws {
        #expect(try post(body([Self.new])).status == 200)
        #expect(try post(body([Self.old])).status == 200)
        // Subscriptions of before and after come together.
        #expect(try post(body([Self.old, Self.new])).status == 200)
        for refused in [
            body([]), body([nil]), body([Self.new, nil]), body([Self.new, "other"]), body([""]), "{}", "[]", "no JSON",
            #"{"value":[{"clientState":7}]}"#, #"{"value":[{"clientState":"x"},{}]}"#,
        ] {
            let answer = try post(refused)
            #expect(answer.status == 401 && answer.code == "unauthenticated", "\(refused)")
        }
        mail.house.pass(.hours(2))
        #expect(try post(body([Self.old])).status == 401 && post(body([Self.new])).status == 200)
        #expect(try mail.count("inbound_events") == 4)
    }

    @Test("What proves a notification stands in nothing that is kept, told of or shown")
    func secret() throws {
        #expect(try post(body([Self.new])).status == 200)
        #expect(try post(body([Self.new]), ["authorization": "Bearer \(Self.new)"]).status == 200)
        try mail.work()
        let events = try mail.published()
        // Whoever comes with the key says nothing that Graph vouches for.
        #expect(
            Set(events.map(\.type)) == ["inbound.microsoft_teams.created", "inbound.microsoft_teams.event"], "\(events)"
        )
        #expect(events[0].data["payload"]?["value"]?[0]?["resource"] == "teams('t')/channels('c')/messages('1')")
        let listed = try #require(try mail.api(.get, "inbound-events").json["data"]?.elements)
        for event in listed {
            let shown = try mail.api(.get, "inbound-events/\(event["id"]?.text ?? "")")
            #expect(!shown.text.contains("whsec_") && shown.text.contains("messages('1')"))
        }
        for event in events { #expect(!String(decoding: event.data.bytes, as: UTF8.self).contains("whsec_")) }
    }

    @Test("A repetition is known by the ids of its notifications; two without ids are two, since nothing tells")
    func repeated() throws {
        for _ in 0..<2 { #expect(try post(body([Self.new], id: "n")).status == 200) }
        #expect(try mail.count("inbound_events") == 1)
        for _ in 0..<2 { #expect(try post(body([Self.new], type: "updated")).status == 200) }
        #expect(try mail.count("inbound_events") == 3)
    }

    @Test("A source of the room's own is given its secret for Graph, too")
    func ownSource() throws {
        let made = try mail.api(
            .post, "inbound-sources", ["provider": "microsoft_teams", "scheme": "microsoft_graph"])
        let secret = try #require(made.json["secret"]?.text)
        let path = try mail.path(made.json)
        let headers: Headers = ["content-type": "application/json"]
        #expect(try mail.post(path, body([secret]), headers).status == 200)
        #expect(try mail.post(path, body(["x"]), headers).status == 401)
    }
}
