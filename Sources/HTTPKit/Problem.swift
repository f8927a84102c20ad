import JSONKit

/// An error that people may see: it knows its answer.
///
/// Everything that is not `Presentable` becomes 500 with the request's id, which stands in the log beside the whole story.
public protocol Presentable: Error {
    /// The answer.
    var problem: Problem { get }
}

/// What went wrong, in the words and the shape of RFC 9457.
public struct Problem: Presentable, Equatable {
    /// A field that was refused.
    public struct FieldError: Sendable, Equatable {
        /// The field's name as a form has it; its JSON Pointer is ``pointer``.
        public let field: String
        /// A stable word in `snake_case`.
        public let code: String
        /// A sentence that says what would be right.
        public let detail: String

        /// A refused field.
        public init(field: String, code: String, detail: String) {
            self.field = field
            self.code = code
            self.detail = detail
        }

        /// The field's place in a JSON body (RFC 6901); a dotted name is a nested one.
        public var pointer: String {
            field.split(separator: ".").map { "/" + $0.replacing("~", with: "~0").replacing("/", with: "~1") }.joined()
        }
    }

    /// The status of the answer.
    public var status: Status
    /// A stable word in `snake_case`.
    public var code: String
    /// A sentence for people, naming what to do.
    public var detail: String
    /// Each refused field.
    public var errors: [FieldError]
    /// Headers that belong to the answer, such as `Retry-After`.
    public var headers: Headers
    /// A kind of problem that others defined too: its type, title and members; `about:blank` when there is none.
    public var kind: Kind?

    /// A kind of problem with a type of its own (RFC 9457 §3.1.1, §3.2).
    public struct Kind: Sendable, Equatable {
        /// The URI that names it.
        public let type: String
        /// Its name in words, the same each time.
        public let title: String
        /// The members that its definition adds.
        public let members: JSON

        /// A kind; `members` is an object.
        public init(type: String, title: String, members: JSON) {
            (self.type, self.title, self.members) = (type, title, members)
        }
    }

    /// A problem.
    public init(_ status: Status, _ code: String, _ detail: String, errors: [FieldError] = [], headers: Headers = [:]) {
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers
    }

    /// Itself.
    public var problem: Problem { self }

    /// The body of the answer (RFC 9457 §3.1) with our members `code`, `request_id` and `errors`.
    public func json(requestID: String) -> JSON {
        var members: [JSON.Member] = [
            .init("type", .string(kind?.type ?? "about:blank")), .init("title", .string(kind?.title ?? status.phrase)),
            .init("status", .integer(Int64(status.code))), .init("detail", .string(detail)),
            .init("code", .string(code)), .init("request_id", .string(requestID)),
        ]
        if !errors.isEmpty {
            let list = errors.map { error -> JSON in
                ["pointer": .string(error.pointer), "code": .string(error.code), "detail": .string(error.detail)]
            }
            members.append(.init("errors", .array(list)))
        }
        members += kind?.members.members ?? []
        return .object(members)
    }

    /// The whole answer as `application/problem+json`.
    public func response(requestID: String) -> Response {
        var response = Response(status: status, body: .bytes(json(requestID: requestID).bytes))
        headers.forEach { response.headers.add($0, $1) }
        response.headers["content-type"] = "application/problem+json"
        response.headers["cache-control"] = "no-store"
        return response
    }
}

extension Problem {
    /// What any error becomes when it meets a person.
    public init(presenting error: any Error, requestID: String) {
        if let known = error as? any Presentable {
            self = known.problem
        } else {
            self.init(500, "internal_error", "Something went wrong on our side. The incident is noted as \(requestID).")
        }
    }

    /// There is nothing here, or nothing that the caller may know of.
    public static let notFound = Problem(404, "not_found", "There is nothing at this address.")

    /// The method is not one of those allowed (RFC 9110 §15.5.6).
    public static func methodNotAllowed(_ allowed: [Method]) -> Problem {
        let names = allowed.map(\.name).sorted().joined(separator: ", ")
        return Problem(405, "method_not_allowed", "This address takes \(names).", headers: ["allow": names])
    }

    /// Some fields were refused.
    public static func invalid(_ errors: [FieldError]) -> Problem {
        let names = errors.map(\.field).joined(separator: ", ")
        return Problem(422, "validation_failed", "Some fields need another value: \(names).", errors: errors)
    }

    /// One field was refused.
    public static func invalid(_ field: String, _ code: String, _ detail: String) -> Problem {
        .invalid([FieldError(field: field, code: code, detail: detail)])
    }
}
