import TimeKit

/// The fields by which an answer tells of limits (draft-ietf-httpapi-ratelimit-headers-10; RFC 9651 for the grammar).
///
/// > RateLimit-Policy: "permin";q=50;w=60,"perhr";q=1000;w=3600
/// > RateLimit: "permin";r=20;t=23     §4.1, §5.1
public enum LimitFields {
    /// The type of the problem that a refused caller is told of (§6.1 of the draft).
    public static let problemType = "https://iana.org/assignments/http-problem-types#quota-exceeded"
    /// The largest Integer of structured fields.
    ///
    /// > Integers have a range of -999,999,999,999,999 to 999,999,999,999,999 inclusive     RFC 9651 §3.3.1
    static let largest = 999_999_999_999_999

    /// The value of `RateLimit-Policy`; nil without quotas, since the list must not be empty.
    public static func policy(_ quotas: some Collection<Quota>) -> String? {
        list(quotas) { "\(quoted($0.name));q=\(min($0.limit, largest));w=\($0.window.seconds)" }
    }

    /// The value of `RateLimit`; nil when the verdict speaks of no quota.
    public static func limit(_ verdict: LimitVerdict) -> String? {
        list(verdict.standings) {
            "\(quoted($0.quota.name));r=\(min($0.remaining, largest));t=\(seconds($0.resetsIn))"
        }
    }

    /// The value of `Retry-After` in seconds, no earlier than the `t` of any quota that refused; nil when it was taken.
    public static func retryAfter(_ verdict: LimitVerdict) -> Int? {
        verdict.retryAfter.map { max(1, seconds($0)) }
    }

    /// Whole seconds, rounded up: who comes back after so long does not come too early.
    private static func seconds(_ duration: Duration) -> Int {
        Int((duration.microseconds + 999_999) / 1_000_000)
    }

    private static func list<Member>(_ members: some Collection<Member>, _ item: (Member) -> String) -> String? {
        members.isEmpty ? nil : members.map(item).joined(separator: ",")
    }

    /// A String of structured fields (RFC 9651 §4.1.6); what it cannot hold is left out.
    private static func quoted(_ name: String) -> String {
        var text = "\""
        for scalar in name.unicodeScalars where (0x20...0x7e).contains(scalar.value) {
            if scalar == "\"" || scalar == "\\" { text.unicodeScalars.append("\\") }
            text.unicodeScalars.append(scalar)
        }
        return text + "\""
    }
}
