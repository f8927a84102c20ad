internal import CMariaDB
import TimeKit

/// The memory rows arrive in, used again for each row and each run of a statement.
@safe final class Receiver {
    let columns: Columns
    private let shapes: [Shape]
    private let binds: UnsafeMutableBufferPointer<MYSQL_BIND>
    private let marks: UnsafeMutableBufferPointer<Mark>
    private let memory: UnsafeMutableRawBufferPointer

    /// The most that is kept ready for one cell; a longer one is fetched a second time, at its own length.
    private static let longestCell: UInt = 1_024

    /// What the library tells about one cell.
    private struct Mark {
        var length: UInt = 0
        var isNull: my_bool = 0
        var isTruncated: my_bool = 0
    }

    /// What a column was declared as.
    private struct Declared: Equatable {
        var type: enum_field_types.RawValue
        var flags: UInt32
        var charset: UInt32

        init(_ field: MYSQL_FIELD) {
            type = unsafe field.type.rawValue
            flags = unsafe field.flags
            charset = unsafe field.charsetnr
        }
    }

    private struct Shape {
        var declared: Declared
        var form: Form
        var offset: Int
        var capacity: UInt
    }

    private enum Form {
        case integer
        case unsigned
        case real
        case moment
        case decimal
        case text
        case bytes
    }

    /// Lays out memory for these columns.
    init(_ fields: UnsafeBufferPointer<MYSQL_FIELD>) {
        columns = unsafe Columns(names: fields.map { unsafe String(cString: $0.name) })
        var size = 0
        shapes = unsafe fields.map { field in
            let form = unsafe Self.form(of: field)
            let capacity = unsafe Self.capacity(of: form, declaredLength: field.length)
            defer { size += (Int(capacity) + 7) & ~7 }
            return unsafe Shape(declared: Declared(field), form: form, offset: size, capacity: capacity)
        }
        unsafe memory = .allocate(byteCount: max(size, 8), alignment: 8)
        unsafe binds = .allocate(capacity: fields.count)
        unsafe marks = .allocate(capacity: fields.count)
        unsafe binds.initialize(repeating: MYSQL_BIND())
        unsafe marks.initialize(repeating: Mark())
        for (index, shape) in shapes.enumerated() {
            unsafe binds[index].buffer = memory.baseAddress.map { unsafe $0 + shape.offset }
            unsafe prepare(&binds[index], index, shape)
        }
    }

    deinit {
        unsafe memory.deallocate()
        unsafe binds.deallocate()
        unsafe marks.deallocate()
    }

    /// Whether the columns are still the ones this memory was laid out for.
    func fits(_ fields: UnsafeBufferPointer<MYSQL_FIELD>) -> Bool {
        guard fields.count == shapes.count else { return false }
        return unsafe zip(shapes, fields).allSatisfy { shape, field in unsafe shape.declared == Declared(field) }
    }

    /// Tells the library where cells go; false when it refuses.
    func bind(to statement: UnsafeMutablePointer<MYSQL_STMT>) -> Bool {
        unsafe mysql_stmt_bind_result(statement, binds.baseAddress) == 0
    }

    /// The cells of the row that was just fetched; nil when a long cell could not be fetched.
    func cells(of statement: UnsafeMutablePointer<MYSQL_STMT>) -> [SQLValue]? {
        var cells: [SQLValue] = []
        cells.reserveCapacity(shapes.count)
        for (index, shape) in shapes.enumerated() {
            guard let cell = unsafe cell(index, shape, of: statement) else { return nil }
            cells.append(cell)
        }
        return cells
    }

    private func cell(_ index: Int, _ shape: Shape, of statement: UnsafeMutablePointer<MYSQL_STMT>) -> SQLValue? {
        if unsafe marks[index].isNull != 0 { return .null }
        guard let place = unsafe memory.baseAddress.map({ unsafe $0 + shape.offset }) else { return nil }
        switch shape.form {
        case .integer: return unsafe .integer(place.load(as: Int64.self))
        case .unsigned:
            let number = unsafe place.load(as: UInt64.self)
            return Int64(exactly: number).map { .integer($0) } ?? .unsigned(number)
        case .real: return unsafe .real(place.load(as: Double.self))
        case .moment: return unsafe Self.moment(place.load(as: MYSQL_TIME.self))
        case .decimal, .text, .bytes:
            let length = unsafe marks[index].length
            if length <= shape.capacity {
                return unsafe Self.value(shape.form, UnsafeRawBufferPointer(start: place, count: Int(length)))
            }
            return unsafe longCell(index, shape, length, of: statement)
        }
    }

