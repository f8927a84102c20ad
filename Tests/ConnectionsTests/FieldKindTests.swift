import ClientKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing

@testable import Connections

@Suite struct FieldKindTests {
    private static let pem = "-----BEGIN CERTIFICATE-----\nMIIB+w==\n-----END CERTIFICATE-----"

    private func smtp(_ office: Office, _ more: String = "") throws -> (response: Response, body: JSON) {
        try office.json(
            .post, "connections",
            #"{"provider":"smtp","setup":{"host":"mail.example","from_email":"ana@acme.example"\#(more)}}"#)
    }

    @Test("A box is true or false for scripts, and yes or no for people")
    func boxes() throws {
        let office = try Office(permitting: [.anyCertificate])
        let (_, made) = try smtp(office, #","accept_any_certificate":true,"username":"ana","password":"secret""#)
        #expect(made["setup"]?["accept_any_certificate"] == true)
        let id = try #require(made["id"]?.text)
        #expect(
            try office.json(.get, "connections/\(id)/credentials").body["credentials"]?["accept_any_certificate"]
                == true)
        #expect(
            try office.door.send(.get, "/connections/\(id)", as: office.admin).text().contains(
                "<span class=\"mono\">yes</span>"))
        let path = "connections/\(id)"
        let off = try office.json(.patch, path, #"{"setup":{"accept_any_certificate":false}}"#).body
        #expect(off["setup"]?["accept_any_certificate"] == false)
        for wrong in [#""true""#, "1", "[]"] {
            let (response, body) = try office.json(.patch, path, #"{"setup":{"accept_any_certificate":\#(wrong)}}"#)
            #expect(
                response.status == 422 && refusals(body) == ["/setup/accept_any_certificate wrong_type"], "\(wrong)")
        }
    }

    @Test("A form that does not send a box says no, which is the careful answer")
    func unchecked() throws {
        let office = try Office(permitting: [.anyCertificate])
        let id = try #require(try smtp(office, #","accept_any_certificate":true"#).body["id"]?.text)
        let page = try office.door.send(.get, "/connections/\(id)/edit", as: office.admin).text()
        #expect(
            page.firstMatch(of: #/<input type="checkbox"[^>]*name="setup.accept_any_certificate"[^>]*checked/#) != nil)
        let form = [
            ("name", "default"), ("setup.host", "mail.example"), ("setup.port", "587"), ("setup.security", "auto"),
            ("setup.from_email", "ana@acme.example"),
        ]
        #expect(try office.door.send(.post, "/connections/\(id)/edit", as: office.admin, form: form).status == 303)
        #expect(try office.json(.get, "connections/\(id)").body["setup"]?["accept_any_certificate"] == false)
    }

    @Test(
        "Any certificate is accepted only where the operator permits it: not offered, not taken, and not used any more")
    func notPermitted() throws {
        let office = try Office()
        let (refused, body) = try smtp(office, #","accept_any_certificate":true"#)
        #expect(refused.status == 422 && refusals(body) == ["/setup/accept_any_certificate invalid"])
        let (made, _) = try smtp(office, #","accept_any_certificate":false"#)
        #expect(made.status == 201)
        let form = try office.door.send(.get, "/connections/new/smtp", as: office.admin).text()
        #expect(!form.contains("accept_any_certificate") && form.contains("setup.ca_certificate"))
        let fields = try office.json(.get, "providers/smtp").body["fields"]?.elements ?? []
        #expect(!fields.isEmpty && !fields.contains { $0["name"] == "accept_any_certificate" })

        let values = ["host": "mail.example", "accept_any_certificate": "true"]
        for permissions: Set<ProviderPermission> in [[], [.anyCertificate]] {
            let provider = try #require(try ProviderCatalogue(permitting: permissions)["smtp"])
            let probe = SMTPProbe(values, of: provider, deadline: .seconds(1))
            #expect(probe.verifiesCertificate == permissions.isEmpty)
        }
    }

    @Test("Several lines are taken where a field has room for them, and nowhere else")
    func lines() throws {
        let office = try Office()
        let written = JSON.string(Self.pem).bytes
        let certificate = String(decoding: written, as: UTF8.self)
        let (response, body) = try smtp(office, #","ca_certificate":\#(certificate)"#)
        #expect(response.status == 201)
        #expect(body["setup"]?["ca_certificate"] == .string(Self.pem))
        for wrong in [#""x""#, #""-----BEGIN CERTIFICATE-----\u0000-----END CERTIFICATE-----""#] {
            #expect(
                try refusals(smtp(office, #","ca_certificate":\#(wrong)"#).body) == ["/setup/ca_certificate invalid"])
        }
        #expect(try refusals(smtp(office, #","username":"a\r\nb""#).body) == ["/setup/username invalid"])
    }

    @Test("The catalogue tells to which hosts credentials may go")
    func hosts() throws {
        let office = try Office()
        let expected = [
            "telegram": ["api.telegram.org"], "sendgrid": ["api.sendgrid.com"], "openrouter": ["openrouter.ai"],
            "whatsapp": ["api.twilio.com"], "aws": ["*.amazonaws.com", "*.amazonaws.com.cn"], "smtp": [],
        ]
        for (key, hosts) in expected {
            #expect(try office.json(.get, "providers/\(key)").body["hosts"] == .array(hosts.map(JSON.string)))
        }
    }

    @Test(
        "A host that is none, and a box that is needed, are mistakes at their places",
        arguments: [
            (#""hosts": ["api.example.com", "EVIL"]"#, "boolean", "false", "2:33"),
            (#""hosts": ["https://api.example.com"]"#, "boolean", "false", "2:14"),
            (#""hosts": ["*"]"#, "boolean", "false", "2:14"),
            (#""hosts": ["a.*.com"]"#, "boolean", "false", "2:14"), (#""hosts": []"#, "boolean", "true", "3:"),
        ])
    func mistakes(hosts: String, kind: String, required: String, place: String) throws {
        let text = """
            {"key":"x","name":"X","kind":"credentials","category":"C","tile":{"letters":"X","color":"red"},
               \(hosts),
               "fields":[{"name":"host","label":"H","kind":"text"},{"name":"b","label":"B","kind":"\(kind)","required":\(required)}],
               "summary":"S","guide":[],"test":{"kind":"smtp","access":"A","metadata":[]}}
            """
        let error = try #require(throws: ProviderFileError.self) { try ProviderFile.read("x.json", Array(text.utf8)) }
        #expect(error.description.hasPrefix("x.json:\(place)"), "\(error)")
    }

    @Test("A region that is no part of a host name calls nobody, whatever its provider file lets through")
    func region() throws {
        let provider = try #require(try ProviderCatalogue()["aws"])
        let office = try Office()
        let values = ["access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "s", "region": "x.evil.example/"]
        let outcome = Tester(
            calls: office.room.serviceClient(
                Identifier<Connection>(office.house.world), of: office.organization, "AWS"),
            now: office.house.world.now
        ).test(provider, values)
        #expect(!outcome.isSuccess && outcome.sentence == "A region is written like eu-central-1.")
        #expect(office.service.requests.isEmpty)
    }
}
