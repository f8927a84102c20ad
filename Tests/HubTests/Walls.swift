import Foundation
import Testing

/// The table of design.md §4 as code: who may import whom, and which words may stand where.
@Suite struct Walls {
    /// What each target may import besides the standard library, `Synchronization`, `FoundationEssentials` and, in kits
    /// and the executable, `Glibc`.
    static let table: [String: Set<String>] = {
        let kits: Set<String> = [
            "TimeKit", "ThreadKit", "LogKit", "CipherKit", "DatabaseKit", "TemplateKit", "JSONKit", "HTTPKit",
            "LimitKit",
            "Domain", "AdminShell",
        ]
        let rooms: [String: Set<String>] = [
            "Accounts": ["JobKit"], "Connections": ["ClientKit", "JobKit"],
            "APIKeys": ["AddressKit", "JobKit", "ProcessKit"], "Audit": [],
            "RequestLogs": ["JobKit", "SpoolKit"], "Operations": ["JobKit"], "SiteTokens": ["ClientKit"],
            "Webhooks": ["AddressKit", "ClientKit", "JobKit", "ProcessKit"], "Platforms": ["ClientKit", "JobKit"],
            "Inbound": ["JobKit", "ProcessKit"], "OAuthServer": ["JobKit", "ProcessKit"],
        ]
        var table: [String: Set<String>] = [
            "TimeKit": [], "AddressKit": [], "ThreadKit": ["CLinux"],
            "LogKit": ["TimeKit"],
            "CipherKit": ["LogKit", "TimeKit", "JSONKit", "COpenSSL"],
            "DatabaseKit": ["LogKit", "TimeKit", "ThreadKit", "CMariaDB"],
            "TemplateKit": ["LogKit"],
            "JSONKit": ["TimeKit"],
            "HTTPKit": ["LogKit", "TimeKit", "CipherKit", "JSONKit"],
            "FastCGIKit": ["ThreadKit", "HTTPKit", "CipherKit", "LogKit", "TimeKit", "CFastCGI"],
            "ClientKit": ["AddressKit", "LogKit", "ThreadKit", "TimeKit", "CCurl"],
            "ProcessKit": ["LogKit", "TimeKit", "ThreadKit", "CLinux"],
            "LimitKit": ["LogKit", "TimeKit", "ThreadKit"],
            "JobKit": ["DatabaseKit", "LogKit", "TimeKit", "ThreadKit"],
            "Domain": ["CipherKit", "DatabaseKit", "JSONKit", "LimitKit", "LogKit", "TimeKit", "ThreadKit"],
            "SpoolKit": ["CipherKit", "LogKit", "TimeKit", "ThreadKit", "CLinux"],
            "AdminShell": [
                "Domain", "HTTPKit", "JSONKit", "LimitKit", "TemplateKit", "CipherKit", "DatabaseKit", "LogKit",
                "TimeKit",
            ],
            "CLinux": [], "CFastCGI": [], "CMariaDB": [], "COpenSSL": [], "CCurl": [],
        ]
        for (room, extra) in rooms { table[room] = kits.union(extra) }
        table["Hub"] = kits.union(rooms.keys).union([
            "AddressKit", "FastCGIKit", "ClientKit", "ProcessKit", "JobKit", "SpoolKit", "ThreadKit",
        ])
        return table
    }()

    /// Where only meaning lives: the product's own floors and rooms.
    static let meaning = [
        "Domain", "AdminShell", "Accounts", "Connections", "APIKeys", "Audit", "RequestLogs", "Operations",
        "SiteTokens", "Platforms", "Inbound", "OAuthServer",
    ]

