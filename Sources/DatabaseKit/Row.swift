import Synchronization

/// One row of a result.
///
/// ```swift
/// Key(id: try row.get("id"), name: try row.get("name"), lastUsed: try row.get("last_used_at"))
/// ```
public struct Row: Sendable {
    private let columns: Columns
    private let cells: [SQLValue]

    init(columns: Columns, cells: [SQLValue]) {
        self.columns = columns
        self.cells = cells
    }

    /// The value of a column as the type that is asked for; an optional type takes NULL.
    ///
    /// A column that is missing or holds something else throws ``DatabaseError/Code/decoding`` and names the column.
    ///
    /// Inlinable, so that a store's rows are read without a look at what `Value` is.
    @inlinable
    public func get<Value: Readable>(_ column: String, as type: Value.Type = Value.self) throws(DatabaseError) -> Value
    {
        let cell = try cell(column)
        guard let value = Value(column: cell) else { throw Self.mismatch(column, cell, "\(Value.self)") }
        return value
    }

    /// What a column holds.
    @usableFromInline
    func cell(_ column: String) throws(DatabaseError) -> SQLValue {
        guard let index = columns.index(of: column) else {
            throw DatabaseError(.decoding, "the result has no column \(column), only \(columns.names)")
        }
        return cells[index]
    }

    @usableFromInline
    static func mismatch(_ column: String, _ cell: SQLValue, _ wanted: String) -> DatabaseError {
        DatabaseError(.decoding, "column \(column) holds \(cell.kind), which is no \(wanted)")
    }

    /// The value of the first column, for statements that ask for one thing only.
    public func first<Value: Readable>(as type: Value.Type = Value.self) throws(DatabaseError) -> Value {
        guard let name = columns.names.first else { throw DatabaseError(.decoding, "the result has no columns") }
        return try get(name)
    }

    /// The names of the columns in their order.
    public var names: [String] { columns.names }
}

/// The columns of a result, shared by its rows.
final class Columns: Sendable {
    let names: [String]
    /// The place after the column that was found last.
    private let next = Atomic(0)

    init(names: [String]) {
        self.names = names
    }

    /// Where a column stands.
    ///
    /// Stores read the columns of a row in the order of their statement, so the first that is looked at is mostly it.
    func index(of name: String) -> Int? {
        let start = min(next.load(ordering: .relaxed), names.count)
        let found =
            names[start...].firstIndex(of: name) ?? names[..<start].firstIndex(of: name)
        if let found { next.store(found + 1, ordering: .relaxed) }
        return found
    }
}
