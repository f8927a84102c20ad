/// Comma-separated values (RFC 4180), safe to open in a spreadsheet.
public enum CSV {
    /// One line, its line break included.
    ///
    /// A cell that a spreadsheet would take for a formula is led by an apostrophe (OWASP: CSV injection).
    public static func line(_ cells: [String]) -> [UInt8] {
        Array((cells.map(cell).joined(separator: ",") + "\r\n").utf8)
    }

    private static func cell(_ text: String) -> String {
        let isFormula = text.unicodeScalars.first.map { "=+-@\t\r\n\0＝＋－＠".unicodeScalars.contains($0) } ?? false
        let safe = (isFormula ? "'" : "") + text.replacing("\0", with: "")
        guard safe.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return safe }
        return "\"" + safe.replacing("\"", with: "\"\"") + "\""
    }
}

extension Response {
    /// A streamed table.
    public static func csv(
        _ head: [String], named name: String, rows: @escaping @Sendable (([String]) throws -> Void) throws -> Void
    )
        -> Response
    {
        Response(
            headers: [
                "content-type": "text/csv; charset=utf-8",
                "content-disposition": "attachment; filename=\"\(name).csv\"",
            ],
            body: .stream { write in
                try write(CSV.line(head))
                try rows { try write(CSV.line($0)) }
            })
    }
}
