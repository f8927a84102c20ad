import CipherKit
import Domain
import Foundation
import HTTPKit
import LogKit
import Testing
import TimeKit

@testable import Inbound

/// A request as a service signs it, with the secret and the clock by which it is right.
struct Signed: Sendable, CustomTestStringConvertible {
    let name: String
    let scheme: Scheme
    let secret: String
    var arrival: Arrival
    let now: Timestamp
    /// The header fields on which the verdict depends.
    let headers: [String]
    /// Whether what stands in the body is signed.
    var signsBody = true
    /// Whether there is a timestamp that grows old.
    var growsOld = false

    var testDescription: String { name }

    func verdict(
        _ change: (inout Arrival) -> Void = { _ in }, secret other: String? = nil, later: Int64 = 0
    ) -> Result<Scheme.Proof.Key, Failure> {
        var copy = arrival
        change(&copy)
        do throws(Failure) {
            let secrets = [InboundSecret(Secret(other ?? secret))]
            return .success(try scheme.verify(copy, by: secrets, now: now + .seconds(later)).key)
        } catch {
            return .failure(error)
        }
    }
}

extension Signed {
    private static func post(
        _ headers: [(String, String)], _ body: String, url: String = "https://hub.example/inbound/1"
    ) -> Arrival {
        var fields = Headers()
        for (name, value) in headers { fields.add(name, value) }
        return Arrival(url: url, headers: fields, body: Array(body.utf8))
    }

