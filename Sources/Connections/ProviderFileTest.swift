import ClientKit
import JSONKit

/// The test of a provider file: what is called, with which values, and what the answer tells.
extension ProviderFile {
    /// What a call over HTTP is told by.
    static let callMembers: Set<String> = [
        "method", "url", "headers", "bearer", "basic", "parameters", "body", "json", "success", "error",
    ]

    /// The test, or the tests of which the first is made that has all of its values.
    func tests(_ top: Object, fields: [ProviderField]) throws(ProviderFileError) -> [ProviderTest] {
        guard let values = top.members["test"]?.elements else { return [try test("/test", top, fields)] }
        guard (1...3).contains(values.count) else {
            throw wrong(top, "test", "test is one test, or a list of up to 3.")
        }
        return try values.enumerated().map { (index, value) throws(ProviderFileError) in
            let inner = top.members.merging(["test": value]) { _, new in new }
            return try test("/test/\(index)", Object(pointer: "", members: inner), fields)
        }
    }

    private func test(
        _ pointer: String, _ top: Object, _ fields: [ProviderField]
    ) throws(ProviderFileError) -> ProviderTest {
        let common: Set<String> = ["kind", "access", "metadata", "notice"]
        let test = try object(pointer, top.members["test"], common.union(Self.callMembers))
        let call: ProviderTest.Call
        let kind = try text(test, "kind")
        switch kind {
        case "http":
            let tokens = top.members["oauth"] == nil ? [] : ["access_token"]
            call = .http(try httpCall(test, fields: fields, tokens: tokens))
        case "aws_caller_identity":
            try require(["access_key_id", "secret_access_key"], among: fields, test)
            call = .awsCallerIdentity
        case "smtp":
            try require(["host"], among: fields, test)
            call = .smtp
        default: throw wrong(test, "kind", "kind is http, aws_caller_identity or smtp.")
        }
        if kind != "http" { _ = try object(pointer, top.members["test"], common) }
        let access = try text(test, "access")
        for hole in Holes.names(in: access) where hole.hasPrefix("setup.") {
            guard fields.contains(where: { "setup.\($0.name)" == hole && $0.kind != .secret }) else {
                throw wrong(test, "access", "there is no field to show named \(hole.dropFirst(6)).")
            }
        }
        let notice = try optionalText(test, "notice")
        if case .http(let call) = call, call.method == .post, top.members["kind"]?.text == "webhook", notice == nil {
            throw wrong(test, "notice", "a test that posts to a webhook must say so in notice.")
        }
        return ProviderTest(call: call, access: access, metadata: try facts(test, "metadata"), notice: notice)
    }

    /// What is worth showing of an answer: a list of labels and paths.
    func facts(_ object: Object, _ member: String) throws(ProviderFileError) -> [ProviderTest.Fact] {
        try list(object, member, atMost: 20).enumerated().map { (index, value) throws(ProviderFileError) in
            let fact = try self.object("\(object.pointer)/\(member)/\(index)", value, ["label", "path"])
            return ProviderTest.Fact(label: try text(fact, "label"), path: try text(fact, "path"))
        }
    }

    private func require(_ names: [String], among fields: [ProviderField], _ test: Object) throws(ProviderFileError) {
        for name in names where !fields.contains(where: { $0.name == name }) {
            throw wrong(test, "kind", "a test of this kind needs a field \(name).")
        }
    }

    /// A request over HTTP.
    ///
    /// - Parameter tokens: what its holes may be besides fields of the set-up.
    func httpCall(
        _ test: Object, fields: [ProviderField], tokens: [String] = []
    ) throws(ProviderFileError) -> ProviderTest.HTTPCall {
        let method = try text(test, "method")
        guard let method = OutboundRequest.Method(rawValue: method) else {
            throw wrong(test, "method", "there is no method \(method).")
        }
        let basic = try optionalTexts(test, "basic")
        guard basic == nil || basic?.count == 2 else { throw wrong(test, "basic", "basic is a user and a password.") }
        let bearer = try optionalText(test, "bearer")
        for text in [bearer, basic?[0], basic?[1]].compactMap(\.self) {
            try checkHoles(of: text, fields, test, bearer == text ? "bearer" : "basic", besides: tokens)
        }
        let (statuses, condition) = try success(test)
        return ProviderTest.HTTPCall(
            method: method, url: try address(test, "url", fields, tokens: tokens),
            headers: try headers(test, fields, tokens),
            bearer: bearer,
            basic: basic.map { ($0[0], $0[1]) }, statuses: statuses, condition: condition,
            error: try optionalText(test, "error"),
            parameters: try parameters(test, "parameters", fields, tokens: tokens),
            bodyFormat: try choice(test, "body", else: .form), json: try json(test, fields, tokens))
    }

    /// A body of JSON with holes.
    private func json(
        _ test: Object, _ fields: [ProviderField], _ tokens: [String]
    ) throws(ProviderFileError) -> JSON? {
        guard let json = test.members["json"] else { return nil }
        guard test.members["parameters"] == nil, test.members["body"] == nil else {
            throw wrong(test, "json", "json stands instead of parameters and body.")
        }
        for text in json.texts { try checkHoles(of: text, fields, test, "json", besides: tokens) }
        return json
    }

    private func headers(
        _ test: Object, _ fields: [ProviderField], _ tokens: [String]
    ) throws(ProviderFileError) -> [(name: String, value: String)] {
        guard let value = test.members["headers"] else { return [] }
        let names = Set((value.members ?? []).map(\.name))
        let headers = try object("\(test.pointer)/headers", value, names)
        return try names.sorted().map { (name) throws(ProviderFileError) in
            let value = try text(headers, name)
            try checkHoles(of: name, fields, headers, name)
            try checkHoles(of: value, fields, headers, name, besides: tokens)
            return (name, value)
        }
    }

    private func success(
        _ test: Object
    ) throws(ProviderFileError) -> (statuses: [Int], condition: (path: String, value: JSON)?) {
        let success = try object("\(test.pointer)/success", test.members["success"], ["status", "path", "equals"])
        let statuses = try list(success, "status").map(\.wholeNumber)
        guard !statuses.isEmpty, statuses.allSatisfy({ $0.map { (200...599).contains($0) } ?? false }) else {
            throw wrong(success, "status", "status is a list of numbers from 200 to 599.")
        }
        let path = try optionalText(success, "path")
        guard (path == nil) == (success.members["equals"] == nil) else {
            throw wrong(success, "path", "path and equals go together.")
        }
        return (statuses.compactMap { $0.map { Int($0) } }, path.map { ($0, success.members["equals"] ?? .null) })
    }

    /// Every hole is a field of the set-up, or one of the others that the text may have.
    func checkHoles(
        of text: String, _ fields: [ProviderField], _ object: Object, _ member: String, besides others: [String] = []
    ) throws(ProviderFileError) {
        for hole in Holes.names(in: text) where !others.contains(hole) && !fields.contains(where: { $0.name == hole }) {
            throw wrong(object, member, "there is no field \(hole).")
        }
    }
}
