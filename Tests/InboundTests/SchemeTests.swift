import CipherKit
import Domain
import HTTPKit
import LogKit
import Testing
import TimeKit

@testable import Inbound

@Suite("How services prove that a request is theirs")
struct SchemeTests {
    @Test("What a service has signed is taken", arguments: Signed.all)
    func taken(_ signed: Signed) {
        #expect(signed.verdict() == .success(.current))
    }

    @Test("One byte of the body changed, added or left out is refused by the signature", arguments: Signed.all)
    func body(_ signed: Signed) {
        guard signed.signsBody else { return }
        for place in signed.arrival.body.indices {
            let verdict = signed.verdict { $0.body[place] ^= 1 }
            #expect(verdict == .failure(.wrongSignature), "byte \(place)")
        }
        // A form tells a field without a name from none, as its sender does.
        #expect(signed.verdict { $0.body.append(0x78) } == .failure(.wrongSignature))
        #expect(signed.verdict { $0.body.removeLast() } == .failure(.wrongSignature))
    }

    @Test("A header that is missing, came twice, or is cut short is refused by its name", arguments: Signed.all)
    func headers(_ signed: Signed) {
        for name in signed.headers {
            #expect(signed.verdict { $0.headers[name] = nil } == .failure(.missing(name)))
            let twice = signed.verdict { $0.headers.add(name, $0.headers[name] ?? "") }
            #expect(twice == .failure(.repeated(name)))
            let cut = signed.verdict { $0.headers[name] = String(($0.headers[name] ?? "").dropLast()) }
            #expect(cut.isRefused, "\(name)")
            for odd in ["", "ä", "\u{0}", String(repeating: "a", count: 5_000)] {
                #expect(signed.verdict { $0.headers[name] = odd }.isRefused, "\(name)")
            }
        }
    }

    @Test("Every single character of a signature counts", arguments: Signed.all)
    func signature(_ signed: Signed) {
        // Stripe's first signature is another one, and others stand beside Svix's.
        guard let name = signed.headers.first(where: { $0.contains("sig") || $0.contains("hmac") }),
            signed.name != "stripe", signed.name != "svix"
        else { return }
        let text = Array((signed.arrival.headers[name] ?? "").utf8)
        for place in text.indices {
            var other = text
            other[place] = other[place] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
            guard other != text else { continue }
            let verdict = signed.verdict { $0.headers[name] = String(decoding: other, as: UTF8.self) }
            #expect(verdict.isRefused, "\(place)")
        }
    }

