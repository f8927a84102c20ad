import AdminShell
import Foundation
import HTTPKit
import JSONKit
import Testing

@testable import Hub

/// The API's description against the routes that there are.
@Suite(.timeLimit(.minutes(15))) struct APIDescription {
    private let document: JSON
    private let site: Site

    init() throws {
        site = try #require(
            Site(
                publicURL: "https://site.example/hub", name: "Hub",
                assets: .init(css: "hub.css", script: "hub.js", icon: "icon.svg")))
        document = site.apiDocument.json
    }

    /// Every operation: its address, its method and itself.
    private var operations: [(path: String, method: String, operation: JSON)] {
        (document["paths"]?.members ?? []).flatMap { path in
            (path.value.members ?? []).map { (path.name, $0.name, $0.value) }
        }
    }

    @Test("Every address that scripts call is described with every method it takes, and nothing else is")
    func complete() throws {
        let door = try FrontDoor()
        var described: Set<String> = []
        for route in door.built.house.rooms.flatMap(\.described) {
            guard EveryRoute.isScript(route.path) else {
                #expect(route.api == nil, "\(route.path) is a page")
                continue
            }
            let api = try #require(route.api, "\(route.path) is not described")
            #expect(Set(api.operations.keys) == Set(route.access.methods), "\(route.path)")
            #expect(api.matches(route.path), "\(api.template) is not \(route.path)")
            let written = try #require(document["paths"]?[api.template], "\(route.path) is not in the document")
            #expect(Set((written.members ?? []).map(\.name)) == Set(route.access.methods.map { $0.name.lowercased() }))
            described.insert(api.template)
        }
        #expect(described == Set((document["paths"]?.members ?? []).map(\.name)))
    }

    @Test("Every reference leads somewhere, and everything that is kept for reference is referred to")
    func references() {
        var found: Set<String> = []
        func walk(_ value: JSON) {
            for member in value.members ?? [] {
                if member.name == "$ref", let text = member.value.text { found.insert(text) }
                walk(member.value)
            }
            value.elements?.forEach(walk)
        }
        walk(document)
        let check = SchemaCheck(document)
        for reference in found { #expect(check.resolved(["$ref": .string(reference)]) != nil, "\(reference)") }
        for kind in ["schemas", "parameters", "headers", "responses"] {
            for part in document["components"]?[kind]?.members ?? [] {
                #expect(found.contains("#/components/\(kind)/\(part.name)"), "\(kind) \(part.name)")
            }
        }
    }

    @Test("Every operation has a name of its own, a sentence, its scope, and only the answers that it can give")
    func operationsAreWhole() {
        let ids = operations.compactMap { $0.operation["operationId"]?.text }
        #expect(Set(ids).count == operations.count && operations.count > 30)
        for (path, method, operation) in operations {
            let place = "\(method) \(path)"
            #expect(operation["summary"]?.text?.hasSuffix(".") == true, "\(place)")
            let statuses = (operation["responses"]?.members ?? []).map(\.name)
            #expect(Set(statuses).count == statuses.count, "\(place): \(statuses)")
            let isOpen = operation["security"] == []
            // A service or an app proves who it is by what it sends, and without a credential of the hub's.
            let isProved = path.hasSuffix("/callback") || path == "/inbound/{id}" || path.hasPrefix("/oauth/")
            #expect(isOpen != statuses.contains("401") || isProved, "\(place)")
            #expect(
                (operation["requestBody"] != nil && !path.contains("/proxy/")) == statuses.contains("415"), "\(place)")
            #expect(
                (method == "post" && !isOpen && !path.contains("/proxy/")) == has(operation, "idempotencyKey"),
                "\(place)")
            #expect(has(operation, "ifMatch") == statuses.contains("412"), "\(place)")
            let named = path.matches(of: /\{([a-z_]+)\}/).map { String($0.1) }
            let given = (operation["parameters"]?.elements ?? []).filter { $0["in"] == "path" }.compactMap {
                $0["name"]?.text
            }
            #expect(named == given, "\(place)")
        }
    }

    private func has(_ operation: JSON, _ parameter: String) -> Bool {
        (operation["parameters"]?.elements ?? []).contains {
            $0["$ref"]?.text == "#/components/parameters/\(parameter)"
        }
    }

    @Test("Every example is one that its schema allows")
    func examples() {
        var count = 0
        func walk(_ value: JSON, _ place: String) {
            if let schema = value["schema"], let example = value["example"] {
                var check = SchemaCheck(document)
                check.check(example, schema, at: place)
                #expect(check.faults == [])
                count += 1
            }
            for member in value.members ?? [] where member.name != "example" {
                walk(member.value, place + "/" + member.name)
            }
            for (index, element) in (value.elements ?? []).enumerated() { walk(element, "\(place)/\(index)") }
        }
        walk(document["paths"] ?? .null, "")
        #expect(count > 60)
    }

    @Test("What is sent is closed and bounded: no unknown member, no endless text, list or object")
    func bodiesAreBounded() {
        func judge(_ schema: JSON, _ place: String) {
            guard let schema = SchemaCheck(document).resolved(schema) else { return }
            let types = schema["type"]?.text.map { [$0] } ?? schema["type"]?.elements?.compactMap(\.text) ?? []
            if types.contains("string"), schema["enum"] == nil, schema["format"] == nil {
                #expect(schema["maxLength"] != nil, "\(place) has no end")
            }
            if types.contains("array") { #expect(schema["maxItems"] != nil, "\(place) has no end") }
            // What a program registers may say more than is known here (RFC 7591 §2).
            if types.contains("object"), !place.contains(" /oauth/register") {
                #expect(schema["additionalProperties"] != nil, "\(place) is open")
            }
            for field in schema["properties"]?.members ?? [] { judge(field.value, place + "/" + field.name) }
            if let items = schema["items"] { judge(items, place + "/items") }
            for kind in schema["anyOf"]?.elements ?? [] { judge(kind, place) }
        }
        for (path, method, operation) in operations {
            if let schema = operation["requestBody"]?["content"]?["application/json"]?["schema"] {
                judge(schema, "\(method) \(path)")
            }
        }
    }

    @Test(
        "The document says where this hub stands, whatever the mount, and browsers may keep it as long as it is right")
    func served() throws {
        for publicURL in ["http://127.0.0.1:8080", "https://site.example/hub"] {
            let door = try FrontDoor(at: publicURL)
            let answer = try Visitor(door).get("/api/openapi.json")
            #expect(answer.status == 200 && answer.headers["content-type"] == "application/json")
            let served = try JSON(parsing: Array(answer.text.utf8))
            #expect(served["servers"]?[0]?["url"]?.text == publicURL && served["openapi"] == "3.1.1")
            let tag = try #require(answer.headers["etag"])
            let again = try Visitor(door).get("/api/openapi.json", headers: ["if-none-match": tag])
            #expect(again.status == 304 && again.text.isEmpty)
        }
    }

    @Test("People read the same as a page, strangers without the frame and members in it")
    func page() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let (stranger, member) = (Visitor(door), try door.signedIn("ana@acme.example"))
        for visitor in [stranger, member] {
            let overview = try visitor.get("/api/docs")
            var chapters: [String: Response] = [:]
            for (path, _, operation) in operations {
                let (id, tag) = (operation["operationId"]?.text ?? "", operation["tags"]?[0]?.text ?? "")
                let place = "/api/docs/" + tag.lowercased().map { $0.isLetter || $0.isNumber ? "\($0)" : "-" }.joined()
                #expect(overview.text.contains("\(place)#\(id)\"") && overview.text.contains(path))
                let chapter = try chapters[place] ?? visitor.get(place)
                chapters[place] = chapter
                #expect(chapter.text.contains(path) && chapter.text.contains("id=\"\(id)\""), "\(place)")
            }
            for answer in [overview] + chapters.values {
                #expect(answer.status == 200 && answer.headers["content-type"] == "text/html; charset=utf-8")
                #expect(!answer.text.contains("is_code"), "a template shows through")
                #expect(answer.text.contains("Sign out") == (visitor === member))
            }
            let nowhere = try visitor.get("/api/docs/no-such-chapter")
            #expect(nowhere.status == 404 && nowhere.headers["content-type"] == "text/html; charset=utf-8")
        }
    }

    @Test("Every problem that the house may answer is one that its operation describes")
    func problems() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let key = try door.key()
        for route in door.built.house.rooms.flatMap(\.described) {
            guard let api = route.api, !api.isPassedOn else { continue }
            for method in api.operations.keys {
                let operation = document["paths"]?[api.template]?[method.name.lowercased()]
                for headers in [[:], ["x-api-key": key], ["x-api-key": key, "x-org-id": "x"]] as [Headers] {
                    for body in [nil, "{", "[]", #"{"no_such_member":1}"#] as [String?]
                    where body == nil || !method.isSafe {
                        let answer = try Visitor(door).send(
                            method, route.path + "?limit=0", json: body, headers: headers)
                        try conforms(answer, to: operation, "\(method) \(route.path) \(body ?? "")")
                    }
                }
            }
        }
    }

    private func conforms(_ answer: Response, to operation: JSON?, _ place: String) throws {
        guard answer.headers["allow"] == nil else { return }
        var check = SchemaCheck(document)
        let described = operation?["responses"]?["\(answer.status.code)"].flatMap { check.resolved($0) }
        let response = try #require(described, "\(place) answered \(answer.status.code): \(answer.text)")
        guard let type = answer.headers["content-type"] else { return }
        let known = response["content"]?[type] ?? response["content"]?[String(type.prefix { $0 != ";" })]
        let media = try #require(known, "\(place) answered \(type)")
        if let schema = media["schema"], type.hasPrefix("application/") {
            check.check(try JSON(parsing: Array(answer.text.utf8)), schema, at: place)
        }
        #expect(check.faults == [])
    }
}

extension APIPath {
    /// Whether a path is one of those that the template writes.
    func matches(_ path: String) -> Bool {
        let steps = template.split(separator: "/", omittingEmptySubsequences: false)
        let given = path.split(separator: "/", omittingEmptySubsequences: false)
        guard steps.count == given.count + (isPassedOn ? 1 : 0) else { return false }
        return zip(steps, given).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
    }
}
