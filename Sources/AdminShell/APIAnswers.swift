import HTTPKit
import JSONKit

/// What follows from a route and needs no words of its own: parameters, answers and problems that the house adds.
extension APIDocument.Entry {
    private var isOpen: Bool { access == .open }
    private var isList: Bool {
        operation.answers.contains { if case .list = $0.content { true } else { false } }
    }
    /// Whether it is about an organization that can be named.
    private var isOfOrganization: Bool {
        if case .right = access { true } else { access == .known }
    }
    private var isChange: Bool { method == .patch || method == .put || method == .delete }
    private var isGuarded: Bool { isChange && path.isVersioned }
    private var isRepeatable: Bool { method == .post && !isOpen && !path.isPassedOn }
    /// What stands in the path besides what is described: UUIDs.
    private var pathParameters: [APIParameter] {
        path.template.split(separator: "/").filter { $0.hasPrefix("{") && $0.hasSuffix("}") }.map { step in
            let name = String(step.dropFirst().dropLast())
            return path.parameters.first { $0.name == name && $0.place == .path } ?? .path(name, .id, "The id.")
        }
    }

    // MARK: What is sent

    /// The parameters that only this operation has.
    public var ownParameters: [APIParameter] {
        pathParameters + path.parameters.filter { $0.place != .path } + operation.parameters
    }

    /// The parameters that it shares with others, by their keys in the document.
    private var sharedKeys: [String] {
        var keys: [String] = []
        if isList { keys += ["limit", "cursor"] }
        if isOfOrganization { keys.append("organization") }
        if isRepeatable { keys.append("idempotencyKey") }
        if isGuarded { keys.append("ifMatch") }
        if method == .get, path.isVersioned { keys.append("ifNoneMatch") }
        return keys
    }

    /// The parameters that it shares with others.
    public var sharedParameters: [APIParameter] {
        APIParameter.shared.filter { sharedKeys.contains($0.key) }.map(\.parameter)
    }

    /// The parameters, those of the house by reference.
    var parameters: [JSON] {
        ownParameters.map(\.json) + sharedKeys.map { ["$ref": .string("#/components/parameters/\($0)")] }
    }

    /// The body; nil when nothing is sent.
    var body: JSON? {
        if path.isPassedOn {
            guard method == .post || isChange else { return nil }
            return ["description": "Goes to the service as it is.", "content": ["*/*": [:]]]
        }
        guard let schema = operation.body else { return nil }
        let media: JSON = ["schema": schema.json, "example": schema.example]
        let type = operation.isForm ? "application/x-www-form-urlencoded" : "application/json"
        var content: [JSON.Member] = [.init(type, media)]
        if method == .patch { content.append(.init("application/merge-patch+json", media)) }
        return ["required": .bool(!operation.isBodyOptional), "content": .object(content)]
    }

    // MARK: What is answered

    /// Every answer by its status.
    var answers: [JSON.Member] {
        var members = operation.answers.map { answer in
            JSON.Member(answer.status.map { "\($0.code)" } ?? "default", json(answer))
        }
        if method == .get, path.isVersioned {
            members.append(.init("304", ["$ref": "#/components/responses/NotModified"]))
        }
        for status in problemStatuses {
            let own = operation.problems.filter { $0.status.code == status }
            members.append(.init("\(status)", own.isEmpty ? Self.reference(status) : Self.json(own, status)))
        }
        return members
    }

    /// Every way in which it may end badly: the operation's own codes, then what can happen to every request of its kind.
    public var problems: [APIProblem] {
        problemStatuses.flatMap { status -> [APIProblem] in
            let common = APIDocument.problems.first { $0.status == status }
            return operation.problems.filter { $0.status.code == status }
                + (common.map { [APIProblem(Status(status), $0.code, $0.meaning)] } ?? [])
        }
    }

    private static func reference(_ status: Int) -> JSON {
        ["$ref": .string("#/components/responses/\(APIDocument.problemName(status))")]
    }

    /// The problems that this operation may end with, its own and those of the house.
    var problemStatuses: [Int] {
        var statuses: Set<Int> = [500, 503]
        statuses.formUnion(operation.problems.map(\.status.code))
        if !isOpen { statuses.formUnion([400, 401, 429]) }
        if isOfOrganization { statuses.formUnion([403, 404]) }
        if path.template.contains("{"), !isOpen { statuses.insert(404) }
        if operation.body != nil { statuses.formUnion(operation.isForm ? [413] : [400, 413, 415, 422]) }
        if isList || !operation.parameters.isEmpty { statuses.formUnion([400, 422]) }
        if isRepeatable { statuses.formUnion([409, 422]) }
        if isGuarded { statuses.insert(412) }
        // What an operation answers in words of its own is no problem of the house.
        return statuses.subtracting(operation.answers.compactMap { $0.status?.code }).sorted()
    }

