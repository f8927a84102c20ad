import TimeKit

/// A JSON value (RFC 8259); members of an object keep their order.
public enum JSON: Sendable, Equatable {
    /// `null`
    case null
    /// `true` or `false`
    case bool(Bool)
    /// A number without fraction or exponent that fits 64 bits.
    case integer(Int64)
    /// Any other number.
    case number(Double)
    /// A string.
    case string(String)
    /// An array.
    case array([JSON])
    /// An object.
    case object([Member])

    /// A name and its value.
    public struct Member: Sendable, Equatable {
        /// The name.
        public let name: String
        /// The value.
        public let value: JSON

        /// A name and its value.
        public init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }

    /// A string, or `null` for nil.
    public init(_ text: String?) { self = text.map(JSON.string) ?? .null }
    /// A time in RFC 3339 with milliseconds, or `null` for nil.
    public init(_ moment: Timestamp?) { self = moment.map { .string($0.rfc3339) } ?? .null }
    /// An integer, held within 64 bits, or `null` for nil.
    public init(_ number: (some BinaryInteger)?) { self = number.map { .integer(Int64(clamping: $0)) } ?? .null }

    /// The value of a member, nil for another kind or a missing one.
    public subscript(name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The element at a place, nil for another kind or beyond the end.
    public subscript(index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// The text of a string, nil for another kind.
    public var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The truth of a bool, nil for another kind.
    public var truth: Bool? {
        guard case .bool(let truth) = self else { return nil }
        return truth
    }

    /// The whole number, nil for another kind.
    public var wholeNumber: Int64? {
        guard case .integer(let number) = self else { return nil }
        return number
    }

    /// The elements of an array, nil for another kind.
    public var elements: [JSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The members of an object, nil for another kind.
    public var members: [Member]? {
        guard case .object(let members) = self else { return nil }
        return members
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral, ExpressibleByStringInterpolation
{
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A truth.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An array.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// An object, its members in the order written.
    public init(dictionaryLiteral elements: (String, JSON)...) { self = .object(elements.map { Member($0.0, $0.1) }) }
    /// `null`
    public init(nilLiteral: ()) { self = .null }
}
