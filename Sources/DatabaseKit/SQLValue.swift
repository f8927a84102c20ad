import TimeKit

/// A value on its way into a statement or out of a row.
public enum SQLValue: Hashable, Sendable {
    /// NULL.
    case null
    /// Any whole number that fits 64 bits with a sign; truths are 0 and 1.
    case integer(Int64)
    /// A whole number above `Int64.max`.
    case unsigned(UInt64)
    /// FLOAT or DOUBLE.
    case real(Double)
    /// DECIMAL, digit by digit: what `SUM` and `AVG` give.
    case decimal(String)
    /// Any character column; JSON too.
    case text(String)
    /// BINARY, VARBINARY, BLOB or BIT.
    case bytes([UInt8])
    /// DATETIME, TIMESTAMP or DATE, in UTC.
    case moment(Timestamp)

    /// The kind, for errors: a value is never shown.
    var kind: String {
        switch self {
        case .null: "NULL"
        case .integer: "an integer"
        case .unsigned: "an unsigned integer"
        case .real: "a floating-point number"
        case .decimal: "a decimal"
        case .text: "text"
        case .bytes: "bytes"
        case .moment: "a moment"
        }
    }
}

/// A type that can be bound to a statement by interpolating it.
///
/// A `RawRepresentable` of a bindable raw value needs only to declare the conformance.
public protocol Bindable {
    /// What is sent for it.
    var bound: SQLValue { get }
}

/// A type that can be read from a column.
///
/// A `RawRepresentable` of a readable raw value needs only to declare the conformance.
public protocol Readable {
    /// The value of a column, or nil when it holds something else.
    init?(column: SQLValue)
}

extension Bindable where Self: RawRepresentable, RawValue: Bindable {
    /// The raw value's.
    public var bound: SQLValue { rawValue.bound }
}

extension Readable where Self: RawRepresentable, RawValue: Readable {
    /// From the raw value; nil when it is none of this type's.
    public init?(column: SQLValue) {
        guard let raw = RawValue(column: column) else { return nil }
        self.init(rawValue: raw)
    }
}

extension SQLValue: Bindable, Readable {
    /// Itself.
    public var bound: SQLValue { self }
    /// Itself.
    public init?(column: SQLValue) { self = column }
}

extension Optional: Bindable where Wrapped: Bindable {
    /// NULL for nil.
    public var bound: SQLValue { self?.bound ?? .null }
}

extension Optional: Readable where Wrapped: Readable {
    /// nil for NULL; another type is still refused.
    public init?(column: SQLValue) {
        if case .null = column {
            self = .none
        } else {
            guard let wrapped = Wrapped(column: column) else { return nil }
            self = .some(wrapped)
        }
    }
}

extension String: Bindable, Readable {
    /// Text in UTF-8.
    public var bound: SQLValue { .text(self) }
    /// Text, or a decimal digit by digit.
    public init?(column: SQLValue) {
        switch column {
        case .text(let text), .decimal(let text): self = text
        default: return nil
        }
    }
}

extension Bool: Bindable, Readable {
    /// 0 or 1.
    public var bound: SQLValue { .integer(self ? 1 : 0) }
    /// From exactly 0 or 1.
    public init?(column: SQLValue) {
        switch column {
        case .integer(0): self = false
        case .integer(1): self = true
        default: return nil
        }
    }
}

extension Double: Bindable, Readable {
    /// A DOUBLE.
    public var bound: SQLValue { .real(self) }
    /// From any number.
    public init?(column: SQLValue) {
        switch column {
        case .real(let number): self = number
        case .integer(let number): self = Double(number)
        case .unsigned(let number): self = Double(number)
        case .decimal(let digits): self.init(digits)
        default: return nil
        }
    }
}

extension Array: Bindable where Element == UInt8 {
    /// Bytes as they are.
    public var bound: SQLValue { .bytes(self) }
}

extension Array: Readable where Element == UInt8 {
    /// From a binary column only; text is read as text.
    public init?(column: SQLValue) {
        guard case .bytes(let bytes) = column else { return nil }
        self = bytes
    }
}

extension Timestamp: Bindable, Readable {
    /// A `DATETIME(6)` in UTC.
    public var bound: SQLValue { .moment(self) }
    /// From a DATETIME, TIMESTAMP or DATE.
    public init?(column: SQLValue) {
        guard case .moment(let moment) = column else { return nil }
        self = moment
    }
}

/// Whole numbers of any width share one way in and one way out, checked for their range.
extension FixedWidthInteger {
    /// A BIGINT, signed where it fits.
    public var bound: SQLValue { Int64(exactly: self).map { .integer($0) } ?? .unsigned(UInt64(self)) }
    /// From a whole number that fits; a decimal counts when it has no fraction.
    public init?(column: SQLValue) {
        switch column {
        case .integer(let number): self.init(exactly: number)
        case .unsigned(let number): self.init(exactly: number)
        case .decimal(let digits): self.init(digits)
        default: return nil
        }
    }
}

extension Int: Bindable, Readable {}
extension Int8: Bindable, Readable {}
extension Int16: Bindable, Readable {}
extension Int32: Bindable, Readable {}
extension Int64: Bindable, Readable {}
extension UInt: Bindable, Readable {}
extension UInt8: Bindable, Readable {}
extension UInt16: Bindable, Readable {}
extension UInt32: Bindable, Readable {}
extension UInt64: Bindable, Readable {}
