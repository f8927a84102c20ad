internal import CMariaDB
import TimeKit

/// Lays bound values out for the client library, in memory that is used again by the next statement.
struct Parameters {
    private var memory: [UInt8] = []
    private var places: [Place] = []

    /// Memory kept from one statement to the next; a larger one gives its memory back.
    private static let keptCapacity = 65_536

    private struct Place {
        var type: enum_field_types
        var offset = 0
        var length = 0
        var isUnsigned = false
    }

    /// Lends the values as the library wants them, for as long as the closure runs.
    mutating func withBinds<Result>(
        of values: [SQLValue], _ body: (UnsafeMutableBufferPointer<MYSQL_BIND>) -> Result
    ) throws(DatabaseError) -> Result {
        memory.removeAll(keepingCapacity: memory.capacity <= Self.keptCapacity)
        places.removeAll(keepingCapacity: true)
        for value in values { try lay(value) }
        let places = places
        return unsafe memory.withUnsafeMutableBytes { memory in
            unsafe withUnsafeTemporaryAllocation(of: MYSQL_BIND.self, capacity: places.count) { binds in
                for (index, place) in places.enumerated() {
                    var bind = unsafe MYSQL_BIND()
                    unsafe bind.buffer_type = place.type
                    unsafe bind.buffer = memory.baseAddress.map { unsafe $0 + place.offset }
                    unsafe bind.buffer_length = UInt(place.length)
                    unsafe bind.length_value = UInt(place.length)
                    unsafe bind.is_unsigned = place.isUnsigned ? 1 : 0
                    unsafe binds.initializeElement(at: index, to: bind)
                }
                return unsafe body(binds)
            }
        }
    }

    private mutating func lay(_ value: SQLValue) throws(DatabaseError) {
        switch value {
        case .null: places.append(Place(type: MYSQL_TYPE_NULL))
        case .integer(let number): lay(number, MYSQL_TYPE_LONGLONG)
        case .unsigned(let number): lay(number, MYSQL_TYPE_LONGLONG, isUnsigned: true)
        case .real(let number): lay(number, MYSQL_TYPE_DOUBLE)
        case .decimal(let text), .text(let text): lay(text.utf8, MYSQL_TYPE_STRING)
        case .bytes(let bytes): lay(bytes, MYSQL_TYPE_BLOB)
        case .moment(let moment): try lay(moment)
        }
    }

    /// > The supported range is '0000-01-01 00:00:00.000000' to '9999-12-31 23:59:59.999999'.     DATETIME
    private mutating func lay(_ moment: Timestamp) throws(DatabaseError) {
        let parts = Calendar(moment)
        guard (1...9_999).contains(parts.year) else {
            throw DatabaseError(.other, "a moment outside the years 1 to 9999 cannot be stored")
        }
        var time = MYSQL_TIME()
        time.year = UInt32(parts.year)
        time.month = UInt32(parts.month)
        time.day = UInt32(parts.day)
        time.hour = UInt32(parts.hour)
        time.minute = UInt32(parts.minute)
        time.second = UInt32(parts.second)
        time.second_part = UInt(parts.microsecond)
        time.time_type = MYSQL_TIMESTAMP_DATETIME
        lay(time, MYSQL_TYPE_DATETIME)
    }

    private mutating func lay<Fixed: BitwiseCopyable>(
        _ value: Fixed, _ type: enum_field_types, isUnsigned: Bool = false
    ) {
        memory.append(contentsOf: repeatElement(0, count: (8 - memory.count % 8) % 8))
        var place = Place(type: type, isUnsigned: isUnsigned)
        place.offset = memory.count
        place.length = MemoryLayout<Fixed>.size
        unsafe withUnsafeBytes(of: value) { bytes in unsafe memory.append(contentsOf: bytes) }
        places.append(place)
    }

    private mutating func lay(_ bytes: some Collection<UInt8>, _ type: enum_field_types) {
        var place = Place(type: type)
        place.offset = memory.count
        place.length = bytes.count
        memory.append(contentsOf: bytes)
        places.append(place)
    }
}