    /// What services publish of their own signatures, and what their rules give where they publish none.
    static let all: [Signed] = [
        // docs.slack.dev, Verifying requests: secret, time, body and signature of the documentation.
        Signed(
            name: "slack", scheme: .code(.slack), secret: "8f742231b10e8888abcd99yyyzzz85a5",
            arrival: post(
                [
                    ("x-slack-request-timestamp", "1531420618"),
                    ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
                ],
                "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
            ), now: Timestamp(seconds: 1_531_420_618),
            headers: ["x-slack-signature", "x-slack-request-timestamp"], growsOld: true),
        Signed(
            name: "slack, an event", scheme: .code(.slack), secret: "8f742231b10e8888abcd99yyyzzz85a5",
            arrival: post(
                [
                    ("x-slack-request-timestamp", "1531420618"),
                    ("x-slack-signature", "v0=5025a102182f11161096c0dc2fc26d579158446c928c56fabda14fecd7be4a08"),
                ], #"{"type":"event_callback"}"#), now: Timestamp(seconds: 1_531_420_618),
            headers: ["x-slack-signature", "x-slack-request-timestamp"], growsOld: true),
        // docs.github.com, Validating webhook deliveries.
        Signed(
            name: "github", scheme: .code(.github), secret: "It's a Secret to Everybody",
            arrival: post(
                [
                    (
                        "x-hub-signature-256",
                        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
                    )
                ], "Hello, World!"), now: Timestamp(seconds: 0), headers: ["x-hub-signature-256"]),
        // standard-webhooks, specification 1.0.0.
        Signed(
            name: "standard webhooks", scheme: .standardWebhooks, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            arrival: post(
                [
                    ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("webhook-timestamp", "1614265330"),
                    ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
                ], #"{"test": 2432232314}"#), now: Timestamp(seconds: 1_614_265_330),
            headers: ["webhook-id", "webhook-timestamp", "webhook-signature"], growsOld: true),
        Signed(
            name: "svix", scheme: .standardWebhooks, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            arrival: post(
                [
                    ("svix-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("svix-timestamp", "1614265330"),
                    (
                        "svix-signature",
                        "v1,bm9ldHUjKzFob2VudXRob2VodWUzMjRvdWVvdW9ldQo= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
                    ),
                ], #"{"test": 2432232314}"#), now: Timestamp(seconds: 1_614_265_330),
            headers: ["svix-id", "svix-timestamp", "svix-signature"], growsOld: true),
        // twilio-python, tests/unit/test_request_validator.py.
        Signed(
            name: "twilio", scheme: .twilio, secret: "12345",
            arrival: post(
                [
                    ("x-twilio-signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
                    ("content-type", "application/x-www-form-urlencoded"),
                ],
                "CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309",
                url: "https://mycompany.com/myapp.php?foo=1&bar=2"), now: Timestamp(seconds: 0),
            headers: ["x-twilio-signature"]),
        Signed(
            name: "stripe", scheme: .stripe, secret: "whsec_test_secret",
            arrival: post(
                [
                    (
                        "stripe-signature",
                        "t=1700000000,v0=00,v1=\(String(repeating: "0", count: 64)),v1=0c8670ed117751cc551a20e35839447075c42800ea3cf3e8a2fbda99cd1e6edd"
                    )
                ], #"{"id":"evt_1","object":"event"}"#), now: Timestamp(seconds: 1_700_000_000),
            headers: ["stripe-signature"], growsOld: true),
        Signed(
            name: "shopify", scheme: .code(.shopify), secret: "shpss_test",
            arrival: post(
                [("x-shopify-hmac-sha256", "1GxccvotnkOedTjSm8S0m/VA3yAUKshyqT52ccNYHj4=")], #"{"id":1}"#),
            now: Timestamp(seconds: 0), headers: ["x-shopify-hmac-sha256"]),
        Signed(
            name: "notion", scheme: .code(.notion), secret: "secret_test",
            arrival: post(
                [("x-notion-signature", "sha256=1fff4e00a80402b93ec011c942c22032c57927da109a143476cb84d3005bd8a9")],
                #"{"type":"page.created"}"#), now: Timestamp(seconds: 0), headers: ["x-notion-signature"]),
        Signed(
            name: "meta", scheme: .code(.github), secret: "app_secret_test",
            arrival: post(
                [("x-hub-signature-256", "sha256=5e20728fa80c22c0087c9005506e4484c80ed6a59159cb226c2df24ffddfe57d")],
                #"{"object":"instagram"}"#), now: Timestamp(seconds: 0), headers: ["x-hub-signature-256"]),
        Signed(
            name: "hubspot", scheme: .code(.hubspot), secret: "client_secret_test",
            arrival: post(
                [
                    ("x-hubspot-signature-v3", "dWsKumArgyqt1sGPSFi/vB6uIjg++cwj3VyltrY9W5U="),
                    ("x-hubspot-request-timestamp", "1700000000000"),
                ], #"[{"eventId":1}]"#, url: "https://example.com/in/hubspot"),
            now: Timestamp(seconds: 1_700_000_000),
            headers: ["x-hubspot-signature-v3", "x-hubspot-request-timestamp"], growsOld: true),
        // sendgrid-python, test/unit/test_eventwebhook.py.
        Signed(
            name: "sendgrid", scheme: .sendgrid,
            secret:
                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA==",
            arrival: post(
                [
                    (
                        "x-twilio-email-event-webhook-signature",
                        "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0="
                    ), ("x-twilio-email-event-webhook-timestamp", "1588788367"),
                ], #"{"category":"example_payload","event":"test_event","message_id":"message_id"}"#),
            now: Timestamp(seconds: 1_588_788_367),
            headers: ["x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"],
            growsOld: true),
        discord,
        Signed(
            name: "telegram", scheme: .token(header: "x-telegram-bot-api-secret-token"), secret: "abc_DEF-123",
            arrival: post([("x-telegram-bot-api-secret-token", "abc_DEF-123")], "{}"), now: Timestamp(seconds: 0),
            headers: ["x-telegram-bot-api-secret-token"], signsBody: false),
        Signed(
            name: "bearer", scheme: .bearer, secret: "lvng_plat_0123456789abcdef",
            arrival: post([("authorization", "Bearer lvng_plat_0123456789abcdef")], "{}"), now: Timestamp(seconds: 0),
            headers: ["authorization"], signsBody: false),
        Signed(
            name: "an HMAC of one's own", scheme: .code(own), secret: "00ff",
            arrival: post(
                [
                    (
                        "x-acme-sig",
                        Base64.encode(HMAC.sha512(Array("1700000000.{}".utf8), key: [0x00, 0xff]))
                    ), ("x-acme-time", "1700000000"),
                ], "{}"), now: Timestamp(seconds: 1_700_000_000), headers: ["x-acme-sig", "x-acme-time"],
            growsOld: true),
    ]

    private static let own = Recipe(
        header: "x-acme-sig", prefix: "", digest: .sha512, encoding: .base64, keyForm: .hex, timestamp: "x-acme-time",
        idHeader: nil, typeHeader: nil)

    /// The seed is that of RFC 8032 §7.1, test 2; Discord signs the time and the body behind each other.
    private static var discord: Signed {
        let seed = Hex.decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb") ?? []
        guard let key = Ed25519.PrivateKey(seed: seed) else { fatalError("the seed of RFC 8032 is a key") }
        let (time, body) = ("1700000000", #"{"type":1}"#)
        return Signed(
            name: "discord", scheme: .discord, secret: Hex.encode(key.publicKey),
            arrival: post(
                [
                    ("x-signature-ed25519", Hex.encode(key.sign(Array((time + body).utf8)))),
                    ("x-signature-timestamp", time),
                ], body), now: Timestamp(seconds: 1_700_000_000),
            headers: ["x-signature-ed25519", "x-signature-timestamp"], growsOld: true)
    }
}
