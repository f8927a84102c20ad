/// A JSON file that people write: its value, and where in the file each part stands.
public struct JSONFile: Sendable {
    /// A line and a column, both counted from 1; columns in bytes.
    public struct Place: Sendable, Equatable, CustomStringConvertible {
        /// The line.
        public let line: Int
        /// The column.
        public let column: Int

        /// `12:9`
        public var description: String { "\(line):\(column)" }
    }

    /// Why a file is no JSON, and where.
    public struct Failure: Error, Equatable {
        /// What is wrong.
        public let error: JSONError
        /// Where.
        public let place: Place
    }

    /// The value.
    public let value: JSON
    private let bytes: [UInt8]
    private let places: [String: Int]

    /// Reads a file.
    public init(parsing bytes: [UInt8]) throws(Failure) {
        var reader = JSONReader(bytes, keepingPlaces: true)
        do throws(JSONError) {
            value = try reader.whole()
        } catch {
            throw Failure(error: error, place: Self.place(of: reader.place, in: bytes))
        }
        self.bytes = bytes
        places = reader.places ?? [:]
    }

    /// Where the value of a JSON Pointer (RFC 6901) begins, or the nearest value around it when there is none.
    public func place(of pointer: String) -> Place {
        var pointer = pointer[...]
        while true {
            if let offset = places[String(pointer)] { return Self.place(of: offset, in: bytes) }
            guard let cut = pointer.lastIndex(of: "/") else { return Place(line: 1, column: 1) }
            pointer = pointer[..<cut]
        }
    }

    private static func place(of offset: Int, in bytes: [UInt8]) -> Place {
        let before = bytes.prefix(offset)
        let line = before.count { $0 == 0x0a } + 1
        let start = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
        return Place(line: line, column: offset - start + 1)
    }
}
