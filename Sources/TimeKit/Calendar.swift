/// A moment taken apart in the proleptic Gregorian calendar, in UTC.
public struct Calendar: Hashable, Sendable {
    /// The year, such as 2026.
    public var year: Int
    /// 1 to 12.
    public var month: Int
    /// 1 to 31.
    public var day: Int
    /// 0 to 23.
    public var hour: Int
    /// 0 to 59.
    public var minute: Int
    /// 0 to 59; leap seconds are not known to POSIX time.
    public var second: Int
    /// 0 to 999 999.
    public var microsecond: Int

    /// Fields as given, unchecked; ``timestamp`` checks them.
    public init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, microsecond: Int = 0)
    {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.microsecond = microsecond
    }

    /// The fields of a moment.
    ///
    /// Days are counted from 0000-03-01, so that the leap day is the last of its year and needs no special case.
    public init(_ moment: Timestamp) {
        let days = Self.floorDivide(moment.microseconds, 86_400_000_000)
        let remainder = moment.microseconds % 86_400_000_000
        let rest = remainder < 0 ? remainder + 86_400_000_000 : remainder
        let shifted = days + 719_468
        let era = Self.floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.init(
            year: Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0), month: Int(month),
            day: Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1),
            hour: Int(rest / 3_600_000_000), minute: Int(rest / 60_000_000 % 60), second: Int(rest / 1_000_000 % 60),
            microsecond: Int(rest % 1_000_000))
    }

    /// The moment these fields name, or nil when there is no such day or time.
    public var timestamp: Timestamp? {
        guard (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...59).contains(second), (0...999_999).contains(microsecond),
            (-9999...9999).contains(year)
        else { return nil }
        let seconds = daysSince1970 * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
        return Timestamp(microseconds: seconds * 1_000_000 + Int64(microsecond))
    }

    /// 0 for Sunday to 6 for Saturday, of fields that name a day.
    var weekday: Int {
        let remainder = (daysSince1970 + 4) % 7
        return Int(remainder < 0 ? remainder + 7 : remainder)
    }

    private var daysSince1970: Int64 {
        let shiftedYear = Int64(month <= 2 ? year - 1 : year)
        let era = Self.floorDivide(shiftedYear, 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }
}
