import Domain
import HTTPKit
import TimeKit

extension Input {
    /// A time from 1970 to 9999, which the database can keep and ids can be compared with; it may be left out.
    ///
    /// - Parameters:
    ///   - sentence: how it is written.
    ///   - read: reads it.
    mutating func moment(
        _ name: String, orSay sentence: String = "Write a time as 2027-01-31T00:00:00Z, of 1970 or later.",
        by read: (String) -> Timestamp? = { Timestamp(rfc3339: $0) }
    ) -> Timestamp? {
        parsed(name, orSay: sentence, 1...40) { text in
            guard let moment = read(text), Self.moments.contains(moment.seconds) else { return nil }
            return moment
        }
    }

    /// Seconds since 1970.
    private static let moments: Range<Int64> = 0..<253_402_300_800

    /// A kind of event, or all that begin alike; it may be left out.
    mutating func pattern(_ name: String) -> EventPattern? {
        parsed(name, orSay: "Write a name, custom.* or *.", 1...140) { EventPattern($0) }
    }
}
