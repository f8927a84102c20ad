/// A statement whose interpolated values are bound, never pasted.
///
/// ```swift
/// try database.rows("""
///     SELECT id, name
///       FROM api_keys
///      WHERE account_id = \(account) AND state IN (\(list: states))
///     """)
/// ```
/// Statements are prepared once per connection and kept by their text, so values must never become part of the text.
public struct SQL: ExpressibleByStringInterpolation, Sendable {
    /// The text with a `?` for each bound value.
    public let text: String
    /// The bound values in the order of their `?`.
    public let values: [SQLValue]

    /// A statement that binds nothing.
    public init(stringLiteral text: String) {
        self.text = text
        values = []
    }

    init(text: String, values: [SQLValue]) {
        self.text = text
        self.values = values
    }

    /// Whether it only reads, as far as its first word tells.
    var isSelect: Bool { text.hasPrefix("SELECT") }

    /// What the compiler has gathered.
    public init(stringInterpolation: StringInterpolation) {
        text = stringInterpolation.text
        values = stringInterpolation.values
    }

    /// Gathers the text and what it binds.
    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""
        fileprivate var values: [SQLValue] = []

        /// Room for a statement of this size.
        public init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount)
            values.reserveCapacity(interpolationCount)
        }

        /// The programmer's own words.
        public mutating func appendLiteral(_ literal: String) {
            text += literal
        }

        /// Binds a value.
        public mutating func appendInterpolation(_ value: some Bindable) {
            text += "?"
            values.append(value.bound)
        }

        /// Binds a value, or NULL for nil.
        public mutating func appendInterpolation<Value: Bindable>(_ value: Value?) {
            text += "?"
            values.append(value.bound)
        }

        /// Binds several values, `?, ?, ?`.
        ///
        /// None gives `NULL`: `IN (NULL)` finds nothing, but neither does `NOT IN (NULL)`. Each length is a statement
        /// of its own for the cache, so keep lists short or of few lengths.
        public mutating func appendInterpolation<Value: Bindable>(list: some Collection<Value>) {
            guard !list.isEmpty else { return text += "NULL" }
            text += repeatElement("?", count: list.count).joined(separator: ", ")
            values.append(contentsOf: list.map(\.bound))
        }

        /// Takes in another statement, text and bound values, such as a condition that is not always there.
        public mutating func appendInterpolation(_ part: SQL) {
            text += part.text
            values.append(contentsOf: part.values)
        }

        /// Pastes text as it is: only for what the program itself wrote, never for anything that came from outside.
        public mutating func appendInterpolation(unescaped text: String) {
            self.text += text
        }
    }
}
