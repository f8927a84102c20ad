import Foundation
import HTTPKit
import LogKit
import Testing

@testable import Hub

@Suite struct SettingsAsGiven {
    private func settings(_ environment: [String: String], file: String? = nil) throws -> Settings {
        guard let file else { return try Settings(environment: environment, cores: 4) }
        let path = NSTemporaryDirectory() + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(file.utf8).write(to: URL(filePath: path))
        return try Settings(environment: environment.merging(["HUB_CONFIG": path]) { $1 }, cores: 4)
    }

    private func complaints(_ environment: [String: String], file: String? = nil) -> [String] {
        do { _ = try settings(environment, file: file) } catch let error as SettingsError {
            return error.complaints
        } catch {}
        return []
    }

    @Test("Each setting says where it came from; the environment stands over the file, the file over the default")
    func sources() throws {
        let settings = try settings(["HUB_LANES": "7", "OTHER": "x"], file: "HUB_LANES=5\nHUB_WORKERS=3\n")
        #expect(settings[.lanes]?.text == "7" && settings[.lanes]?.source == "environment")
        #expect(settings[.workers]?.text == "3" && settings[.workers]?.source.hasSuffix(":2") == true)
        #expect(settings[.databaseConnections]?.source == "default" && settings[.publicURL] == nil)
        #expect(throws: SettingsError.self) { try settings.text(.publicURL) }
    }

    @Test("Clients of services are taken from environment and file, and nothing else that is set there")
    func clients() throws {
        let settings = try settings(
            [
                "SHOPIFY_CLIENT_ID": "from-environment", "HUB_DATABASE_URL": "x", "PATH": "/bin",
                "SLACK_CLIENT_SECRET": "",
            ],
            file: "SHOPIFY_CLIENT_ID=from-file\nSHOPIFY_CLIENT_SECRET=s3cret\n")
        #expect(settings.serviceVariable("SHOPIFY_CLIENT_ID")?.reveal { $0 } == "from-environment")
        #expect(settings.serviceVariable("SHOPIFY_CLIENT_SECRET")?.reveal { $0 } == "s3cret")
        for name in ["PATH", "HUB_DATABASE_URL", "SLACK_CLIENT_SECRET", "HUB_CLIENT_SECRET"] {
            #expect(settings.serviceVariable(name) == nil, "\(name)")
        }
        #expect(settings.serviceSources.map(\.name) == ["SHOPIFY_CLIENT_ID", "SHOPIFY_CLIENT_SECRET"])
        #expect(complaints(["HUB_CLIENT_SECRET": "x"]).count == 1 && complaints([:], file: "PATH=/bin").count == 1)
    }

    @Test("A file may have comments, blank lines, spaces, CR LF, and = in its values")
    func file() throws {
        let settings = try settings(
            [:], file: "# a\r\n\r\n  HUB_LANES = 5  \r\nHUB_DATABASE_URL=mysql://u:p@h/n?socket=/x=y\r\n\tHUB_WORKERS=2"
        )
        #expect(settings[.lanes]?.text == "5" && settings[.databaseURL]?.text == "mysql://u:p@h/n?socket=/x=y")
        #expect(settings[.workers]?.text == "2" && settings[.workers]?.source.hasSuffix(":5") == true)
    }

