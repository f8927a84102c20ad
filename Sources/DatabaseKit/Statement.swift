internal import CMariaDB
import TimeKit

/// A statement prepared on one connection; its end frees it on the server.
@safe final class Statement {
    private let pointer: UnsafeMutablePointer<MYSQL_STMT>
    private let text: String
    private var receiver: Receiver?

    /// Prepares a text.
    init(_ text: String, on handle: borrowing Handle) throws(DatabaseError) {
        var made: UnsafeMutablePointer<MYSQL_STMT>?
        try unsafe handle.call { handle in
            unsafe made = mysql_stmt_init(handle)
            return unsafe made != nil
        }
        guard let made = unsafe made else { throw DatabaseError(.other, "the client library has no memory") }
        unsafe pointer = made
        self.text = text
        var copy = text
        let prepared = copy.withUTF8 { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
                unsafe mysql_stmt_prepare(made, characters.baseAddress, UInt(characters.count)) == 0
            }
        }
        guard prepared else { throw error() }
    }

    deinit {
        unsafe _ = mysql_stmt_close(pointer)
    }

    /// Runs the statement and gives each row to a closure.
    ///
    /// Rows are read off the wire one by one, so a result is held once, as Swift values.
    func run(
        _ values: [SQLValue], _ parameters: inout Parameters, row: (Columns, [SQLValue]) -> Void
    ) throws(DatabaseError) -> Outcome {
        let expected = unsafe Int(mysql_stmt_param_count(pointer))
        guard expected == values.count else {
            throw DatabaseError(.other, "\(values.count) values for \(expected) places", statement: text)
        }
        try send(values, &parameters)
        if unsafe mysql_stmt_field_count(pointer) > 0 {
            try receive(row)
        }
        let affected = unsafe mysql_stmt_affected_rows(pointer)
        return Outcome(
            affectedRows: affected == .max ? 0 : Int(clamping: affected),
            insertedID: unsafe mysql_stmt_insert_id(pointer))
    }

    private func send(_ values: [SQLValue], _ parameters: inout Parameters) throws(DatabaseError) {
        let isSent = try unsafe parameters.withBinds(of: values) { binds in
            guard unsafe binds.isEmpty || mysql_stmt_bind_param(pointer, binds.baseAddress) == 0 else { return false }
            return unsafe mysql_stmt_execute(pointer) == 0
        }
        guard isSent else { throw error() }
    }

    private func receive(_ row: (Columns, [SQLValue]) -> Void) throws(DatabaseError) {
        defer { unsafe _ = mysql_stmt_free_result(pointer) }
        guard let fields = unsafe mariadb_stmt_fetch_fields(pointer) else { throw error() }
        let described = unsafe UnsafeBufferPointer(start: fields, count: Int(mysql_stmt_field_count(pointer)))
        // A column may have changed its type since the statement was prepared.
        let receiver: Receiver
        if let known = self.receiver, unsafe known.fits(described) {
            receiver = known
        } else {
            receiver = unsafe Receiver(described)
            self.receiver = receiver
        }
        guard unsafe receiver.bind(to: pointer) else { throw error() }
        while true {
            switch unsafe mysql_stmt_fetch(pointer) {
            case 0, MYSQL_DATA_TRUNCATED:
                guard let cells = unsafe receiver.cells(of: pointer) else { throw error() }
                row(receiver.columns, cells)
            case MYSQL_NO_DATA: return
            default: throw error()
            }
        }
    }

    /// The error of the call just made.
    ///
    /// The library notes an error that arrives between two rows with the connection only.
    private func error() -> DatabaseError {
        if unsafe mysql_stmt_errno(pointer) == 0, let handle = unsafe pointer.pointee.mysql {
            return DatabaseError(
                number: unsafe Int(mysql_errno(handle)), message: unsafe String(cString: mysql_error(handle)),
                statement: text)
        }
        return DatabaseError(
            number: unsafe Int(mysql_stmt_errno(pointer)), message: unsafe String(cString: mysql_stmt_error(pointer)),
            statement: text)
    }
}
