import Testing

@testable import TimeKit

@Suite struct Calendars {
    @Test(
        "Known days have their known counts and weekdays",
        arguments: [
            (1970, 1, 1, 0, 4), (1969, 12, 31, -1, 3), (2000, 2, 29, 11_016, 2), (2000, 3, 1, 11_017, 3),
            (1900, 3, 1, -25_508, 4),
            (1600, 2, 29, -135_081, 2), (2026, 11, 21, 20_778, 6), (1, 1, 1, -719_162, 1), (9999, 12, 31, 2_932_896, 5),
            (0, 3, 1, -719_468, 3), (2038, 1, 19, 24_855, 2),
        ])
    func known(year: Int, month: Int, day: Int, count: Int64, weekday: Int) {
        let fields = Calendar(year: year, month: month, day: day)
        #expect(fields.timestamp == Timestamp(seconds: count * 86_400))
        #expect(fields.weekday == weekday)
        #expect(Calendar(Timestamp(seconds: count * 86_400)) == fields)
    }

    @Test("Every day of the years 1583 to 2600 follows the one before, by an independent count")
    func everyDay() {
        var moment = Calendar(year: 1583, month: 1, day: 1).timestamp ?? Timestamp(seconds: 0)
        for year in 1583...2600 {
            let isLeap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0
            for (month, days) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
                for day in [1, days] {
                    let expected = moment + .days(day - 1)
                    #expect(Calendar(expected) == Calendar(year: year, month: month + 1, day: day))
                }
                moment = moment + .days(days)
            }
        }
    }

    @Test("A moment taken apart and put together is the same moment")
    func roundTrip() {
        for _ in 0..<20_000 {
            let moment = Timestamp(microseconds: .random(in: -377_705_116_800_000_000...253_402_300_799_999_999))
            #expect(Calendar(moment).timestamp == moment)
        }
    }

    @Test("Days and times that do not exist name no moment")
    func impossible() {
        for (year, month, day) in [
            (2026, 2, 29), (1900, 2, 29), (2100, 2, 29), (2026, 4, 31), (2026, 0, 1), (2026, 13, 1), (2026, 1, 0),
            (2026, 1, 32), (10_000, 1, 1),
            (-10_000, 1, 1), (Int.max, 1, 1), (Int.min, 1, 1), (2026, Int.max, 1), (2026, 1, Int.min),
        ] {
            #expect(Calendar(year: year, month: month, day: day).timestamp == nil)
        }
        for (hour, minute, second, fraction) in [
            (24, 0, 0, 0), (-1, 0, 0, 0), (0, 60, 0, 0), (0, 0, 60, 0), (0, 0, 0, 1_000_000), (0, 0, Int.max, 0),
        ] {
            let fields = Calendar(
                year: 2026, month: 1, day: 1, hour: hour, minute: minute, second: second, microsecond: fraction)
            #expect(fields.timestamp == nil)
        }
    }
}

@Suite struct Moments {
    @Test("The ends of what can be counted are taken apart and printed without a trap")
    func ends() {
        #expect(Calendar(Timestamp(microseconds: .min)).year == -290_308)
        #expect(Calendar(Timestamp(microseconds: .max)).year == 294_247)
        #expect(!Timestamp(microseconds: .min).rfc3339.isEmpty && !Timestamp(microseconds: .max).httpDate.isEmpty)
    }

    @Test("A sum beyond the range is held at its end")
    func saturation() {
        let (first, last) = (Timestamp(microseconds: .min), Timestamp(microseconds: .max))
        #expect(Timestamp.now() + .days(.max) == last && Timestamp(seconds: -9) - .days(.max) == first)
        #expect(Timestamp(seconds: -9) + .days(.min) == first && Timestamp.now() - .days(.min) == last)
        #expect(last + .microseconds(1) == last && first - .microseconds(1) == first)
        #expect(Timestamp(seconds: .max) == last && Timestamp(seconds: .min) == first)
        #expect(
            last - first > .days(213_000_000) && (last - first).microseconds == .max && (first - last).milliseconds < 0)
        #expect(Duration.hours(.max).milliseconds == .max && Duration.minutes(.min).microseconds == .min)
    }

    @Test("Parts of a second are rounded down on both sides of 1970")
    func rounding() {
        let before = Timestamp(microseconds: -1)
        #expect(before.seconds == -1 && before.milliseconds == -1 && before.rfc3339 == "1969-12-31T23:59:59.999Z")
        #expect(before.sql == "1969-12-31 23:59:59.999999")
        #expect(
            (Timestamp(seconds: 0) - before).microseconds == 1 && Duration.milliseconds(-1_500).milliseconds == -1_500)
    }

    @Test("The three ways of writing a moment")
    func formats() {
        let moment = Timestamp(microseconds: 1_795_260_245_120_034)
        #expect(moment.rfc3339 == "2026-11-21T11:24:05.120Z")
        #expect(moment.sql == "2026-11-21 11:24:05.120034")
        #expect(moment.httpDate == "Sat, 21 Nov 2026 11:24:05 GMT")
        #expect(Timestamp(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT") == Timestamp(seconds: 784_111_777))
    }

    @Test("What is written is read back, to the precision written")
    func roundTrips() {
        for _ in 0..<5_000 {
            let moment = Timestamp(microseconds: .random(in: -62_167_219_200_000_000...253_402_300_799_999_999))
            #expect(Timestamp(rfc3339: moment.rfc3339)?.milliseconds == moment.milliseconds)
            #expect(Timestamp(httpDate: moment.httpDate)?.seconds == moment.seconds)
        }
    }

    @Test(
        "RFC 3339 is read with any offset and fraction",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01t00:00:00z", 0), ("1970-01-01 00:00:00Z", 0),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T19:00:00-05:00", 0), ("1970-01-01T00:00:00.000001Z", 1),
            ("1970-01-01T00:00:00.123456789Z", 123_456),
            ("1970-01-01T00:00:00.5Z", 500_000), ("1970-01-01T00:00:00-00:00", 0), ("1970-01-01T23:59:00+23:59", 0),
        ] as [(String, Int64)])
    func offsets(text: String, microseconds: Int64) {
        #expect(Timestamp(rfc3339: text) == Timestamp(microseconds: microseconds))
    }

    @Test(
        "Anything else is no RFC 3339",
        arguments: [
            "", "1970-01-01", "1970-01-01T00:00:00", "1970-1-01T00:00:00Z", "1970-01-01T00:00Z",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00.1234567890Z", "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+01:60",
            "1970-01-01T00:00:00+0100",
            "1970-01-01T00:00:00Z ", " 1970-01-01T00:00:00Z", "1970-02-30T00:00:00Z", "1970-01-01T00:00:60Z",
            "+970-01-01T00:00:00Z",
            "１９７０-01-01T00:00:00Z", "19700101T000000Z", "1970-01-01T00:00:00ZZ",

        ])
    func foreign(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test(
        "Anything else is no date of HTTP",
        arguments: [
            "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov +994 08:49:37 GMT",
            "Sun,  06 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
        ])
    func foreignDate(text: String) {
        #expect(Timestamp(httpDate: text) == nil)
    }
}
