import CipherKit
import ClientKit
import Domain
import LogKit
import TimeKit

/// A mail as it goes out over SMTP: RFC 5322 with the bodies of RFC 2045 and 2046, in lines of ASCII alone.
///
/// SMTP knows no key of repetition. The `Message-ID` stays the same over all attempts, so that a mailbox which hides
/// doubles can; a mail whose end was sent without a reply may have been taken.
struct MailMessage: Sendable {
    static let rules = MessageRules(
        .mailbox, text: .characters(100_000), subject: .characters(250), needsSubject: true, html: .bytes(500_000))

    /// The mail for the mail server.
    let outbound: OutboundMail
    /// `<id@domain>`, by which replies refer to it.
    let messageID: String

    init(_ message: Message, _ id: MessageID, _ values: [String: String], at now: Timestamp) throws(DeliveryFailure) {
        let sender = values["from_email"] ?? ""
        let recipient = message.to ?? ""
        guard MailAddress.isValid(sender), MailAddress.isValid(recipient) else {
            throw DeliveryFailure(
                kind: .refused,
                sentence: "The sender's address of this connection is none that a mail server takes. Correct it.")
        }
        messageID = "<\(id.text)@\(sender.split(separator: "@")[1])>"
        let head = [
            "Date: " + now.httpDate.replacing("GMT", with: "+0000"), "From: <\(sender)>", "To: <\(recipient)>",
            "Message-ID: " + messageID, "Subject: " + Self.encodedHeader(message.subject ?? "", after: 9),
            "MIME-Version: 1.0",
        ]
        let text = Self.part("text/plain", message.text)
        let body: String
        if let html = message.html {
            // Quoted-printable writes each "=" as "=3D", so that this stands in no part.
            let boundary = "=_" + Hex.encode(id.bytes)
            body =
                "Content-Type: multipart/alternative;\r\n boundary=\"\(boundary)\"\r\n\r\n"
                + "--\(boundary)\r\n\(text)\r\n--\(boundary)\r\n\(Self.part("text/html", html))\r\n--\(boundary)--\r\n"
        } else {
            body = text + "\r\n"
        }
        outbound = OutboundMail(
            sender: sender, recipients: [recipient],
            message: Array((head.joined(separator: "\r\n") + "\r\n" + body).utf8))
    }

    private static func part(_ type: String, _ text: String) -> String {
        "Content-Type: \(type); charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            + quotedPrintable(text)
    }

    /// The text of a header: as it is when it is short and plain, else in encoded words of at most 75 characters, one a
    /// line, none of which ends within a character.
    ///
    /// > encoded-word = "=?" charset "?" encoding "?" encoded-text "?="     RFC 2047 §2
    ///
    /// - Parameter used: how many characters of the first line the header's name takes.
    static func encodedHeader(_ text: String, after used: Int) -> String {
        let isPlain = text.utf8.allSatisfy { (0x20...0x7e).contains($0) } && !text.contains("=?")
        let hasOuterSpace = text.first == " " || text.last == " "
        if isPlain, !hasOuterSpace, text.utf8.count + used <= 76 { return text }
        // 12 characters of frame leave 63, which are 45 bytes in Base64; the first line is shorter by the name.
        var words: [String] = []
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            let next = Array(String(scalar).utf8)
            let room = words.isEmpty ? (63 - used) / 4 * 3 : 45
            if bytes.count + next.count > room {
                words.append("=?utf-8?B?\(Base64.encode(bytes))?=")
                bytes = []
            }
            bytes += next
        }
        words.append("=?utf-8?B?\(Base64.encode(bytes))?=")
        return words.joined(separator: "\r\n ")
    }

    /// Text in lines of at most 76 characters of ASCII (RFC 2045 §6.7), line breaks as CRLF.
    static func quotedPrintable(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(quotedLine).joined(separator: "\r\n")
    }

    private static func quotedLine(_ line: Substring) -> String {
        var (result, length) = ("", 0)
        let bytes = Array(line.utf8)
        for (index, byte) in bytes.enumerated() {
            let isLast = index == bytes.count - 1
            let isSpace = byte == 0x20 || byte == 0x09
            let isPlain = (0x21...0x7e).contains(byte) && byte != 0x3d || isSpace && !isLast
            let piece = isPlain ? String(Unicode.Scalar(byte)) : "=" + Hex.encode([byte]).uppercased()
            // A soft line break takes one character of the 76.
            if length + piece.utf8.count > 75 {
                result += "=\r\n"
                length = 0
            }
            result += piece
            length += piece.utf8.count
        }
        return result
    }
}

extension SMTPProbe {
    /// The mail server of a set-up.
    ///
    /// Any certificate is accepted where the set-up says so and the operator of the hub permits it still.
    init(_ values: [String: String], of provider: Provider, deadline: Duration) {
        let acceptsAny = provider.fields.contains {
            $0.permission == .anyCertificate && $0.isPermitted && values[$0.name] == "true"
        }
        let authentication = values["authentication"].flatMap { Authentication(rawValue: $0) } ?? .always
        self.init(
            host: values["host"] ?? "", port: values["port"].flatMap { Int($0) } ?? 587,
            security: values["security"].flatMap { Security(rawValue: $0) } ?? .auto, username: values["username"],
            password: values["password"].map { Secret($0) },
            authentication: values["username"] == nil ? .never : authentication,
            verifiesCertificate: !acceptsAny, authorities: values["ca_certificate"],
            deadline: deadline)
    }
}

extension DeliveryFailure {
    /// What a mail server's refusal means (RFC 5321 §4.2.1): 4yz may be tried again, 5yz not.
    init(_ failure: MailFailure, _ conceal: (String) -> String) {
        let cause = failure.cause
        if cause.code == .credentialsRefused {
            self.init(kind: .unauthorized, sentence: "The mail server refused the user name or the password.")
        } else if let refusal = failure.refusal {
            // What answers in the hub's own network is nobody's business.
            let said = cause.isConcealed ? "" : " It said: “\(conceal("\(refusal.code) \(refusal.text)"))”."
            self.init(
                kind: refusal.code < 500 ? .later(after: nil) : .refused,
                sentence: "The mail server did not take the mail.\(said)")
        } else {
            let sentence = "The mail server could not be used. \(cause.tenantSentence)"
            switch cause.code {
            case .badURL, .refusedAddress: self.init(kind: .refused, sentence: sentence)
            default: self.init(kind: failure.mayHaveArrived ? .ambiguous : .later(after: nil), sentence: sentence)
            }
        }
    }
}
