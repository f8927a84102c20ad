internal import CMariaDB
import Glibc
import LogKit

/// One connection of the client library; its end is the connection's end.
@safe struct Handle: ~Copyable {
    private let pointer: UnsafeMutablePointer<MYSQL>

    private init() throws(DatabaseError) {
        guard Self.libraryIsReady, let made = unsafe mysql_init(nil) else {
            throw DatabaseError(.other, "the client library has no memory")
        }
        unsafe pointer = made
    }

    deinit {
        unsafe mysql_close(pointer)
    }

    /// Connects and sets the session up.
    static func connect(_ url: DatabaseURL, _ settings: DatabaseSettings) throws(DatabaseError) -> Handle {
        let handle = try Handle()
        handle.setOptions(url, settings)
        try handle.connect(url)
        try handle.command(settings.sessionStatement)
        return handle
    }

    /// The library sets itself up once, which is not safe in two threads at a time; a static constant is.
    private static let libraryIsReady = mysql_server_init(0, nil, nil) == 0

    /// Lends the connection to one call and reads its error before another call can overwrite it.
    borrowing func call(_ body: (UnsafeMutablePointer<MYSQL>) -> Bool) throws(DatabaseError) {
        guard unsafe !body(pointer) else { return }
        throw DatabaseError(
            number: unsafe Int(mysql_errno(pointer)), message: unsafe String(cString: mysql_error(pointer)),
            statement: nil)
    }

    /// Runs a statement in the text protocol, for what cannot or need not be prepared; a result is thrown away.
    borrowing func command(_ text: String) throws(DatabaseError) {
        do {
            try unsafe call { handle in
                var text = text
                return text.withUTF8 { bytes in
                    unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
                        unsafe mysql_real_query(handle, characters.baseAddress, UInt(characters.count)) == 0
                    }
                }
            }
            try unsafe call { handle in
                unsafe mysql_free_result(mysql_store_result(handle))
                return unsafe mysql_errno(handle) == 0
            }
        } catch {
            throw error.during(text)
        }
    }

    /// Asks the server whether it is still there.
    borrowing func ping() -> Bool {
        unsafe mysql_ping(pointer) == 0
    }

    /// The server's number for this connection.
    var serverThread: UInt { unsafe UInt(mysql_thread_id(pointer)) }

    /// What the socket says without asking the server.
    enum Sign {
        case quiet
        case saysSomething
        case closed
    }

    /// Looks at the socket: a server that has ended an idle connection has closed it, often with a last word.
    borrowing func sign() -> Sign {
        var byte: UInt8 = 0
        let received = unsafe recv(mysql_get_socket(pointer), &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        if received > 0 { return .saysSomething }
        return received < 0 && (errno == EAGAIN || errno == EINTR) ? .quiet : .closed
    }

    private borrowing func setOptions(_ url: DatabaseURL, _ settings: DatabaseSettings) {
        let silence = UInt32(clamping: settings.silenceTimeout.components.seconds)
        let connect = UInt32(clamping: settings.connectTimeout.components.seconds)
        let isTCP = url.socket == nil
        let secured: Int32 = url.tls == .required && isTCP ? 1 : 0
        unsafe c_mysql_set_number(pointer, MYSQL_OPT_CONNECT_TIMEOUT, connect)
        unsafe c_mysql_set_number(pointer, MYSQL_OPT_READ_TIMEOUT, silence)
        unsafe c_mysql_set_number(pointer, MYSQL_OPT_WRITE_TIMEOUT, silence)
        unsafe c_mysql_set_flag(pointer, MYSQL_OPT_RECONNECT, 0)
        unsafe c_mysql_set_flag(pointer, MYSQL_REPORT_DATA_TRUNCATION, 1)
        unsafe c_mysql_set_text(pointer, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        // A server could otherwise ask for any file of ours.
        unsafe c_mysql_set_number(pointer, MYSQL_OPT_LOCAL_INFILE, 0)
        let way = isTCP ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET
        unsafe c_mysql_set_number(pointer, MYSQL_OPT_PROTOCOL, way.rawValue)
        unsafe c_mysql_set_flag(pointer, MYSQL_OPT_SSL_ENFORCE, secured)
        unsafe c_mysql_set_flag(pointer, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, secured)
        if let ca = url.ca, secured == 1 { unsafe c_mysql_set_text(pointer, MYSQL_OPT_SSL_CA, ca) }
    }

    /// A program that this process starts must not inherit the connection.
    private borrowing func connect(_ url: DatabaseURL) throws(DatabaseError) {
        try url.password.reveal { password throws(DatabaseError) in
            try unsafe call { handle in
                unsafe mysql_real_connect(
                    handle, url.host, url.user, password, url.name, UInt32(url.port), url.socket,
                    UInt(CLIENT_FOUND_ROWS)) != nil
            }
        }
        _ = unsafe fcntl(mysql_get_socket(pointer), F_SETFD, FD_CLOEXEC)
    }
}
