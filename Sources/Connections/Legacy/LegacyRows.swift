import JSONKit
import TimeKit

/// Why a file of a former system cannot be read at all.
public struct LegacyFileError: Error, Equatable, CustomStringConvertible {
    /// One sentence, without anything of the file's content.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// A row of a former system's table, as its dump has it.
struct LegacyRow: Sendable {
    /// Where it stands: `line 3`, or `row 3` of a JSON array.
    let place: String
    /// Its columns; nil when the row cannot be read.
    let members: [String: JSON]?

    /// The text of a column; nil for NULL and for what is empty.
    func text(_ name: String) -> String? {
        members?[name]?.plainText.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The object of a JSON column, which a dump may hold as text; nil for NULL.
    ///
    /// - Throws: ``LegacyRefusal`` when something else stands there, which must not be lost unseen.
    func object(_ name: String) throws(LegacyRefusal) -> [JSON.Member]? {
        guard let value = members?[name], value != .null, value.text?.isEmpty != true else { return nil }
        let read = value.text.flatMap { try? JSON(parsing: Array($0.utf8)) } ?? value
        guard let members = read.members else {
            if read == .null { return nil }
            throw LegacyRefusal("its \(name) is no JSON object.")
        }
        return members
    }

    /// A truth in any of the forms that dumps have.
    func truth(_ name: String) -> Bool? {
        switch text(name)?.lowercased() {
        case "true", "t", "1", "yes": true
        case "false", "f", "0", "no": false
        default: nil
        }
    }

    /// A moment in any of the forms that dumps have.
    func moment(_ name: String) -> Timestamp? { members?[name].flatMap { Timestamp(legacy: $0) } }
}

/// The rows of a file: JSON lines, a JSON array, or CSV with a header as PostgreSQL's `COPY … CSV HEADER` writes it.
enum LegacyRows {
    private static let limits = (bytes: 67_108_864, rows: 100_000)

    /// - Throws: ``LegacyFileError`` when the file as a whole makes no sense; a broken row only breaks itself.
    static func read(_ bytes: [UInt8]) throws(LegacyFileError) -> [LegacyRow] {
        guard bytes.count <= limits.bytes else { throw LegacyFileError("The file is larger than 64 MiB: split it.") }
        let bytes = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
        let rows: [LegacyRow]
        switch bytes.first(where: { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }) {
        case nil: rows = []
        case UInt8(ascii: "["): rows = try array(bytes)
        case UInt8(ascii: "{"): rows = lines(bytes)
        default: rows = try DelimitedText.rows(bytes)
        }
        guard rows.count <= limits.rows else { throw LegacyFileError("The file has more than 100 000 rows: split it.") }
        return rows
    }

    private static func array(_ bytes: [UInt8]) throws(LegacyFileError) -> [LegacyRow] {
        guard let elements = (try? JSON(parsing: bytes))?.elements else {
            throw LegacyFileError("The file begins like a JSON array and is none.")
        }
        return elements.enumerated().map { LegacyRow(place: "row \($0.offset + 1)", members: columns($0.element)) }
    }

    private static func lines(_ bytes: [UInt8]) -> [LegacyRow] {
        if let whole = try? JSON(parsing: bytes) { return [LegacyRow(place: "row 1", members: columns(whole))] }
        return bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated().compactMap { index, line in
            guard line.contains(where: { ![0x20, 0x09, 0x0d].contains($0) }) else { return nil }
            let value = try? JSON(parsing: Array(line))
            return LegacyRow(place: "line \(index + 1)", members: value.flatMap(columns))
        }
    }