    @Test("A timestamp counts for 300 s to either side, and not for 301", arguments: Signed.all)
    func clock(_ signed: Signed) {
        for later: Int64 in [-300, -299, 299, 300] { #expect(signed.verdict(later: later) == .success(.current)) }
        guard signed.growsOld else {
            #expect(signed.verdict(later: 100_000) == .success(.current))
            return
        }
        #expect(signed.verdict(later: 301) == .failure(.late(301)))
        #expect(signed.verdict(later: -301) == .failure(.early(301)))
    }

    @Test("Times beyond all reason are refused and harm nobody", arguments: Signed.all)
    func odd(_ signed: Signed) {
        guard let name = signed.headers.first(where: { $0.contains("time") }), signed.growsOld else { return }
        for text in ["-1", "1e9", " 1", "99999999999999999999", "999999999999999", "0x10", "1531420618.0", "NaN"] {
            #expect(signed.verdict { $0.headers[name] = text }.isRefused, "\(text)")
        }
    }

    @Test("Another secret is refused, and without one everything is", arguments: Signed.all)
    func secrets(_ signed: Signed) {
        let other =
            switch signed.name {
            case "discord": String(repeating: "0", count: 63) + "1"
            case "standard webhooks", "svix": "whsec_" + Base64.encode([UInt8](repeating: 7, count: 24))
            case "an HMAC of one's own": "00fe"
            default: "another secret"
            }
        #expect(signed.verdict(secret: other).isRefused)
        #expect(throws: Failure.noSecret) { try signed.scheme.verify(signed.arrival, by: [], now: signed.now) }
        let ended = [InboundSecret(Secret(signed.secret), until: signed.now)]
        #expect(throws: Failure.noSecret) { try signed.scheme.verify(signed.arrival, by: ended, now: signed.now) }
    }

    @Test("While a secret is replaced both are taken, and which one it was is told", arguments: Signed.all)
    func rotation(_ signed: Signed) throws {
        let fresh = InboundSecret(Secret(signed.name == "discord" ? String(repeating: "0", count: 64) : "Zm9v"))
        let old = InboundSecret(Secret(signed.secret), until: signed.now + .seconds(1))
        let proof = try signed.scheme.verify(signed.arrival, by: [fresh, old], now: signed.now)
        #expect(proof.key == .previous)
    }

    @Test("Where Discord's time ends and its body begins is the only place at which its signature fits")
    func boundary() throws {
        let signed = try #require(Signed.all.first { $0.name == "discord" })
        let time = Array((signed.arrival.headers["x-signature-timestamp"] ?? "").utf8)
        let content = time + signed.arrival.body
        for end in 1..<content.count {
            let verdict = signed.verdict {
                $0.headers["x-signature-timestamp"] = String(decoding: content[..<end], as: UTF8.self)
                $0.body = Array(content[end...])
            }
            #expect(verdict.isRefused == (end != time.count), "\(end)")
        }
    }

    // MARK: Twilio's address

    private func twilio(_ url: String, _ body: String, type: String, signing content: String) -> Arrival {
        Arrival(
            url: url,
            headers: [
                "x-twilio-signature": Base64.encode(HMAC.sha1(Array(content.utf8), key: Array("token".utf8))),
                "content-type": type,
            ], body: Array(body.utf8))
    }

    private func isTaken(_ arrival: Arrival) -> Bool {
        (try? Scheme.twilio.verify(arrival, by: [InboundSecret(Secret("token"))], now: Timestamp(seconds: 0))) != nil
    }

    @Test("Twilio's signature is over the public address with its mount, with or without the port")
    func address() {
        let form = "application/x-www-form-urlencoded"
        for (url, signed) in [
            ("https://hub.example/hub/inbound/1", "https://hub.example/hub/inbound/1"),
            ("https://hub.example/hub/inbound/1", "https://hub.example:443/hub/inbound/1"),
            ("https://hub.example:8443/inbound/1", "https://hub.example/inbound/1"),
            ("https://hub.example:8443/inbound/1?a=b", "https://hub.example:8443/inbound/1?a=b"),
        ] {
            #expect(isTaken(twilio(url, "A=1&B=2", type: form, signing: signed + "A1B2")), "\(signed)")
        }
        #expect(!isTaken(twilio("https://hub.example/1", "A=1", type: form, signing: "http://hub.example/1A1")))
        #expect(!isTaken(twilio("https://hub.example/hub/1", "A=1", type: form, signing: "https://hub.example/1A1")))
    }

    @Test("Fields of a form are sorted, and a repeated value counts once, as in Twilio's library")
    func fields() {
        let url = "https://hub.example/1"
        let form = "application/x-www-form-urlencoded"
        #expect(isTaken(twilio(url, "b=2&a=1&a=0&a=1&B=x", type: form, signing: url + "Bxa0a1b2")))
        #expect(isTaken(twilio(url, "Body=caf%C3%A9+%26+co", type: form, signing: url + "Bodycafé & co")))
    }

    @Test("A body of JSON must have the digest that the signed address names")
    func digest() {
        let body = #"{"a":1}"#
        let url = "https://hub.example/1?bodySHA256=" + Hex.encode(SHA256.digest(body.utf8))
        #expect(isTaken(twilio(url, body, type: "application/json", signing: url)))
        #expect(!isTaken(twilio(url, body + " ", type: "application/json", signing: url)))
        let bare = "https://hub.example/1"
        #expect(!isTaken(twilio(bare, body, type: "application/json", signing: bare)), "nothing vouches for the body")
    }

    // MARK: Platform keys

    @Test("A platform key opens by its digest alone, and a bearer beside a signature decides")
    func platformKey() throws {
        let key = "lvng_plat_" + String(repeating: "0a", count: 24)
        let source = OpenSource(
            source: InboundSource(
                SourceRecord.sample.origin, secrets: [InboundSecret(Secret("signing"))],
                keyDigest: SHA256.digest(key.utf8)), scheme: .slack, recipe: nil, bodyLimit: 1, perMinute: 1,
            endsAt: nil, isLocked: false)
        let now = Timestamp(seconds: 0)
        let right = Arrival(url: "/", headers: ["authorization": "Bearer \(key)"], body: [])
        #expect(try source.judge(right, now: now).key == .platformKey)
        #expect(throws: Failure.wrongToken) {
            try source.judge(Arrival(url: "/", headers: ["x-api-key": key + "0"], body: []), now: now)
        }
        #expect(throws: Failure.missing("x-slack-signature")) {
            try source.judge(Arrival(url: "/", headers: [:], body: []), now: now)
        }
    }
}

extension Result {
    /// Whether it is a refusal, for whatever reason.
    fileprivate var isRefused: Bool { if case .failure = self { true } else { false } }
}
