import CipherKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing

@testable import Inbound

@Suite("How a repetition is known")
struct NamingTests {
    private func named(_ scheme: SchemeName, _ body: JSON) throws -> Naming {
        let arrival = Arrival(url: "/", headers: ["content-type": "application/json"], body: body.bytes)
        return scheme.naming(arrival, try Payload(arrival), nil)
    }

    @Test("HubSpot's events of one eventId are as many as they tell of, and an attempt at one is the same")
    func hubspot() throws {
        func event(_ changes: [(String, JSON)] = []) throws -> String {
            let usual: [(String, JSON)] = [
                ("eventId", 1), ("portalId", 62_515), ("subscriptionId", 12), ("objectId", 123), ("occurredAt", 1_700),
                ("attemptNumber", 0), ("subscriptionType", "contact.creation"),
            ]
            let members = usual.map { name, value in JSON.Member(name, changes.first { $0.0 == name }?.1 ?? value) }
            return try named(.hubspot, [.object(members)]).key
        }
        let key = try event()
        for name in ["eventId", "portalId", "subscriptionId", "objectId", "occurredAt"] {
            #expect(try event([(name, 2)]) != key, "\(name)")
        }
        #expect(try event([("attemptNumber", 3)]) == key)
    }

    @Test("A message of Meta's that is taken back is another event than the message")
    func meta() throws {
        func talk(_ message: JSON) throws -> String {
            try named(.meta, ["object": "instagram", "entry": [["id": "1", "messaging": [["message": message]]]]]).key
        }
        #expect(try talk(["mid": "m1", "text": "a"]) == "m1")
        #expect(try talk(["mid": "m1", "is_deleted": true]) != "m1")
        func change(_ value: JSON) throws -> String {
            try named(.meta, ["entry": [["id": "1", "changes": [["field": "messages", "value": value]]]]]).key
        }
        #expect(try change(["messages": [["id": "w1", "type": "text"]]]) == "w1")
        #expect(try change(["messages": [["id": "w1", "type": "unsupported", "errors": []]]]) != "w1")
        #expect(try change(["messages": [["id": "w1"]], "statuses": [["id": "w0"]]]) != "w1")
    }

    @Test("What becomes of a message in a conversation of Twilio's is told apart, and named")
    func conversations() throws {
        func named(_ fields: String) throws -> Naming {
            let arrival = Arrival(
                url: "/", headers: ["content-type": "application/x-www-form-urlencoded"], body: Array(fields.utf8))
            return SchemeName.twilio.naming(arrival, try Payload(arrival), nil)
        }
        let all = try ["onMessageAdded", "onDeliveryUpdated&Status=sent", "onDeliveryUpdated&Status=read"].map {
            try named("MessageSid=IM1&EventType=\($0)")
        }
        #expect(
            all.map(\.type) == [
                "message.onMessageAdded", "message.onDeliveryUpdated.sent", "message.onDeliveryUpdated.read",
            ])
        #expect(Set(all.map(\.key)).count == 3)
        #expect(try named("MessageSid=SM1&SmsStatus=received").type == "message.received")
        #expect(try named("CallSid=CA1&CallStatus=ringing").type == "call.ringing")
    }

    @Test("A request that Twilio has signed is one event, however its fields are written or cut")
    func twilio() throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "twilio", "secret": "auth-token"])
        let headers = mail.twilio(source.path, signing: "BodyhelloMessageSidSM1", secret: "auth-token")
        for body in [
            "Body=hello&MessageSid=SM1", "MessageSid=SM1&Body=hello", "Body=%68ello&MessageSid=SM1",
            "Body=hello&MessageSid=SM1&Body=hello", "Bodyhello=MessageSidSM1", "Body=helloMessageSidSM1",
        ] {
            #expect(try mail.post(source.path, body, headers).status == 200, "\(body)")
        }
        #expect(try mail.count("inbound_events") == 1 && mail.count("inbound_events", "times = 6") == 1)
        let other = mail.twilio(source.path, signing: "BodyhelloMessageSidSM2", secret: "auth-token")
        #expect(try mail.post(source.path, "Body=hello&MessageSid=SM2", other).status == 200)
        #expect(try mail.count("inbound_events") == 2)
    }
}
