import Domain
import HTTPKit
import JSONKit

/// The description of the whole interface for scripts, as OpenAPI 3.1 (OAS 3.1.1).
///
/// It is made from the routes themselves: who may use one, which methods it takes and what the house adds to every answer is
/// not written down a second time, so it cannot be wrong.
public struct APIDocument: Sendable {
    let routes: [RouteDescription]
    let title: String
    let version: String
    let server: String
    let sessionCookie: String

    /// The description of these routes.
    ///
    /// - Parameters:
    ///   - title: what the interface is called.
    ///   - version: that of the program.
    ///   - server: origin and mount of this hub.
    ///   - sessionCookie: the name of the cookie by which a browser is known.
    public init(_ routes: [RouteDescription], title: String, version: String, server: String, sessionCookie: String) {
        self.routes = routes.filter { $0.api != nil }
        self.title = title
        self.version = version
        self.server = server
        self.sessionCookie = sessionCookie
    }

    /// One operation with its address and who may use it.
    public struct Entry: Sendable {
        /// The address.
        public let path: APIPath
        /// The method.
        public let method: Method
        /// Who may use it.
        public let access: Access
        /// What it does.
        public let operation: APIOperation
    }

    /// Every operation, address by address, in the order in which methods are usually named.
    public var entries: [Entry] {
        let order: [Method] = [.get, .post, .put, .patch, .delete, .options, .head]
        return routes.flatMap { route -> [Entry] in
            guard let path = route.api else { return [] }
            return order.compactMap { method in
                guard let operation = path.operations[method], let access = route.access[method] else { return nil }
                return Entry(path: path, method: method, access: access, operation: operation)
            }
        }
    }

    /// The chapters, in the order of the routes.
    public var tags: [APITag] {
        var seen: Set<APITag> = []
        return routes.compactMap { $0.api?.tag }.filter { seen.insert($0).inserted }
    }

    // MARK: As JSON

    /// The document.
    public var json: JSON {
        let operations = Dictionary(grouping: entries) { $0.path.template }
        return [
            "openapi": "3.1.1",
            "info": [
                "title": .string(title), "version": .string(version),
                "summary": "Connections to outside services, API keys and logs for a site.",
                "description": .string(
                    Self.conventions.map { "**\($0.title).** \($0.text)" }.joined(separator: "\n\n")),
            ],
            "servers": [["url": .string(server), "description": "This hub."]],
            "tags": .array(tags.map { ["name": .string($0.name), "description": .string($0.about)] }),
            "security": Self.security(of: .person),
            "paths": .object(
                routes.compactMap { route in
                    route.api.map { path in
                        .init(path.template, item(path, operations[path.template] ?? []))
                    }
                }),
            "components": [
                "schemas": .object(schemas.sorted { $0.key < $1.key }.map { .init($0.key, $0.value.definition) }),
                "parameters": .object(APIParameter.shared.map { .init($0.key, $0.parameter.shareable) }),
                "headers": .object(Self.headers),
                "responses": .object(Self.commonAnswers.map { .init($0.name, $0.json) }),
                "securitySchemes": securitySchemes,
            ],
        ]
    }

    /// What holds for all operations; words between backticks are code.
    public static let conventions: [(title: String, text: String)] = [
        (
            "Credentials",
            "Send a key as `Authorization: Bearer KEY` or as `X-API-Key: KEY`. A signed-in browser's session counts only with its form token in `X-CSRF-Token`."
        ),
        (
            "Organizations",
            "`X-Org-ID` picks one where the caller belongs to several. Whatever belongs to another organization is answered with 404, never 403."
        ),
        (
            "Bodies",
            "`application/json` in UTF-8, at most 1 MB and 32 levels deep, with no name twice. A member that is not described is refused by name (422), and so is a value of another type: `\"1\"` is no number. PATCH merges as RFC 7396 says and takes `application/merge-patch+json` too: `null` empties a field."
        ),
        (
            "Values",
            "Times are RFC 3339 in UTC with milliseconds; ids are UUIDs. Whole numbers lie within ±(2^53 − 1); larger ones are texts."
        ),
        (
            "Errors",
            "`application/problem+json` (RFC 9457) with a stable `code`, whoever makes them: besides the ones listed at each operation, 405 with `Allow` (another method), 414 (an address above 8 kB), 431 (header fields above 32 kB), 502 and 504 (the hub is away or too slow). Their `type` is `about:blank`, their `title` the words of the status."
        ),
        (
            "Lists",
            "They are read part by part: `next_cursor`, or `Link: <…>; rel=\"next\"`, leads to the next part. A cursor is opaque, signed, and good for the organization that it was given to."
        ),
        (
            "Versions",
            "Where a resource has an `ETag`, `If-None-Match` answers 304 and `If-Match` guards a change (412)."
        ),
        (
            "Repetitions",
            "Every POST takes an `Idempotency-Key` (1 to 255 visible characters, in quotes or not): for 24 hours the same request gets its first answer again."
        ),
        (
            "Representations",
            "What is not sent as CSV is JSON, whatever `Accept` prefers: RFC 9110 §12.5.1 leaves that to the server."
        ),
    ]

