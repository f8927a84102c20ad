/// One step of the schema: a numbered file with one statement.
///
/// MariaDB commits each DDL statement at once, so a second statement in the same file could be left undone; one
/// statement, written so that it may run twice (`IF NOT EXISTS`), cannot be stranded halfway.
public struct Migration: Sendable, Equatable {
    /// The file's name without its ending, such as `0004_api_keys`: four digits, then words.
    public let name: String
    /// The statement, with any comments before it.
    public let sql: String

    /// A step; steps are applied in the order of their names.
    public init(name: String, sql: String) {
        self.name = name
        self.sql = sql
    }

    /// Whether the name begins with four digits and goes on in lower-case words joined by underscores.
    var isWellNamed: Bool {
        let bytes = Array(name.utf8)
        guard (6...100).contains(bytes.count), bytes[4] == UInt8(ascii: "_") else { return false }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        return bytes[..<4].allSatisfy(digits.contains)
            && bytes[5...].allSatisfy { digits.contains($0) || letters.contains($0) || $0 == UInt8(ascii: "_") }
    }
}

/// What a database's schema is to this program.
public enum SchemaState: Sendable, Equatable {
    /// Exactly the steps this program knows have been applied.
    case current
    /// These steps are still to be applied.
    case behind([String])
    /// These steps were applied by a program that this one does not know: a newer one.
    case unknown([String])
    /// These steps were applied with another text than this program holds.
    case changed([String])

    /// Compares what was applied, by name and digest, with what is known; the gravest finding counts.
    static func comparing(applied: [String: [UInt8]], known: [(name: String, digest: [UInt8])]) -> SchemaState {
        let unknown = Set(applied.keys).subtracting(known.map(\.name)).sorted()
        if !unknown.isEmpty { return .unknown(unknown) }
        let changed = known.filter { step in applied[step.name].map { $0 != step.digest } ?? false }
        if !changed.isEmpty { return .changed(changed.map(\.name)) }
        let missing = known.filter { applied[$0.name] == nil }
        return missing.isEmpty ? .current : .behind(missing.map(\.name))
    }

    /// One sentence for whoever runs the program; nil when all is well.
    public var complaint: String? {
        switch self {
        case .current: nil
        case .behind(let names): "the database lacks \(names.count) migrations, first \(names[0]): migrate it"
        case .unknown(let names):
            "the database was migrated by a newer program (\(names.joined(separator: ", "))): use that program"
        case .changed(let names):
            "migrations were changed after they were applied (\(names.joined(separator: ", "))): restore their files"
        }
    }
}

/// Why the schema could not be brought up to date.
public struct MigrationError: Error, CustomStringConvertible, CustomDebugStringConvertible {
    /// The step that failed; nil when none had begun.
    public let name: String?
    /// The steps of this run that were applied before, and stand.
    public let applied: [String]
    /// What the database said; nil when it was not the database that refused.
    public let cause: DatabaseError?
    let sentence: String

    init(name: String? = nil, applied: [String] = [], cause: DatabaseError? = nil, _ sentence: String) {
        self.name = name
        self.applied = applied
        self.cause = cause
        self.sentence = sentence
    }

    /// What failed, and what stands.
    public var description: String {
        guard let name else { return sentence }
        let before =
            applied.isEmpty ? "nothing was changed before it" : "\(applied.count) before it were applied and stand"
        return "migration \(name) failed, \(before); when the cause is mended, run it again: \(sentence)"
    }

    /// With the server's own words.
    public var debugDescription: String {
        cause.map { "\(description)\n\($0.debugDescription)" } ?? description
    }
}