    @Test("Every folder of Sources has a row in the table")
    func rows() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Source.root.appending(path: "Sources").path)
        #expect(Set(folders) == Set(Self.table.keys))
    }

    @Test("A target imports only what its row allows", arguments: table.keys.sorted())
    func imports(target: String) throws {
        var allowed = try #require(Self.table[target]).union(["Synchronization", "FoundationEssentials"])
        if !Self.meaning.contains(target) { allowed.insert("Glibc") }
        for file in try Source.files(of: target, ending: ".swift") {
            let lines = file.text.matches(
                of:
                    /(?m)^\s*(?:@[\w(]+\)?\s+)*(?:public |package |internal |fileprivate |private )?import (?:\w+ )?(\w+)/
            )
            for name in Set(lines.map { String($0.1) }).subtracting(allowed) {
                Issue.record("\(file.name) imports \(name)")
            }
        }
    }

    @Test("Each door is imported by one kit, and always internally, so that no C type shows")
    func doors() throws {
        for target in Self.table.keys {
            for file in try Source.files(of: target, ending: ".swift") {
                for found in file.text.matches(of: /(?m)^(.*)import (CFastCGI|CMariaDB|COpenSSL|CCurl)\b/) {
                    #expect(found.1 == "internal ", "\(file.name)")
                }
            }
        }
    }

    @Test("Raw memory stays in kits", arguments: meaning)
    func unsafety(target: String) throws {
        for file in try Source.files(of: target, ending: ".swift") {
            #expect(!file.text.contains(/\bunsafe\b/), "\(file.name)")
        }
    }

    @Test("No error is spelled out to people, for its words may say what they should not", arguments: meaning)
    func errors(target: String) throws {
        for file in try Source.files(of: target, ending: ".swift") {
            #expect(!file.text.contains(/\\\(error\)/), "\(file.name)")
        }
    }

    @Test("No list is paged by OFFSET", arguments: table.keys.sorted())
    func offsets(target: String) throws {
        for file in try Source.files(of: target, ending: ".swift") {
            #expect(!file.text.contains(/\bOFFSET\b/), "\(file.name)")
        }
    }

    @Test("No source tries without looking, casts by force, or shares without a lock")
    func shortcuts() throws {
        for target in Self.table.keys {
            for file in try Source.files(of: target, ending: ".swift") {
                #expect(
                    !file.text.contains(/\btry!|\bas!|nonisolated\(unsafe\)|\bTODO\b|\bFIXME\b/), "\(file.name)")
                // The one lock of the house is where something unchecked may be shared.
                #expect(target == "ThreadKit" || !file.text.contains("@unchecked Sendable"), "\(file.name)")
                #expect(!file.name.contains(/Utils|Helpers|Extensions/), "\(file.name)")
            }
        }
    }

    @Test(
        "Every template of a room is listed in its Templates.swift, and nothing else is", arguments: table.keys.sorted()
    )
    func templates(target: String) throws {
        let present = try Source.files(of: target + "/Templates", ending: ".html").map(\.name)
        guard !present.isEmpty else { return }
        let list = try #require(try Source.files(of: target, ending: "Templates.swift").first).text
        let listed = list.matches(of: /"([^"]+\.html)": PackageResources\.(\w+)/)
        #expect(listed.map { String($0.1) }.sorted() == present.sorted())
        for entry in listed {
            #expect(String(entry.2) == entry.1.replacing(/[^A-Za-z0-9]/, with: "_"), "\(entry.1)")
        }
    }

    @Test("Every step of sql/ is listed in Schema.swift, in order, under its own name")
    func steps() throws {
        let present = try Source.sql().map { String($0.name.dropLast(4)) }.sorted()
        let schema = try #require(
            try Source.files(of: "Hub", ending: "Schema.swift").first { $0.name == "Schema.swift" }
        ).text
        let listed = schema.matches(of: /step\("([^"]+)", PackageResources\.(\w+)\)/)
        #expect(listed.map { String($0.1) } == present)
        for entry in listed { #expect("_\(entry.1.dropFirst())_sql" == entry.2) }
    }

    @Test("A step is one statement, led by a comment, and safe to run twice")
    func statements() throws {
        for file in try Source.sql() {
            #expect(file.text.hasPrefix("-- "), "\(file.name)")
            let code = file.text.replacing(/(?m)--.*$/, with: "").replacing(/'[^']*'/, with: "''")
            let statements = code.split(separator: ";").filter { !$0.allSatisfy(\.isWhitespace) }
            #expect(statements.count == 1, "\(file.name)")
            #expect(code.contains(/IF (NOT )?EXISTS|ON DUPLICATE KEY|INSERT IGNORE/), "\(file.name)")
            #expect(!code.contains(/\bOFFSET\b/), "\(file.name)")
        }
    }
}

/// The sources as they lie on the disk.
enum Source {
    struct File {
        let name: String
        let text: String
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Every file below a folder of Sources whose name ends so.
    static func files(of folder: String, ending suffix: String) throws -> [File] {
        try files(in: root.appending(path: "Sources/\(folder)"), ending: suffix)
    }

    static func sql() throws -> [File] { try files(in: root.appending(path: "sql"), ending: ".sql") }

    private static func files(in folder: URL, ending suffix: String) throws -> [File] {
        guard let walk = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) else { return [] }
        return try walk.compactMap { $0 as? URL }.filter { $0.lastPathComponent.hasSuffix(suffix) }.map {
            File(name: $0.lastPathComponent, text: try String(contentsOf: $0, encoding: .utf8))
        }.sorted { $0.name < $1.name }
    }
}