    private func item(_ path: APIPath, _ entries: [Entry]) -> JSON {
        .object(
            entries.filter { $0.method != .head }.map {
                .init($0.method.name.lowercased(), operation($0))
            })
    }

    private func operation(_ entry: Entry) -> JSON {
        let operation = entry.operation
        var members: [JSON.Member] = [
            .init("operationId", .string(operation.id)), .init("summary", .string(operation.summary)),
            .init("tags", [.string(entry.path.tag.name)]),
        ]
        if !operation.details.isEmpty { members.append(.init("description", .string(operation.details))) }
        let parameters = entry.parameters
        if !parameters.isEmpty { members.append(.init("parameters", .array(parameters))) }
        if let body = entry.body { members.append(.init("requestBody", body)) }
        members.append(.init("responses", .object(entry.answers)))
        members.append(.init("security", Self.security(of: entry.access)))
        if case .right(let scope) = entry.access {
            members.append(.init("x-required-scope", .string(scope.description)))
        }
        return .object(members)
    }

    /// By what a caller is known, and the scope that they need.
    private static func security(of access: Access) -> JSON {
        switch access {
        case .open: return []
        case .person, .known, .right:
            var scopes: JSON = []
            if case .right(let scope) = access { scopes = [.string(scope.description)] }
            return [["bearer": scopes], ["apiKey": scopes], ["session": [], "formToken": []]]
        }
    }

    private var securitySchemes: JSON {
        [
            "bearer": [
                "type": "http", "scheme": "bearer",
                "description": "An API key, or another credential that this hub takes.",
            ],
            "apiKey": [
                "type": "apiKey", "in": "header", "name": "X-API-Key",
                "description": "The same in a header of its own.",
            ],
            "session": [
                "type": "apiKey", "in": "cookie", "name": .string(sessionCookie),
                "description": "The session of a signed-in browser; it opens nothing without the form token.",
            ],
            "formToken": [
                "type": "apiKey", "in": "header", "name": "X-CSRF-Token",
                "description": "The token that every form of the session carries.",
            ],
        ]
    }

    private var schemas: [String: JSONSchema] {
        let parts = entries.flatMap { entry -> [JSONSchema] in
            let answers = entry.operation.answers.compactMap { answer -> JSONSchema? in
                switch answer.content {
                case .json(let schema, _), .list(let schema, _): schema
                case .nothing, .passedOn, .other: nil
                }
            }
            return answers + (entry.operation.body.map { [$0] } ?? [])
                + (entry.path.parameters + entry.operation.parameters).map(\.schema)
        }
        return (parts + [Problem.schema]).reduce(into: [:]) { found, part in
            found.merge(part.named) { first, _ in first }
        }
    }
}

extension Problem {
    /// What a problem looks like (RFC 9457 §3).
    public static let schema = JSONSchema.object(
        .required("type", .text(example: "about:blank"), "What kind of problem it is; `code` says it more closely."),
        .required("title", .text(example: "Unprocessable Content"), "The words of the status."),
        .required("status", .integer(400...599, example: 422), "The status of the answer."),
        .required("detail", .text(example: "Some fields need another value: name."), "What is wrong and what to do."),
        .required(
            "code", .text(pattern: "^[a-z][a-z0-9_]*$", example: "validation_failed"), "A stable word to act on."),
        .required("request_id", .text(example: "4f0c9f0e2b7d4a6c8e1f3a5b7c9d0e1f"), "The id that the log has too."),
        .optional("errors", .list(of: fieldErrorSchema), "Each field that was refused.")
    ).named("Problem")

    private static let fieldErrorSchema = JSONSchema.object(
        .required("pointer", .text(example: "/name"), "Where it stands in the body (RFC 6901)."),
        .required("code", .text(example: "too_long"), "A stable word to act on."),
        .required("detail", .text(example: "This takes at most 100 characters."), "What would be right.")
    ).named("FieldError")
}
