internal import CCurl
import TimeKit

/// A mail to be handed to a mail server (RFC 5321 §3.3). Nothing of it can be printed.
public struct OutboundMail: Sendable, CustomStringConvertible, CustomReflectable {
    /// The address in `MAIL FROM`, without angle brackets.
    public let sender: String
    /// The addresses in `RCPT TO`, without angle brackets.
    public let recipients: [String]
    /// The message of RFC 5322, its lines ended by CRLF; dots at their beginnings are doubled on the way.
    public let message: [UInt8]

    /// A mail.
    ///
    /// - Precondition: no address holds a control character, a space or an angle bracket; it would become part of a command.
    public init(sender: String, recipients: [String], message: [UInt8]) {
        precondition(([sender] + recipients).allSatisfy(Self.isPlain), "an address would become part of a command")
        self.sender = sender
        self.recipients = recipients
        self.message = message
    }

    /// Nothing of it.
    public var description: String { "<outbound mail>" }
    /// A mirror without children, so that `dump` stays silent.
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    private static func isPlain(_ address: String) -> Bool {
        !address.isEmpty && address.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x3c && $0 != 0x3e }
    }
}

/// What a mail server said last.
public struct SMTPReply: Sendable, Equatable {
    /// Its code, 200 to 599 (RFC 5321 §4.2).
    public let code: Int
    /// Its text, the lines of it joined.
    public let text: String
}

/// Why a mail was not taken, or why nobody knows.
public struct MailFailure: Error {
    /// What happened to the call.
    public let cause: ClientError
    /// The reply of refusal, 400 to 599; nil when the server refused nothing.
    public let refusal: SMTPReply?
    /// Whether the whole mail had been handed over and no reply to it came: the server may have taken it, and sending it
    /// again may double it (RFC 1047).
    public let mayHaveArrived: Bool
}

extension Client {
    /// Hands a mail to a mail server and waits until it is taken, by one server and for all recipients or for none.
    ///
    /// - Returns: what the server said when it took the mail, often with the number it has in its queue.
    @discardableResult
    public func send(_ mail: OutboundMail, through server: SMTPProbe) throws(MailFailure) -> SMTPReply {
        let deadline = ContinuousClock.now + server.deadline
        let body = MailBody(mail.message)
        do throws(ClientError) {
            return try send(mail, through: server, body, until: deadline)
        } catch {
            // A refusal that came after the mail is a reply to it; none means that nobody knows.
            let refusal = body.refusal
            throw MailFailure(cause: error, refusal: refusal, mayHaveArrived: body.isHandedOver && refusal == nil)
        }
    }

    private func send(
        _ mail: OutboundMail, through server: SMTPProbe, _ body: MailBody, until deadline: ContinuousClock.Instant
    ) throws(ClientError) -> SMTPReply {
        let url = try server.url()
        let target = origins.targets[url.origin]
        if let target { try url.redirect(to: target) }
        let exchange = Exchange(
            policy: target == nil ? policy : nil, bodyLimit: 16_384, headerLimit: 65_536, giveUpAt: deadline,
            keepsLines: true)
        var recipients = try HeaderLines()
        for recipient in mail.recipients { try recipients.append("<\(recipient)>") }
        let lines = recipients
        // A pool that keeps nothing: a connection that has signed in must never serve another call.
        return try HandlePool(capacity: 0).lend { handle throws(ClientError) in
            try configure(handle, until: deadline, connectDeadline: server.deadline)
            try server.configureSession(handle)
            try unsafe lines.lend { list throws(ClientError) in
                try unsafe handle.set { handle in
                    unsafe [
                        c_curl_set_string(handle, CURLOPT_MAIL_FROM, "<\(mail.sender)>"),
                        c_curl_set_list(handle, CURLOPT_MAIL_RCPT, list),
                        c_curl_set_long(handle, CURLOPT_UPLOAD, 1),
                        c_curl_set_size(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(mail.message.count)),
                    ]
                }
            }
            try body.attach(to: handle)
            let code = try handle.perform(url: url, headers: HeaderLines(), reportingTo: exchange)
            let last = SMTPTranscript(exchange.lines).last
            guard code == CURLE_OK, let last else {
                body.refusal = last.flatMap { $0.code >= 400 ? $0 : nil }
                throw handle.error(code, of: exchange, target: url.target)
            }
            return last
        }
    }
}

/// A mail on its way out: libcurl takes it piece by piece, all on the calling thread.
@safe private final class MailBody {
    private let bytes: [UInt8]
    private var place = 0
    /// Whether libcurl was told that nothing follows: it then ends the mail, and the server may take it.
    private(set) var isHandedOver = false
    /// The reply by which the server refused, when it did.
    var refusal: SMTPReply?

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Tells a handle to read from here; this must outlive the transfer.
    func attach(to handle: borrowing EasyHandle) throws(ClientError) {
        let me = unsafe Unmanaged.passUnretained(self).toOpaque()
        try unsafe handle.set { handle in
            unsafe [c_curl_set_pointer(handle, CURLOPT_READDATA, me), c_curl_set_read(handle, Self.onRead)]
        }
    }

    private func give(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let piece = bytes[place...].prefix(buffer.count)
        unsafe buffer.copyBytes(from: piece)
        place += piece.count
        // libcurl knows the size, and may end the mail after the last byte without asking again.
        if place == bytes.count { isHandedOver = true }
        return piece.count
    }

    private static let onRead: curl_read_callback = { buffer, size, count, me in
        guard let buffer = unsafe buffer, let me = unsafe me else { return 0 }
        let space = unsafe UnsafeMutableRawBufferPointer(start: buffer, count: size * count)
        return unsafe Unmanaged<MailBody>.fromOpaque(me).takeUnretainedValue().give(into: space)
    }
}
