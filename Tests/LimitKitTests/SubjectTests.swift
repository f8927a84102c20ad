import Testing
import TimeKit

@testable import LimitKit

@Suite("Subjects and fields")
struct SubjectTests {
    private func address(_ text: String) -> LimitSubject { LimitSubject(address: text, for: "sign-in") }

    @Test("All addresses of a /64 count as one, however they are written, and others do not")
    func networks() {
        for pair in [
            ("2001:db8:1:2::5", "2001:db8:1:2:a:b:c:d"), ("2001:db8::5", "2001:db8::6"),
            ("2001:db8::5", "2001:db8:0:0:1:2:3:4"), ("::1", "::2"), ("fe80::1%eth0", "fe80::ffff:1"),
            ("2001:DB8::1", "2001:db8::2"), ("::ffff:203.0.113.1", "203.0.113.1"), ("::ffff:cb00:7101", "203.0.113.1"),
            ("unix:", "@"), ("1::2::3", "12345::"), ("1.2.3.256", "::::::::::::"), ("+1.2.3.4", "::+1"),
        ] { #expect(address(pair.0) == address(pair.1), "\(pair)") }
        for pair in [
            ("2001:db8:1:2::5", "2001:db8:1:3::5"), ("2001:db8::5", "2001:db9::5"), ("203.0.113.1", "203.0.113.2"),
            ("::ffff:203.0.113.1", "::ffff:203.0.113.2"), ("1::", "2::"), ("unix:", "::1"), ("1.2.3.4", "unix:"),
        ] { #expect(address(pair.0) != address(pair.1), "\(pair)") }
    }

    @Test("A subject is of its kind, and the same after its bytes were read")
    func kinds() {
        let id = Array(UInt8(1)...16)
        #expect(LimitSubject("key", id) != LimitSubject("account", id) && !LimitSubject("key", id).isAddress)
        #expect(LimitSubject("key", id) != LimitSubject("key", [UInt8](2...17)))
        #expect(LimitSubject(address: "1.2.3.4", for: "a") != LimitSubject(address: "1.2.3.4", for: "b"))
        #expect(address("1.2.3.4").isAddress && address("").isAddress)
        for subject in [LimitSubject("key", id), address("::1")] {
            #expect(LimitSubject(bytes: subject.bytes) == subject && subject.bytes.count == 16)
        }
        #expect(LimitSubject(bytes: [1]) == nil)
        #expect(Set((0...255).map { LimitSubject("key", [UInt8($0)]) }).count == 256)
        let bits = (0..<64).map { bit in
            LimitSubject("key", (0..<8).map { $0 == bit / 8 ? UInt8(1) << UInt8(bit % 8) : 0 })
        }
        #expect(Set(bits).count == 64)
    }

    @Test("The fields are written as the draft has them")
    func fields() throws {
        let limiter = try Folder().limiter()
        let quotas = [Quota.minute(60), .hour(1_000), .day(.max)]
        #expect(
            LimitFields.policy(quotas)
                == #""minute";q=60;w=60,"hour";q=1000;w=3600,"day";q=999999999999999;w=86400"#)
        let now = Timestamp(seconds: 1_700_000_000)
        let verdict = limiter.take(60, from: quotas, of: address("::1"), at: now)
        #expect(
            LimitFields.limit(verdict)
                == #""minute";r=0;t=61,"hour";r=940;t=3601,"day";r=999999999999999;t=86410"#)
        #expect(LimitFields.retryAfter(verdict) == nil)
        let refused = limiter.take(from: quotas, of: address("::1"), at: now + .seconds(18))
        #expect(LimitFields.limit(refused)?.hasPrefix(#""minute";r=0;t=43,"#) == true)
        #expect(LimitFields.retryAfter(refused) == 43)
        #expect(LimitFields.policy([]) == nil)
        #expect(LimitFields.policy([Quota(name: "a\"\\ü\n", limit: -1, window: .day)]) == #""a\"\\";q=0;w=86400"#)
    }
}
