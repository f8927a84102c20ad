/// What went wrong between us and the database, as a code to act on and words for the log.
///
/// Two errors are equal when their codes are.
public struct DatabaseError: Error, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    /// A decision, not the server's number.
    public enum Code: String, Sendable {
        /// A unique key already holds this value; ``DatabaseError/constraint`` says which key.
        case duplicate
        /// The server rolled the transaction back to let another one pass; a transaction was tried five times over.
        case deadlock
        /// Another transaction held the row or the table for too long.
        case lockTimeout
        /// The statement ran longer than allowed, or was ended from outside.
        case statementTimeout
        /// The server is away: lost, refused, full, shutting down or not yet part of its cluster.
        case gone
        /// The server takes no writes now: it is read-only or its disk is full.
        case readOnly
        /// No connection became free in time.
        case busy
        /// The connection was lost after COMMIT was sent: it may have happened or not. Look before doing it again.
        case commitUnknown
        /// The schema is not the one this program knows.
        case schema
        /// A column is missing, or holds another type than was asked for: a mistake in the program.
        case decoding
        /// Anything else: a mistake in a statement, in a value or in the settings.
        case other
    }

    /// What to do about it.
    public let code: Code
    /// The server's or the client library's number; 0 when the error is our own.
    public let number: Int
    /// The unique key that refused a duplicate, such as `name`; nil for other errors.
    public let constraint: String?
    let detail: String
    private(set) var statement: String?
    /// Nothing can have happened on the server.
    ///
    /// The client library says 2006 when it could not write and 2013 when it could not read the answer.
    private(set) var nothingWasSent: Bool

    init(_ code: Code, _ detail: String, statement: String? = nil) {
        self.code = code
        number = 0
        nothingWasSent = false
        constraint = nil
        self.detail = detail
        self.statement = statement
    }

    /// An error of the server (1000–1999 and 3000–4999) or of the client library (2000–2999), with its message.
    init(number: Int, message: String, statement: String?) {
        self.number = number
        nothingWasSent = number == 2006
        code = Self.code(number, message)
        constraint = code == .duplicate ? Self.key(in: message) : nil
        detail = Self.withoutValues(message)
        self.statement = statement
    }

    /// Whether it passes by itself and the answer to give is 503 with `Retry-After`.
    ///
    /// ``Code/commitUnknown`` is not among them, since doing it again may do it twice.
    public var isAway: Bool {
        switch code {
        case .gone, .readOnly, .busy, .deadlock, .lockTimeout, .statementTimeout: true
        case .duplicate, .commitUnknown, .schema, .decoding, .other: false
        }
    }

    /// Safe to show anyone.
    public var description: String { "database error (\(code.rawValue))" }

    /// Everything for the log: number, message and statement, never a bound value.
    public var debugDescription: String {
        let numbered = number == 0 ? description : "\(description) \(number)"
        return "\(numbered): \(detail)" + (statement.map { "\n\($0)" } ?? "")
    }

    /// Equal by code.
    public static func == (one: Self, other: Self) -> Bool { one.code == other.code }

    /// The same error with the statement it belongs to.
    func during(_ statement: String) -> DatabaseError {
        var error = self
        error.statement = statement
        return error
    }

    /// The same error, known to have come before the statement had any effect.
    var beforeEffect: DatabaseError {
        var error = self
        error.nothingWasSent = losesConnection
        return error
    }
}

extension DatabaseError {
    /// The connection is of no more use.
    ///
    /// Not every ``Code/gone`` is: 1047 (a Galera node without its cluster) leaves the connection open.
    var losesConnection: Bool {
        switch number {
        case 2000...2999, 1053, 1080, 1152...1161, 1184, 1927, 4031: true
        default: false
        }
    }

    /// The server holds as many prepared statements as it may, over all connections.
    var isFullOfStatements: Bool { number == 1461 }

    /// The whole transaction must end and may begin again.
    var endsTransaction: Bool { code == .deadlock || code == .lockTimeout || losesConnection }

    /// https://mariadb.com/kb/en/mariadb-error-codes/
    private static func code(_ number: Int, _ message: String) -> Code {
        switch number {
        case 1022, 1062, 1169, 1557, 1586, 1859, 1761, 1762: .duplicate
        case 1020, 1213: .deadlock
        case 1205: .lockTimeout
        case 1317, 1969, 3024: .statementTimeout
        case 1040, 1041, 1047, 1053, 1129, 1135, 1152...1161, 1184, 1203, 1226, 1461, 1927, 4031: .gone
        case 2002...2006, 2012, 2013, 2026, 2055: .gone
        case 3, 1021, 1026, 1114, 1290, 1792, 1836: .readOnly
        case 1030 where message.contains("28"): .readOnly
        case 1050, 1051, 1054, 1060, 1061, 1091, 1146, 1932: .schema
        default: .other
        }
    }

    /// The key of "Duplicate entry 'anything' for key 'name'", the last quoted word, since the entry may hold quotes.
    private static func key(in message: String) -> String? {
        let parts = message.split(separator: "'", omittingEmptySubsequences: false)
        return parts.count >= 3 ? parts[parts.count - 2].split(separator: ".").last.map(String.init) : nil
    }

    /// The server quotes values in a few messages ("Duplicate entry '…' for key", "Incorrect … value: '…' for column").
    private static func withoutValues(_ message: String) -> String {
        for opening in ["entry '", "value: '", "value '"] {
            guard let start = message.firstRange(of: opening)?.upperBound else { continue }
            let rest = message[start...]
            let end = rest.ranges(of: "' for ").last?.lowerBound ?? rest.lastIndex(of: "'") ?? rest.endIndex
            return message[..<start] + "…" + message[end...]
        }
        return message
    }
}