    private func json(_ answer: APIAnswer) -> JSON {
        var members: [JSON.Member] = [
            .init("description", .string(answer.meaning)), .init("headers", .object(headers(of: answer))),
        ]
        if let content = content(of: answer) { members.append(.init("content", .object(content))) }
        return .object(members)
    }

    private func headers(of answer: APIAnswer) -> [JSON.Member] {
        guard !path.isPassedOn else { return [] }
        var names = ["X-Request-Id"]
        if answer.hasLocation { names.append("Location") }
        let isWhole = if case .json = answer.content { true } else { false }
        if path.isVersioned, method != .delete, isWhole { names.append("ETag") }
        if case .list = answer.content { names.append("Link") }
        if isRepeatable { names.append("Idempotent-Replayed") }
        if !isOpen { names += ["RateLimit", "RateLimit-Policy"] }
        return names.map { .init($0, ["$ref": .string("#/components/headers/\($0)")]) }
    }

    private func content(of answer: APIAnswer) -> [JSON.Member]? {
        switch answer.content {
        case .nothing: return nil
        case .json(let schema, let isTable): return Self.content(schema, isTable)
        case .list(let element, let isTable): return Self.content(APIDocument.list(of: element), isTable)
        case .passedOn: return [.init("*/*", [:])]
        case .other(let type): return [.init(type, ["schema": ["type": "string"]])]
        }
    }

    private static func content(_ schema: JSONSchema, _ isTable: Bool) -> [JSON.Member] {
        let json = JSON.Member("application/json", ["schema": schema.json, "example": schema.example])
        return isTable ? [json, .init("text/csv", ["schema": ["type": "string"]])] : [json]
    }

    /// Problems that only this operation has, beside those of the house with the same status.
    private static func json(_ problems: [APIProblem], _ status: Int) -> JSON {
        let own = problems.map { "`\($0.code)`: \($0.meaning)" }
        let common = APIDocument.problems.first { $0.status == status }.map { [$0.meaning] } ?? []
        let problem = Problem(problems[0].status, problems[0].code, problems[0].meaning)
        return APIDocument.answer(problem, (own + common).joined(separator: " "))
    }
}

extension APIParameter {
    var json: JSON {
        [
            "name": .string(name), "in": .string(place.rawValue), "description": .string(meaning),
            "required": .bool(isRequired), "schema": schema.json, "example": schema.example,
        ]
    }

    /// The same without an example: what is best left out needs no value to try it with.
    var shareable: JSON { .object((json.members ?? []).filter { $0.name != "example" }) }

    /// The parameters that many operations share.
    static let shared: [(key: String, parameter: APIParameter)] = [
        ("limit", .query("limit", .integer(1...200, example: 50), "How many at most; 50 unless told.")),
        (
            "cursor",
            .query("cursor", .text(1...200, example: "AZgfDno8fRCcS16PKmt8jQ"), "Where to go on, from `next_cursor`.")
        ),
        ("organization", .header("X-Org-ID", .id, "The organization, for callers who belong to several.")),
        (
            "idempotencyKey",
            .header(
                "Idempotency-Key",
                .text(1...257, pattern: #"^("([ !#-\[\]-~]|\\["\\]){1,127}"|[!#-~]{1,255})$"#, example: "order-4711"),
                "By which a repetition of this request is recognised for 24 hours.")
        ),
        ("ifMatch", .header("If-Match", .text(example: "\"3\""), "The `ETag` of the version that this changes.")),
        (
            "ifNoneMatch",
            .header("If-None-Match", .text(example: "\"3\""), "The `ETag` of the copy that is there already.")
        ),
    ]
}

extension APIDocument {
    /// A part of a list.
    static func list(of element: JSONSchema) -> JSONSchema {
        .object(
            .required("data", .list(of: element, atMost: 200), "The things."),
            .required(
                "next_cursor", .text(example: "AZgfDno8fRCcS16PKmt8jQ").orNull.example(.null),
                "Where the next part begins; null at the end."))
    }

