import Foundation
import Testing
import TimeKit

@testable import LogKit

@Suite struct Lines {
    private let moment = Timestamp(microseconds: 1_795_260_245_120_034)

    private func line(_ fields: KeyValuePairs<String, Log.Field>) -> String {
        String(decoding: Log().line(.info, "it happened", fields, at: moment), as: UTF8.self)
    }

    @Test("A line is one JSON object with its time, level, sentence and fields")
    func shape() {
        let log = Log(["pid": 7]).with(["lane": "3"])
        let line = String(
            decoding: log.line(.warning, "slow", ["ms": .init(UInt64.max), "kept": true], at: moment), as: UTF8.self)
        #expect(
            line
                == #"{"time":"2026-11-21T11:24:05.120Z","level":"warning","message":"slow","pid":7,"lane":"3","ms":9223372036854775807,"kept":true}"#
                + "\n")
    }

    @Test(
        "No text from outside can forge a line or leave its field",
        arguments: [
            "a\n{\"level\":\"error\"}", "\r\n", "\"}\n", "\\", "\\\"", "\0\u{1b}[2J", "\u{7f}\u{85}\u{9b}",
            "\u{2028}\u{2029}", "\u{0b}\u{0c}", "é😀",
        ])
    func forged(text: String) throws {
        let line = line(["given": .init(text), "after": 1])
        #expect(
            line.hasSuffix("}\n")
                && line.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) })
        #expect(line.split(whereSeparator: \.isNewline).count == 1)
        let read = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(read["given"] as? String == text && read["after"] as? Int == 1 && read["level"] as? String == "info")
    }

    @Test("Each line is written whole, at once, and only from its level on")
    func writing() throws {
        let pipe = Pipe()
        let log = Log(threshold: .warning, descriptor: pipe.fileHandleForWriting.fileDescriptor)
        log.debug("no")
        log.info("no")
        log.warning("yes")
        log.error("yes, too", ["name": "\n"])
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(text.split(separator: "\n").count == 2 && text.hasSuffix("}\n") && !text.contains("\"no\""))
    }

    @Test("Many threads do not mix their lines")
    func threads() throws {
        let path = NSTemporaryDirectory() + "log-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(file) }
        let log = Log(descriptor: file)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for number in 0..<200 {
                log.info(
                    "x",
                    ["thread": .init(thread), "n": .init(number), "pad": .init(String(repeating: "é", count: 500))])
            }
        }
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 1_600 && lines.allSatisfy { $0.hasPrefix("{\"time\"") && $0.hasSuffix("\"}") })
    }
}

@Suite struct Secrets {
    struct Holder { let token: Secret<String> }

    @Test("A secret stays silent however it is printed, and opens for one closure")
    func silent() {
        let secret = Secret("s3same")
        var dumped = ""
        dump(Holder(token: secret), to: &dumped)
        var printed = ""
        print(secret, Holder(token: secret), [secret], ["a": secret], Optional(secret) as Any, to: &printed)
        debugPrint(secret, Holder(token: secret), to: &printed)
        for text in [
            dumped, printed, "\(secret)", "\(Holder(token: secret))", String(describing: secret),
            String(reflecting: secret),
            "\(Mirror(reflecting: secret).children.map { "\($0)" })", "\(Log.Field("\(secret)"))",
        ] {
            #expect(!text.contains("s3same"))
        }
        #expect("\(secret)" == "<secret>" && secret.reveal { $0 } == "s3same")
    }
}
