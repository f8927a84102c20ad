import Testing
import TimeKit

@testable import ClientKit

@Suite struct RetryAfterTests {
    /// Sunday, 06 November 1994, 08:49:37: the example of RFC 9110 §5.6.7.
    private static let now = Timestamp(seconds: 784_111_777)

    @Test(
        "Seconds, a fraction too, and the preferred form of a date are understood (RFC 9110 §10.2.3, §5.6.7)",
        arguments: [
            ("120", 120), ("0", 0), ("1.5", 1.5), ("Sun, 06 Nov 1994 08:50:37 GMT", 60),
        ] as [(String, Double)])
    func understood(value: String, seconds: Double) {
        #expect(RetryAfter.wait(value, now: Self.now) == .milliseconds(Int64(seconds * 1_000)))
    }

    @Test(
        "What lies in the past asks for no wait, and nothing asks for ever",
        arguments: ["-5", "Sun, 06 Nov 1994 08:00:00 GMT", "999999999999", "1e300"])
    func bounded(value: String) {
        let wait = RetryAfter.wait(value, now: Self.now)
        #expect(wait.map { $0 >= .zero && $0 <= .seconds(1_000_000) } == true)
    }

    @Test(
        "Anything else is no wait",
        arguments: ["", "soon", "nan", "inf", "-inf", "10 minutes", "Sun, 06 Nov 1994", "1994-11-06"]
    )
    func refused(value: String) { #expect(RetryAfter.wait(value, now: Self.now) == nil) }
}