    /// The columns of a row; of one that Django's `dumpdata` wrote its fields, with the model's name beside them.
    private static func columns(_ row: JSON) -> [String: JSON]? {
        guard let members = row.members else { return nil }
        var columns = Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first }
        for field in columns["fields"]?.members ?? [] { columns[field.name] = columns[field.name] ?? field.value }
        return columns
    }
}

/// CSV (RFC 4180) with a header; an empty cell without quotes is NULL, as PostgreSQL means it.
enum DelimitedText {
    static func rows(_ bytes: [UInt8]) throws(LegacyFileError) -> [LegacyRow] {
        let records = try records(of: bytes)
        guard let header = records.first?.cells.map({ $0.text ?? "" }), header.count > 1 else {
            throw LegacyFileError("The file is neither JSON nor CSV with a header.")
        }
        return records.dropFirst().map { record in
            guard record.cells.count == header.count else {
                return LegacyRow(place: "line \(record.line)", members: nil)
            }
            let pairs = zip(header, record.cells.map { $0.text.map(JSON.string) ?? .null })
            return LegacyRow(place: "line \(record.line)", members: Dictionary(Array(pairs)) { first, _ in first })
        }
    }

    private struct Cell {
        let text: String?
    }

    private struct Record {
        let line: Int
        var cells: [Cell] = []
    }

    private static func records(of bytes: [UInt8]) throws(LegacyFileError) -> [Record] {
        let (quote, comma, feed) = (UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: "\n"))
        var (records, record, cell): ([Record], Record, [UInt8]) = ([], Record(line: 1), [])
        var (isQuoted, wasQuoted, line, place) = (false, false, 1, 0)
        func finished() -> Cell {
            Cell(text: cell.isEmpty && !wasQuoted ? nil : String(decoding: cell, as: UTF8.self))
        }
        while place <= bytes.count {
            // A last line break that is missing is read all the same.
            let byte = place < bytes.count ? bytes[place] : feed
            place += 1
            if byte == feed { line += 1 }
            switch byte {
            case quote where isQuoted && place < bytes.count && bytes[place] == quote:
                cell.append(quote)
                place += 1
            case quote where isQuoted: isQuoted = false
            case _ where isQuoted:
                guard place <= bytes.count else { throw LegacyFileError("A quotation of the CSV file never ends.") }
                cell.append(byte)
            case quote where cell.isEmpty && !wasQuoted: (isQuoted, wasQuoted) = (true, true)
            case UInt8(ascii: "\r") where place < bytes.count && bytes[place] == feed: break
            case comma, feed:
                record.cells.append(finished())
                (cell, wasQuoted) = ([], false)
                guard byte == feed else { break }
                if record.cells.count > 1 || record.cells[0].text != nil { records.append(record) }
                record = Record(line: line)
            default: cell.append(byte)
            }
        }
        return records
    }
}

extension Timestamp {
    /// Reads RFC 3339, what PostgreSQL and MariaDB write (without an offset it is UTC), or seconds since 1970.
    init?(legacy value: JSON) {
        let moment: Timestamp?
        switch value {
        case .integer(let seconds) where (0..<100_000_000_000).contains(seconds): moment = Timestamp(seconds: seconds)
        case .number(let seconds) where (0..<100_000_000_000).contains(seconds):
            moment = Timestamp(seconds: Int64(seconds))
        case .string(let text): moment = Self.parsed(text)
        default: moment = nil
        }
        guard let moment, (Timestamp(seconds: 0)...Timestamp(seconds: 253_000_000_000)).contains(moment) else {
            return nil
        }
        self = moment
    }

    private static func parsed(_ text: String) -> Timestamp? {
        if let seconds = Int64(text), (0..<100_000_000_000).contains(seconds) { return Timestamp(seconds: seconds) }
        let hasOffset = text.wholeMatch(of: /.{19}(\.[0-9]+)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)/) != nil
        guard hasOffset else { return Timestamp(rfc3339: text + "Z") }
        // PostgreSQL leaves out minutes that are zero: +00.
        let isShort = text.wholeMatch(of: /.{19}(\.[0-9]+)?[+-][0-9]{2}/) != nil
        return Timestamp(rfc3339: text + (isShort ? ":00" : ""))
    }
}
