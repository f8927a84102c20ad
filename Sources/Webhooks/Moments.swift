import HTTPKit
import TimeKit

extension Input {
    /// A time from 1970 to 9999, which the database can keep and ids can be compared with; it may be left out.
    mutating func moment(_ name: String) -> Timestamp? {
        parsed(name, orSay: "Write a time as 2027-01-31T00:00:00Z, of 1970 or later.", 1...40) { text in
            guard let moment = Timestamp(rfc3339: text), Self.moments.contains(moment.seconds) else { return nil }
            return moment
        }
    }

    /// Seconds since 1970.
    private static let moments: Range<Int64> = 0..<253_402_300_800
}
