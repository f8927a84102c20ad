import HTTPKit
import JSONKit

/// A chapter of the API's description.
public struct APITag: Sendable, Hashable {
    /// What it is called.
    public let name: String
    /// What it is about, in a sentence or two.
    public let about: String

    /// A chapter.
    public init(_ name: String, _ about: String) {
        self.name = name
        self.about = about
    }
}

/// An address of the interface for scripts, as its description has it.
///
/// What follows from the route is not repeated here but generated: who may use it, the answers that the whole house gives,
/// and the headers that go with versions, repetitions and lists.
public struct APIPath: Sendable {
    /// The path with its parameters in braces: `/api/v1/workspaces/{id}`.
    public let template: String
    /// The chapter in which it stands.
    public let tag: APITag
    /// Its parameters; one that is not described is a UUID.
    public let parameters: [APIParameter]
    /// Whether what stands here has an entity tag, so that copies can be kept and changes be guarded.
    public let isVersioned: Bool
    /// Whether what follows goes to somebody else, whose answers are passed on.
    public let isPassedOn: Bool
    /// What can be done here.
    public let operations: [Method: APIOperation]

    /// An address and what can be done there.
    public init(
        _ template: String, _ tag: APITag, parameters: [APIParameter] = [], isVersioned: Bool = false,
        isPassedOn: Bool = false, _ operations: [Method: APIOperation]
    ) {
        self.template = template
        self.tag = tag
        self.parameters = parameters
        self.isVersioned = isVersioned
        self.isPassedOn = isPassedOn
        self.operations = operations
    }
}

/// One thing that a script can do.
public struct APIOperation: Sendable {
    /// A name that programs call it by: `listWorkspaces`.
    public let id: String
    /// What it does, in one sentence.
    public let summary: String
    /// What else is worth knowing; empty for nothing.
    public let details: String
    /// What stands in the query.
    public let parameters: [APIParameter]
    /// What is sent; nil when nothing is.
    public let body: JSONSchema?
    /// Whether the body is a form, as OAuth has it, and what goes wrong is told in another shape than problems have.
    public let isForm: Bool
    /// Whether the body may be left out.
    public let isBodyOptional: Bool
    /// How it ends well.
    public let answers: [APIAnswer]
    /// How it may end badly, besides what can happen to every request.
    public let problems: [APIProblem]

    /// One thing that a script can do.
    public init(
        _ id: String, _ summary: String, details: String = "", parameters: [APIParameter] = [],
        body: JSONSchema? = nil, isBodyOptional: Bool = false, answers: APIAnswer..., problems: [APIProblem] = []
    ) {
        self.init(
            id, summary, details: details, parameters: parameters, body: body, isBodyOptional: isBodyOptional,
            answers: answers, problems: problems)
    }

    /// One thing that a client can do by a form, with all of its answers, the bad ones too.
    public init(_ id: String, _ summary: String, form: JSONSchema, answers: [APIAnswer]) {
        self.init(id, summary, body: form, isForm: true, answers: answers)
    }

    private init(
        _ id: String, _ summary: String, details: String = "", parameters: [APIParameter] = [],
        body: JSONSchema? = nil, isForm: Bool = false, isBodyOptional: Bool = false, answers: [APIAnswer],
        problems: [APIProblem] = []
    ) {
        self.isForm = isForm
        self.id = id
        self.summary = summary
        self.details = details
        self.parameters = parameters
        self.body = body
        self.isBodyOptional = isBodyOptional
        self.answers = answers
        self.problems = problems
    }
}

/// A value in the path or in the query.
public struct APIParameter: Sendable {
    /// Where a parameter stands.
    public enum Place: String, Sendable {
        /// In the path, where it is always there.
        case path
        /// In the query.
        case query
        /// Among the header fields.
        case header
    }

    /// Its name.
    public let name: String
    /// Where it stands.
    public let place: Place
    /// What it may be.
    public let schema: JSONSchema
    /// What it means, in one sentence.
    public let meaning: String
    /// Whether it must be given.
    public let isRequired: Bool

    private init(
        _ name: String, _ place: Place, _ schema: JSONSchema, _ meaning: String, isRequired: Bool
    ) {
        self.name = name
        self.place = place
        self.schema = schema
        self.meaning = meaning
        self.isRequired = isRequired
    }

    /// A part of the path.
    public static func path(_ name: String, _ schema: JSONSchema, _ meaning: String) -> APIParameter {
        APIParameter(name, .path, schema, meaning, isRequired: true)
    }