    private func longCell(
        _ index: Int, _ shape: Shape, _ length: UInt, of statement: UnsafeMutablePointer<MYSQL_STMT>
    ) -> SQLValue? {
        let whole = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(length), alignment: 1)
        defer { unsafe whole.deallocate() }
        var bind = unsafe MYSQL_BIND()
        unsafe prepare(&bind, index, shape)
        unsafe bind.buffer = whole.baseAddress
        unsafe bind.buffer_length = length
        guard unsafe mysql_stmt_fetch_column(statement, &bind, UInt32(index), 0) == 0 else { return nil }
        return unsafe Self.value(shape.form, UnsafeRawBufferPointer(whole))
    }

    private func prepare(_ bind: inout MYSQL_BIND, _ index: Int, _ shape: Shape) {
        unsafe bind.buffer_type =
            switch shape.form {
            case .integer, .unsigned: MYSQL_TYPE_LONGLONG
            case .real: MYSQL_TYPE_DOUBLE
            case .moment: MYSQL_TYPE_DATETIME
            case .decimal, .text: MYSQL_TYPE_STRING
            case .bytes: MYSQL_TYPE_BLOB
            }
        unsafe bind.is_unsigned = shape.form == .unsigned ? 1 : 0
        unsafe bind.buffer_length = shape.capacity
        guard let mark = unsafe marks.baseAddress.map({ unsafe $0 + index }) else { return }
        unsafe bind.length = unsafe mark.pointer(to: \.length)
        unsafe bind.is_null = unsafe mark.pointer(to: \.isNull)
        unsafe bind.error = unsafe mark.pointer(to: \.isTruncated)
    }
}

extension Receiver {
    /// Character set 63 is "binary": bytes, not characters.
    private static let binaryCharset: UInt32 = 63

    private static func form(of field: MYSQL_FIELD) -> Form {
        switch unsafe field.type {
        case MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_INT24, MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_YEAR:
            return unsafe field.flags & UInt32(UNSIGNED_FLAG) != 0 ? .unsigned : .integer
        case MYSQL_TYPE_FLOAT, MYSQL_TYPE_DOUBLE: return .real
        case MYSQL_TYPE_DATETIME, MYSQL_TYPE_TIMESTAMP, MYSQL_TYPE_DATE: return .moment
        case MYSQL_TYPE_DECIMAL, MYSQL_TYPE_NEWDECIMAL: return .decimal
        // TIME has the binary character set too, and is read as text.
        case MYSQL_TYPE_TIME: return .text
        default: return unsafe field.charsetnr == binaryCharset ? .bytes : .text
        }
    }

    private static func capacity(of form: Form, declaredLength: UInt) -> UInt {
        switch form {
        case .integer, .unsigned, .real: 8
        case .moment: UInt(MemoryLayout<MYSQL_TIME>.size)
        case .decimal, .text, .bytes: min(max(declaredLength, 32), longestCell)
        }
    }

    /// A date that no calendar has, such as year 0, is given as text, so that reading it as a moment is refused.
    private static func moment(_ time: MYSQL_TIME) -> SQLValue {
        let parts = Calendar(
            year: Int(time.year), month: Int(time.month), day: Int(time.day), hour: Int(time.hour),
            minute: Int(time.minute), second: Int(time.second), microsecond: Int(time.second_part))
        return parts.timestamp.map { .moment($0) } ?? .text("\(time.year)-\(time.month)-\(time.day)")
    }

    private static func value(_ form: Form, _ bytes: UnsafeRawBufferPointer) -> SQLValue {
        switch form {
        case .bytes: unsafe .bytes([UInt8](bytes))
        case .decimal: unsafe .decimal(String(decoding: bytes, as: UTF8.self))
        default: unsafe .text(String(decoding: bytes, as: UTF8.self))
        }
    }
}
