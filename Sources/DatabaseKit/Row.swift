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
    public func get<Value: Readable>(_ column: String, as type: Value.Type = Value.self) throws(DatabaseError) -> Value
    {
        guard let index = columns.names.firstIndex(of: column) else {
            throw DatabaseError(.decoding, "the result has no column \(column), only \(columns.names)")
        }
        guard let value = Value(column: cells[index]) else {
            throw DatabaseError(.decoding, "column \(column) holds \(cells[index].kind), which is no \(Value.self)")
        }
        return value
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

    init(names: [String]) {
        self.names = names
    }
}