    /// The header fields of answers.
    static let headers: [JSON.Member] = [
        header(
            "X-Request-Id", .text(pattern: "^[A-Za-z0-9._-]{8,64}$", example: "4f0c9f0e2b7d4a6c8e1f3a5b7c9d0e1f"),
            "The id of the request in the logs.", isRequired: true),
        header(
            "Location", .text(example: "/api/v1/workspaces/01981f0e-7a3c-7d10-9c4b-5e8f2a6b7c8d"), "Where it is.",
            isRequired: true),
        header("ETag", .text(example: "\"3\""), "The version, for `If-Match` and `If-None-Match`."),
        header(
            "Link", .text(example: "<https://hub.example/api/v1/workspaces?cursor=AZgf>; rel=\"next\""),
            "The next part (RFC 8288)."),
        header("Idempotent-Replayed", .word(of: ["true"]), "This is the answer that the same request had before."),
        header("RateLimit", .text(example: "\"minute\";r=59;t=41"), "What is left of the limits."),
        header("RateLimit-Policy", .text(example: "\"minute\";q=60;w=60"), "The limits."),
        header("Retry-After", .integer(0...86_400, example: 2), "After how many seconds to try again."),
        header("WWW-Authenticate", .text(example: "Bearer realm=\"hub\""), "What to send (RFC 6750)."),
    ]

    private static func header(
        _ name: String, _ schema: JSONSchema, _ meaning: String, isRequired: Bool = false
    ) -> JSON.Member {
        .init(name, ["description": .string(meaning), "required": .bool(isRequired), "schema": schema.json])
    }

    /// What can happen to every request of a kind.
    static let problems: [(status: Int, name: String, code: String, meaning: String)] = [
        (
            400, "BadRequest", "malformed_json",
            "The request cannot be read: `malformed_json`, `malformed_query`, `duplicate_field`, `organization_required`, `invalid_organization`, `ambiguous_credential`, `invalid_idempotency_key`."
        ),
        (
            401, "Unauthorized", "unauthorized",
            "No credential (`unauthorized`), or one that does not count (`invalid_credential`)."
        ),
        (403, "Forbidden", "insufficient_scope", "The credential lacks the scope (`insufficient_scope`)."),
        (
            404, "NotFound", "not_found",
            "There is no such thing, or none of this organization: `not_found`, `organization_not_found`."
        ),
        (
            409, "Conflict", "request_in_progress",
            "The first request with this `Idempotency-Key` is still being performed (`request_in_progress`), or was cut off (`outcome_unknown`)."
        ),
        (412, "PreconditionFailed", "precondition_failed", "It was changed meanwhile (`precondition_failed`)."),
        (413, "ContentTooLarge", "body_too_large", "The body is larger than 1 MB (`body_too_large`)."),
        (
            415, "UnsupportedMediaType", "unsupported_media_type",
            "The body is not `application/json` in UTF-8 (`unsupported_media_type`)."
        ),
        (
            422, "UnprocessableContent", "validation_failed",
            "Fields are refused, each named in `errors` (`validation_failed`), or the `Idempotency-Key` was used for another request (`idempotency_key_reused`)."
        ),
        (
            429, "TooManyRequests", "rate_limited",
            "A limit is used up (`rate_limited`); `Retry-After` says for how long."
        ),
        (
            500, "InternalServerError", "internal_error",
            "Something went wrong on our side (`internal_error`); the log has it under the request's id."
        ),
        (
            503, "ServiceUnavailable", "database_unavailable",
            "Not just now: `database_unavailable`, `outcome_unknown`, `busy`, `encryption_key_missing`."
        ),
    ]

    static func problemName(_ status: Int) -> String {
        problems.first { $0.status == status }?.name ?? "Problem\(status)"
    }

    /// The answers that operations refer to.
    static var commonAnswers: [(name: String, json: JSON)] {
        let unchanged: JSON = [
            "description": "The copy of this version is still right.",
            "headers": [
                "X-Request-Id": ["$ref": "#/components/headers/X-Request-Id"],
                "ETag": ["$ref": "#/components/headers/ETag"],
            ],
        ]
        return [("NotModified", unchanged)]
            + problems.map {
                ($0.name, answer(Problem(Status($0.status), $0.code, "What happened, and what to do."), $0.meaning))
            }
    }

    /// A problem as an answer.
    static func answer(_ problem: Problem, _ meaning: String) -> JSON {
        var headers: [JSON.Member] = [.init("X-Request-Id", ["$ref": "#/components/headers/X-Request-Id"])]
        switch problem.status.code {
        case 401: headers.append(.init("WWW-Authenticate", ["$ref": "#/components/headers/WWW-Authenticate"]))
        case 429, 503: headers.append(.init("Retry-After", ["$ref": "#/components/headers/Retry-After"]))
        default: break
        }
        let example = problem.json(requestID: "4f0c9f0e2b7d4a6c8e1f3a5b7c9d0e1f")
        return [
            "description": .string(meaning), "headers": .object(headers),
            "content": ["application/problem+json": ["schema": Problem.schema.json, "example": example]],
        ]
    }
}
