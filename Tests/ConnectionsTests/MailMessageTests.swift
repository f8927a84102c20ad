import ClientKit
import Domain
import Foundation
import Testing
import TimeKit

@testable import Connections

/// Mails, read back by Python's email package.
@Suite("Mail messages") struct MailMessageTests {
    private static let script = """
        import email, email.policy, json, sys
        raw = sys.stdin.buffer.read()
        lines = raw.split(b"\\r\\n")
        assert b"\\n" not in raw.replace(b"\\r\\n", b"") and raw.isascii()
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        body = lambda kind: (lambda part: part and part.get_content().replace("\\r\\n", "\\n"))(mail.get_body((kind,)))
        print(json.dumps({"subject": mail["Subject"], "from": mail["From"], "to": mail["To"], "date": mail["Date"],
            "id": mail["Message-ID"], "type": mail.get_content_type(), "text": body("plain"), "html": body("html"),
            "longest": max(map(len, lines)), "defects": len(mail.defects)}))
        """

    private struct Read: Decodable {
        let subject, from, to, date, id, type: String
        let text, html: String?
        let longest, defects: Int
    }

    private func read(_ message: Message) throws -> Read {
        let id = try #require(MessageID("019aa3f0-0000-7000-8000-000000000001"))
        let mail = try MailMessage(
            message, id, ["from_email": "shop@acme.example"], at: Timestamp(seconds: 1_795_000_000))
        let python = Process()
        python.executableURL = URL(filePath: "/usr/bin/env")
        python.arguments = ["python3", "-c", Self.script]
        let (input, output) = (Pipe(), Pipe())
        (python.standardInput, python.standardOutput) = (input, output)
        try python.run()
        try input.fileHandleForWriting.write(contentsOf: Data(mail.outbound.message))
        try input.fileHandleForWriting.close()
        let text = try #require(try output.fileHandleForReading.readToEnd())
        python.waitUntilExit()
        return try JSONDecoder().decode(Read.self, from: text)
    }

    @Test(
        "Subject and text come back as they were typed, and no line is longer than 78",
        arguments: [
            ("Hi", "Hello\nthere"),
            (
                "Grüße aus Köln – schöne Überraschung für alle Gäste 😀😀😀😀😀😀😀😀😀😀",
                "Ünïcödé = ok \n.\n..two\ntrailing \t\n"
            ),
            (
                String(repeating: "long and plain ", count: 12).trimmingCharacters(in: .whitespaces),
                String(repeating: "wörd ", count: 60)
            ),
            ("=?utf-8?B?SGk=?=", "From here\n--\nend=3D"), (" outer ", "x"), ("Ω", String(repeating: "x", count: 400)),
        ])
    func roundTrip(subject: String, text: String) throws {
        let mail = try read(Message(to: "ana@example.org", text: text, subject: subject))
        #expect(mail.subject == subject && mail.text == text + "\n" && mail.defects == 0)
        #expect(mail.longest <= 78)
        #expect(mail.from == "shop@acme.example" && mail.to == "ana@example.org" && mail.html == nil)
        #expect(mail.id == "<019aa3f0-0000-7000-8000-000000000001@acme.example>")
        #expect(mail.date == "Wed, 18 Nov 2026 11:06:40 +0000")
    }

    @Test("Text and HTML stand beside each other, whatever they hold")
    func alternative() throws {
        let html = "<p>Ünï</p>\n--=_019aa3f000007000800000000000000001--\n<b>=</b>"
        let mail = try read(Message(to: "ana@example.org", text: "Ünï", subject: "Hi", html: html))
        #expect(mail.type == "multipart/alternative" && mail.defects == 0 && mail.longest <= 78)
        #expect(mail.text == "Ünï")
        #expect(mail.html == html)
    }

    @Test(
        "An address is one mailbox and nothing else",
        arguments: [
            ("ana@example.org", true), ("o'neil+x@sub.example.co", true), ("a@localhost", true), ("", false),
            ("ana", false), ("ana@", false), ("@x.org", false), ("a@b@c", false), ("a b@x.org", false),
            ("a@x.org\r\nRCPT TO:<b@x.org>", false), ("a@x.org>,<b@x.org", false), ("\"a\"@x.org", false),
            ("a..b@x.org", false), ("a@-x.org", false), ("ä@x.org", false), ("a@münchen.de", false),
            ("a@xn--mnchen-3ya.de", true), ("a@x..org", false), (String(repeating: "a", count: 65) + "@x.org", false),
        ])
    func address(text: String, isValid: Bool) { #expect(MailAddress.isValid(text) == isValid) }
}