    @Test("Every unknown name and unreadable line is named at once, with its place and without its value")
    func unknown() {
        let found = complaints(
            ["HUB_LANE": "s3cret", "HUB_config": "s3cret"], file: "HUB_X=s3cret\nnonsense s3cret\nHUB_LANES=1")
        #expect(
            found.count == 4 && found.joined().contains("HUB_LANE (environment)")
                && found.joined().contains(":2 is no line"))
        #expect(!found.joined().contains("s3cret"))
        #expect(complaints(["HUB_CONFIG": "/nowhere/hub.conf"]).first?.contains("cannot be read") == true)
    }

    @Test(
        "What is wrong with a value is said without the value",
        arguments: ["", "x", "0", "-1", "99999", "1.0", "9999999999999999999999", " 5"])
    func ranges(value: String) throws {
        let settings = try settings(["HUB_LANES": value])
        do {
            _ = try settings.number(.lanes, 1...128)
            Issue.record("taken")
        } catch {
            #expect(
                error.complaints.count == 1
                    && error.description.hasPrefix("HUB_LANES (environment) must be a whole number"))
        }
    }

    @Test("Every setting has a meaning, and its name follows the rule, but for one that an older contract has named")
    func meanings() {
        for setting in Setting.allCases {
            let isNamedByRule = setting == .siteURL || setting.rawValue.wholeMatch(of: /HUB_[A-Z_]+/) != nil
            #expect(setting.meaning.hasSuffix(".") && isNamedByRule, "\(setting)")
        }
    }

    @Test("README's table names every setting in its order, with its default and its meaning")
    func table() throws {
        let readme = try String(contentsOf: Source.root.appending(path: "README.md"), encoding: .utf8)
        let rows = readme.split(separator: "\n").filter { $0.hasPrefix("| `HUB_") || $0.hasPrefix("| `SITE_") }
        let expected = Setting.allCases.map { setting in
            let (one, two, three) = (
                setting.standard(cores: 1), setting.standard(cores: 2), setting.standard(cores: 3)
            )
            let text =
                switch one {
                case nil: "must be set"
                case ""?: ""
                case let one? where one == two && one != three: "cores, at least \(one)"
                case let one? where one != three: "\(one) × cores"
                case let one?: "`\(one)`"
                }
            return "| `\(setting.rawValue)` | \(text) | \(setting.meaning) |"
        }
        #expect(rows.map(String.init) == expected)
    }

    @Test(
        "Proxies that may say for whom they ask are named exactly, and never all there are",
        arguments: [
            ("", 0), ("10.0.0.7", 1), ("10.0.0.7, 10.1.0.0/28,2001:db8::7", 3), ("::ffff:10.0.0.7", 1),
            ("0.0.0.0/0", nil), ("10.0.0.7,::/0", nil), ("::ffff:0:0/96", nil), ("unix:", nil), ("proxy.example", nil),
            ("10.0.0.7;", nil),
            ("10.0.0.7 10.0.0.8", nil),
        ] as [(String, Int?)])
    func proxies(listed: String, count: Int?) {
        #expect(TrustedProxies(listed: listed)?.networks.count == count)
    }

    @Test("nginx is told in its own words whom to believe")
    func proxyLines() {
        #expect(
            TrustedProxies(listed: "10.0.0.7,2001:db8::/64")?.nginxLines
                == "set_real_ip_from 10.0.0.7; set_real_ip_from 2001:db8::/64; real_ip_header X-Forwarded-For; real_ip_recursive on;"
        )
        #expect(TrustedProxies(listed: "")?.nginxLines == nil)
    }

    @Test("A proxy's address with a word of the client's shows that nginx lacks its lines; anything else does not")
    func proxyWatch() throws {
        let watch = ProxyWatch(try #require(TrustedProxies(listed: "10.0.0.0/28")), log: Log(threshold: .error))
        let path = try #require(Path("/"))
        let forwarded: Headers = ["X-Forwarded-For": "203.0.113.9"]
        #expect(watch.shows(Request(path: path, headers: forwarded, remoteAddress: "10.0.0.7")))
        #expect(!watch.shows(Request(path: path, headers: forwarded, remoteAddress: "203.0.113.9")))
        // The proxy looks for itself whether the hub lives.
        #expect(!watch.shows(Request(path: path, remoteAddress: "10.0.0.7")))
    }
}

/// The files that a server is set up with, which must agree although no program reads them all.
@Suite struct ShippedFiles {
    private func text(_ path: String) throws -> String {
        try String(contentsOf: Source.root.appending(path: path), encoding: .utf8)
    }

    @Test("nginx, the unit and the folder's own file name one folder for the gate, outside the hub's closed one")
    func gateFolder() throws {
        let (nginx, unit) = (try text("nginx/hub-upstream.conf"), try text("nginx/systemd/hub.service"))
        let match = try #require(nginx.firstMatch(of: /map "" \$hub_gate_folder \{\s+default ([^;]+);/))
        let folder = String(match.1)
        #expect(unit.contains("\nEnvironment=HUB_GATE_FOLDER=\(folder)\n"))
        #expect(unit.contains("\nReadWritePaths=-\(folder)\n"))
        #expect(try text("nginx/systemd/hub-gate.tmpfiles.conf").contains("\nd \(folder) 2770 hub www-data -\n"))
        #expect(unit.contains("\nStateDirectory=hub\nStateDirectoryMode=0700\n") && !folder.hasPrefix("/var/lib/hub"))
    }

    @Test("What is wrong keeps the unit from nothing, systemd hears of readiness, and a reload reads the settings anew")
    func unit() throws {
        let unit = try text("nginx/systemd/hub.service")
        let checks = unit.matches(of: /(?m)^ExecStartPre=(.*)$/).map { String($0.1) }
        #expect(checks.count == 1 && checks.allSatisfy { $0.hasPrefix("-") })
        #expect(unit.contains("\nType=notify\n"))
        // A credential is a copy made at the start.
        #expect(!unit.contains("LoadCredential=hub.conf") && unit.contains("\nEnvironment=HUB_CONFIG=/etc/"))
    }
}