    /// A field of the query that may be left out. One that takes a list is repeated: `?provider=a&provider=b`.
    public static func query(_ name: String, _ schema: JSONSchema, _ meaning: String) -> APIParameter {
        APIParameter(name, .query, schema, meaning, isRequired: false)
    }

    /// A header field that may be left out.
    public static func header(_ name: String, _ schema: JSONSchema, _ meaning: String) -> APIParameter {
        APIParameter(name, .header, schema, meaning, isRequired: false)
    }
}

/// How a request ends well.
public struct APIAnswer: Sendable {
    /// What the body is.
    public enum Content: Sendable {
        /// Nothing.
        case nothing
        /// A JSON value; as a table too, for those who ask for CSV.
        case json(JSONSchema, isTable: Bool = false)
        /// A part of a list, with the way to the next part; as a table too, for those who ask for CSV.
        case list(of: JSONSchema, isTable: Bool)
        /// Whatever somebody else says.
        case passedOn
        /// Another media type.
        case other(String)
    }

    /// The status; nil for whatever somebody else says.
    public let status: Status?
    /// When it is given, in one sentence.
    public let meaning: String
    /// What the body is.
    public let content: Content
    /// Whether `Location` says where the thing is.
    public let hasLocation: Bool

    private init(_ status: Status?, _ meaning: String, _ content: Content, hasLocation: Bool = false) {
        self.status = status
        self.meaning = meaning
        self.content = content
        self.hasLocation = hasLocation
    }

    /// 200 with a value; `isTable` where it can be had as CSV.
    public static func ok(
        _ schema: JSONSchema, _ meaning: String = "As asked.", isTable: Bool = false
    ) -> APIAnswer {
        APIAnswer(200, meaning, .json(schema, isTable: isTable))
    }

    /// 200 with a part of a list; `isTable` where the same can be had as CSV.
    public static func list(of schema: JSONSchema, isTable: Bool = false) -> APIAnswer {
        APIAnswer(200, "A part of the list.", .list(of: schema, isTable: isTable))
    }

    /// 201 with what was made, and where it is.
    public static func created(_ schema: JSONSchema, _ meaning: String = "It was made.") -> APIAnswer {
        APIAnswer(201, meaning, .json(schema), hasLocation: true)
    }

    /// 202 with what will be done, and where to look.
    public static func accepted(_ schema: JSONSchema, _ meaning: String) -> APIAnswer {
        APIAnswer(202, meaning, .json(schema), hasLocation: true)
    }

    /// 204.
    public static func nothing(_ meaning: String = "It was done.") -> APIAnswer { APIAnswer(204, meaning, .nothing) }

    /// Another status with a value or nothing.
    public static func status(_ status: Status, _ schema: JSONSchema?, _ meaning: String) -> APIAnswer {
        APIAnswer(status, meaning, schema.map { .json($0) } ?? .nothing)
    }

    /// 200 with something that is no JSON.
    public static func media(_ type: String, _ meaning: String) -> APIAnswer { APIAnswer(200, meaning, .other(type)) }

    /// What somebody else answered.
    public static func passedOn(_ meaning: String) -> APIAnswer { APIAnswer(nil, meaning, .passedOn) }

    /// 303 or 302: go there.
    public static func redirect(_ status: Status, _ meaning: String) -> APIAnswer {
        APIAnswer(status, meaning, .nothing, hasLocation: true)
    }
}

/// How a request may end badly: a code that programs can act on.
public struct APIProblem: Sendable, Equatable {
    /// The status.
    public let status: Status
    /// The stable word in the problem's `code`.
    public let code: String
    /// When it happens, in one sentence.
    public let meaning: String

    /// A problem.
    public init(_ status: Status, _ code: String, _ meaning: String) {
        self.status = status
        self.code = code
        self.meaning = meaning
    }
}

/// A route and what is said of it.
public struct RouteDescription: Sendable {
    /// The path of one such route.
    public let path: String
    /// Who may use it, by method.
    public let access: MethodAccess
    /// What scripts can do there; nil for pages.
    public let api: APIPath?

    /// A route and what is said of it.
    public init(path: String, access: MethodAccess, api: APIPath?) {
        self.path = path
        self.access = access
        self.api = api
    }
}

extension Route {
    /// Every route with what is said of it.
    public static var described: [RouteDescription] {
        samples.map { RouteDescription(path: $0.path, access: $0.access, api: $0.api) }
    }
}
