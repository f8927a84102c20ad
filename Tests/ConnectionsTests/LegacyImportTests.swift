import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import Connections

/// What tables of former systems become here.
@Suite(.timeLimit(.minutes(15))) struct LegacyImports {
    /// Made by Python's cryptography 50.0.2, with the two keys below.
    static let keys =
        "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=, MCbqnN7veB2dfENm5aXg-bVYaLnECFaXq1ST9EXVAkw="
    static let telegram =
        "gAAAAABlU_EA0cRvi1Ls9btTl0vtwdYSpSGohsti4-X57Eeo9XiAx_lFtzGxjDq3NiqnW1GpYJtohOvMYYFiDZ20NoJKMv1-e-WKG3vjcFfAsE1QfE_jevF_X4cvc30leb-bruIhjicQ"
    static let whatsapp =
        "gAAAAABlU_EA8l5t-bvrUEYULLEZrptWYh3rgTwzUGq0bf-wb5z9omQFcm3v-Ii6GtavwftD3LnQymEbOCA6SLTz5kX1AiePSkrGnxJt9EFFjqqlzXtXnn9juZ-Q6_9LH9xzr3ISu7mM"

    let office: Office

    init() throws { office = try Office() }

    private func run(
        _ format: LegacyImport.Format, _ text: String, keys: String? = LegacyImports.keys, base: String? = nil,
        owner: String? = nil, overwrites: Bool = false, isRehearsal: Bool = false
    ) throws -> [String] {
        let how = LegacyImport(
            format, keys: try .init(fernetKeys: keys.map { Secret($0) }, secretKeyBase: base.map { Secret($0) }),
            owner: owner, overwrites: overwrites, isRehearsal: isRehearsal)
        var lines: [String] = []
        office.house.pass(.seconds(1))
        try office.room.importLegacy(Array(text.utf8), how, by: office.house.commandLine(office.organization)) {
            lines.append("\($0.kind.rawValue) \($0.name) \($0.detail)")
        }
        return lines
    }

    private func credentials(_ name: String) throws -> JSON {
        try office.json(.get, "connections/\(name)/credentials").body["credentials"] ?? .null
    }

    /// All rows of both tables, to see whether anything changed.
    private func everything() throws -> [String] {
        try office.house.database.rows(
            """
            SELECT CONCAT_WS('|', HEX(id), HEX(secrets_sealed), HEX(tokens_sealed), setup, status, version, updated_at) AS r
              FROM connections
             UNION ALL
            SELECT CONCAT_WS('|', HEX(connection_id), HEX(digest_sealed), imported_at) FROM legacy_imports
             UNION ALL
            SELECT CONCAT_WS('|', HEX(id), action) FROM audit_events
             LIMIT 1000
            """
        ).map { try $0.get("r") }
    }

    // MARK: Django

    private var django: String {
        """
        id,organization_id,provider,token_encrypted,extra,is_active,created_at,updated_at\r
        1,7,telegram,\(Self.telegram),"{""chat_id"": 5, ""note"": ""a, \\n""}",t,2025-03-01 10:00:00.123+00,2025-03-02 10:00:00+00
        2,7,whatsapp,\(Self.whatsapp),"{""account_sid"": ""AC0123456789abcdef0123456789abcdef"", ""from_whatsapp"": ""+14155238886""}",f,,
        3,7,sendgrid,,{},f,,
        4,7,elevenlabs,\(Self.telegram),{},t,,
        5,7,telegram
        """
    }

    @Test("Django's rows are taken over as CSV, their tokens opened by the second of two keys too, and told row by row")
    func djangoRows() throws {
        let lines = try run(.django, django)
        #expect(
            lines == [
                "imported telegram:default ", "imported whatsapp:default ",
                "imported sendgrid:default still needs api_key, from_email",
                "skipped elevenlabs there is no provider file for elevenlabs: add one and import again.",
                "failed - this is no row: it cannot be read.",
            ])
        let telegram = try credentials("telegram")
        #expect(
            telegram == ["bot_token": "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11", "chat_id": "5"], "\(telegram)")
        let one = try office.json(.get, "connections/telegram").body
        #expect(one["created_at"] == "2025-03-01T10:00:00.123Z" && one["enabled"] == true)
        let whatsapp = try office.json(.get, "connections/whatsapp").body
        #expect(whatsapp["status"] == "disabled" && whatsapp["setup"]?["from_whatsapp"] == "+14155238886")
        let listed = try office.door.send(.get, "/api/v1/connections", as: office.admin).text()
        #expect(!listed.contains("ABC-DEF") && !lines.joined().contains("ABC-DEF"))
    }

    @Test("A secret of extra that no field seals is left out and named, not stored where answers show it")
    func secretsOfExtra() throws {
        let row = """
            {"provider":"telegram","token_encrypted":"\(Self.telegram)","extra":{"webhook_secret_encrypted":"\(Self.telegram)",\
            "note_encrypted":"\(Self.telegram)","api_password":"hunter2","nested_token":{"a":"hunter2"},"note":"kept","chat_id":5}}
            """
        #expect(
            try run(.django, row)
                == ["imported telegram:default left out webhook_secret, note, api_password, nested_token"])
        let setup: String = try #require(
            try office.house.database.row("SELECT setup FROM connections")?.get("setup", as: String.self))
        #expect(try JSON(parsing: Array(setup.utf8)) == ["chat_id": "5", "~extra": #"{"note":"kept","chat_id":5}"#])
        let fact = #"{"provider":"google","org_id":1,"access_token":"a","metadata":{"bot_token":"hunter2","team":"x"}}"#
        #expect(try run(.supabase, fact) == ["imported google:default left out bot_token"])
        #expect(
            try office.json(.get, "connections/google").body["metadata"] == [["label": "Team", "value": "x"]])
    }

    @Test(
        "A grant that was taken over counts as one with its siblings, and a new row shows nothing that an old one did")
    func takenOver() throws {
        let rows =
            #"{"provider":"google_drive","org_id":1,"access_token":"ya29.a","refresh_token":"1//b","metadata":{}}"#
        #expect(try run(.supabase, rows).first?.hasPrefix("imported google_drive:default") == true)
        let view = try office.room.find(
            .named(provider: "google_drive", name: "default"), office.house.scope(of: office.admin))
        let row = try #require(try office.house.database.row("SELECT grant_key, grant_client FROM connections"))
        #expect(try row.get("grant_key", as: [UInt8]?.self) == view.keyOfUnknownGrant?.whole)
        #expect(try row.get("grant_client", as: [UInt8]?.self) == view.keyOfUnknownGrant?.client)
        func telegram(_ extra: String) -> String {
            #"{"provider":"telegram","token_encrypted":"\#(Self.telegram)","extra":{\#(extra)}}"#
        }
        _ = try run(.django, telegram(#""note":"shown""#))
        _ = try run(.django, telegram(""))
        let setup = try office.house.database.row("SELECT setup FROM connections WHERE provider = 'telegram'")
        #expect(try setup?.get("setup", as: String.self) == "{}")
    }

    @Test("A second run changes nothing, not even a time, nor does one after the tokens were changed here")
    func secondRun() throws {
        _ = try run(.django, django)
        let before = try everything()
        let again = try run(.django, django)
        #expect(again.prefix(3).allSatisfy { $0.hasPrefix("unchanged ") }, "\(again)")
        #expect(try everything() == before)
        _ = try office.json(.patch, "connections/telegram", #"{"setup":{"chat_id":"9"}}"#)
        let changed = try everything()
        #expect(try run(.django, django)[0] == "unchanged telegram:default ")
        #expect(try everything() == changed)
    }

    @Test("Run once more after it was stopped midway, it takes over what was left and nothing twice")
    func stopped() throws {
        struct Stopped: Error {}
        let how = LegacyImport(.django, keys: try .init(fernetKeys: Secret(Self.keys)))
        var seen = 0
        #expect(throws: Stopped.self) {
            try office.room.importLegacy(Array(django.utf8), how, by: office.house.commandLine(office.organization)) {
                _ in
                seen += 1
                if seen == 2 { throw Stopped() }
            }
        }
        let lines = try run(.django, django)
        #expect(lines.prefix(3).map { $0.prefix(9) } == ["unchanged", "unchanged", "imported "])
        #expect(
            try office.house.database.row("SELECT COUNT(*) AS n FROM connections")?.get("n", as: Int.self) == 3)
    }

    @Test("A rehearsal says the same and leaves nothing behind")
    func rehearsal() throws {
        let said = try run(.django, django, isRehearsal: true)
        #expect(try everything().isEmpty)
        #expect(try run(.django, django) == said)
    }

    @Test("What is newer here stays unless told otherwise, what is newer there is taken over")
    func newer() throws {
        func row(_ chat: String, _ updated: String) -> String {
            #"{"organization_id":1,"provider":"telegram","token_encrypted":"\#(Self.telegram)","extra":{"chat_id":"\#(chat)"},"is_active":true,"updated_at":"\#(updated)"}"#
        }
        _ = try office.telegram()
        let old = try run(.django, row("1", "2020-01-01T00:00:00Z"))
        #expect(old == ["skipped telegram:default what is here is newer: --overwrite replaces it."])
        #expect(try run(.django, row("2", "2090-01-01T00:00:00Z"))[0].hasPrefix("updated telegram:default"))
        #expect(try credentials("telegram")["chat_id"] == "2")
        // Untouched since, so that a row which changed at its former home is taken over once more.
        #expect(try run(.django, row("3", "2020-01-01T00:00:00Z"))[0].hasPrefix("updated"))
        office.house.pass(.seconds(1))
        _ = try office.json(.patch, "connections/telegram", #"{"setup":{"chat_id":"9"}}"#)
        #expect(try run(.django, row("4", "2020-01-01T00:00:00Z"))[0].hasPrefix("skipped"))
        #expect(try credentials("telegram")["chat_id"] == "9")
        #expect(try run(.django, row("4", "2020-01-01T00:00:00Z"), overwrites: true)[0].hasPrefix("updated"))
        #expect(try credentials("telegram")["chat_id"] == "4")
    }

    @Test("A connection that was removed here does not come back by itself")
    func removed() throws {
        let row = #"{"key":"integration:telegram:alerts","value_json":{"bot_token":"\#(Office.token)"}}"#
        #expect(try run(.phoenixkit, row) == ["imported telegram:alerts "])
        #expect(try office.json(.delete, "connections/telegram:alerts").response.status == 204)
        #expect(try run(.phoenixkit, row) == ["unchanged telegram:alerts "])
        let changed = row.replacing("ew11", with: "ew12")
        #expect(try run(.phoenixkit, changed) == ["skipped telegram:alerts its connection was removed here."])
        #expect(try run(.phoenixkit, changed, overwrites: true) == ["imported telegram:alerts "])
    }

    @Test("Without the right key a row fails with its reason, and the others are taken over")
    func keys() throws {
        let none = try run(.django, django, keys: nil)
        #expect(none[0].hasPrefix("failed telegram it is encrypted: set FERNET_KEY"))
        let wrong = try run(.django, django, keys: "MCbqnN7veB2dfENm5aXg-bVYaLnECFaXq1ST9EXVAkw=")
        #expect(wrong[0] == "failed telegram its token cannot be opened: no key at hand opens the Fernet token.")
        #expect(wrong[1] == "imported whatsapp:default ")
        #expect(throws: LegacyFileError.self) { _ = try run(.django, django, keys: "nonsense") }
    }

    @Test("A file with the rows of several organizations is refused until one is chosen")
    func owners() throws {
        let rows =
            #"[{"organization_id":1,"provider":"telegram","token_encrypted":"\#(Self.telegram)"},{"model":"integrations.integration","pk":9,"fields":{"organization":2,"provider":"whatsapp","token_encrypted":"\#(Self.whatsapp)","extra":{}}}]"#
        #expect(throws: LegacyFileError("The file holds rows of 2 organizations: choose one of 1, 2.")) {
            _ = try run(.django, rows)
        }
        #expect(try everything().isEmpty)
        #expect(
            try run(.django, rows, owner: "2") == [
                "imported whatsapp:default still needs account_sid, from_whatsapp"
            ])
    }

    // MARK: PhoenixKit

    @Test("PhoenixKit's settings are taken over, old keys and encrypted values included")
    func settings() throws {
        let rows = """
            {"uuid":"1","key":"document_creator_google_oauth","value_json":{"client_id":"1234567890.apps.googleusercontent.com","client_secret":"s3cret","access_token":"ya29.legacy","refresh_token":"1//legacy","token_type":"Bearer","expires_in":3600,"token_obtained_at":"2026-03-15T10:00:00Z","connected_email":"legacy@gmail.example","templates_folder_id":"f1"}}
            {"uuid":"2","key":"integration:openrouter:My_Key","value_json":{"provider":"openrouter","name":"My_Key","auth_type":"api_key","status":"connected","api_key":"enc:v1:AAECAwQFBgcICQoLnBMjaCz9IwDCQHQJ9d5GWkPQi88YrYxfvosiSHSXFldnWEeyWsKjnsM="}}
            {"uuid":"3","key":"integration:telegram","value_json":"{\\"bot_token\\":\\"\(Office.token)\\"}"}
            {"uuid":"4","key":"integration:aws:default","value_json":{"access_key":"AKIAIOSFODNN7EXAMPLE","secret_key":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}}
            {"uuid":"5","key":"site_title","value":"Acme"}
            {"uuid":"6","key":"integration:google:default","value_json":{}}
            nonsense
            """
        let base = "a-secret-key-base-of-sixty-four-characters-as-phoenix-makes-them"
        let lines = try run(.phoenixkit, rows, base: base)
        #expect(
            lines == [
                "imported openrouter:my-key ", "imported aws:default ",
                "skipped integration:google:default it is empty.", "failed - this is no row: it cannot be read.",
                "imported google:default left out templates_folder_id", "imported telegram:default ",
                "skipped site_title it is no integration.",
            ])
        #expect(try credentials("openrouter:my-key")["api_key"] == "sk-or-v1-abcdefghijklmnop")
        #expect(try credentials("aws")["region"] == "us-east-1")
        let google = try office.json(.get, "connections/google").body
        #expect(google["metadata"] == [["label": "Account", "value": "legacy@gmail.example"]])
        let row = try #require(
            try office.house.database.row(
                "SELECT token_expires_at, refresh_due_at, status FROM connections WHERE provider = 'google'"))
        #expect(try row.get("token_expires_at") == Timestamp(rfc3339: "2026-03-15T11:00:00Z"))
        #expect(try row.get("refresh_due_at") == Timestamp(rfc3339: "2026-03-15T10:55:00Z"))
        #expect(try row.get("status") == "connected")
        let sealed = try run(.phoenixkit, rows, base: "another")
        #expect(
            sealed.contains(
                "failed integration:openrouter:My_Key its encrypted values do not open with this SECRET_KEY_BASE."))
    }

    @Test("An older form of a row gives way to the newer one of the same file, wherever it stands")
    func olderForms() throws {
        let rows = """
            [{"key":"integration:telegram","value_json":{"bot_token":"\(Office.token.replacing("ew11", with: "ew99"))"}},
             {"key":"integration:telegram:default","value_json":{"bot_token":"\(Office.token)"}}]
            """
        #expect(
            try run(.phoenixkit, rows) == [
                "imported telegram:default ",
                "skipped telegram:default another row has given a connection of this name.",
            ])
        #expect(try credentials("telegram")["bot_token"] == .string(Office.token))
    }

    // MARK: Supabase

    @Test("Supabase's rows bring tokens, their end, scopes and metadata")
    func supabase() throws {
        let rows = """
            id,org_id,provider,access_token,refresh_token,scope,expires_at,status,last_sync_at,metadata,created_at,updated_at
            11111111-1111-4111-8111-111111111111,22222222-2222-4222-8222-222222222222,google,ya29.abc,1//def,"openid email",2026-11-21 12:00:00+00,connected,,"{""root_folder_id"": ""0A"", ""quota"": {""used"": 1}}",2026-01-01 00:00:00+00,2026-01-02 00:00:00+00
            """
        #expect(try run(.supabase, rows) == ["imported google:default "])
        let google = try office.json(.get, "connections/google").body
        #expect(google["metadata"] == [["label": "Root folder id", "value": "0A"]])
        let row = try #require(
            try office.house.database.row("SELECT granted_scopes, token_expires_at FROM connections"))
        #expect(try row.get("granted_scopes") == "openid email")
        #expect(try row.get("token_expires_at") == Timestamp(rfc3339: "2026-11-21T12:00:00Z"))
        #expect(try credentials("google")["access_token"] == "ya29.abc" || credentials("google") == .null)
        #expect(try run(.supabase, rows) == ["unchanged google:default "])
        let events = try office.house.database.rows(
            "SELECT data FROM domain_events WHERE type = 'connection.connected' LIMIT 10")
        try #require(events.count == 1, "once, and what is no news never")
        let data = try JSON(parsing: Array(events[0].get("data", as: String.self).utf8))
        #expect(data["status"] == ["from": "disconnected", "to": "connected"] && data["provider"] == "google")
    }

    // MARK: Files

    @Test(
        "A file that makes no sense is refused whole, without a word of its content",
        arguments: ["[1,", "just text", "a,b\n\"never ends"])
    func nonsense(text: String) throws {
        #expect(throws: LegacyFileError.self) { _ = try run(.django, text) }
    }

    @Test(
        "Hostile rows fail by themselves",
        arguments: [
            #"{"provider":"telegram","token_encrypted":"x"}"#, #"{"provider":"../x","token_encrypted":"x"}"#,
            #"{"provider":{"a":1}}"#, #"[[],1,null]"#, #"{"provider":"telegram","extra":"{"}"#,
        ])
    func hostile(text: String) throws {
        let lines = try run(.django, text)
        #expect(!lines.isEmpty && lines.allSatisfy { !$0.contains("../x") })
        #expect(
            try office.house.database.row("SELECT COUNT(*) AS n FROM connections WHERE secrets_sealed IS NOT NULL")?
                .get("n", as: Int.self) == 0)
    }

    @Test(
        "Moments are read in every form that dumps have",
        arguments: [
            "2026-03-15T10:00:00Z", "2026-03-15 10:00:00", "2026-03-15 10:00:00+00", "2026-03-15 11:00:00.000+01",
            "2026-03-15 12:30:00+02:30", "1773568800",
        ])
    func moments(text: String) throws {
        #expect(Timestamp(legacy: .string(text)) == Timestamp(rfc3339: "2026-03-15T10:00:00Z"))
    }
}
