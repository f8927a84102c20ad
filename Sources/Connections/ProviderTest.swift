import ClientKit
import HTTPKit
import JSONKit
import TimeKit

/// How a connection is tested: the service's cheapest read.
struct ProviderTest: Sendable {
    /// What is called.
    enum Call: Sendable {
        /// A request over HTTP.
        case http(HTTPCall)
        /// STS GetCallerIdentity, signed with Signature Version 4.
        case awsCallerIdentity
        /// A greeting and a sign-in over SMTP, without a mail.
        case smtp
    }

    /// A request over HTTP, with holes `{field}` for values of the set-up.
    struct HTTPCall: Sendable {
        let method: OutboundRequest.Method
        /// Its host is fixed: no value of a set-up can change it.
        let url: String
        let headers: [(name: String, value: String)]
        let bearer: String?
        var basic: (user: String, password: String)?
        let statuses: [Int]
        /// A member of the answer that must have this value too.
        let condition: (path: String, value: JSON)?
        /// Where the answer says what was wrong.
        let error: String?
        /// What is sent: the parameters of a form, or members of JSON.
        var parameters: [ProviderOAuth.Parameter] = []
        var bodyFormat = ProviderOAuth.BodyFormat.form
        /// What is sent instead of parameters: JSON with holes in its texts.
        var json: JSON?
    }

    /// Something worth showing of what the service answered.
    struct Fact: Sendable {
        let label: String
        /// A dotted path into the answer, or `@status` for the status it came with.
        let path: String
    }

    let call: Call
    /// Whose access it is, in a few words with holes.
    let access: String
    let metadata: [Fact]
    /// What a test does there besides reading, said before anybody asks for it; nil for a mere read.
    ///
    /// A test with a notice is made only when somebody asks for it: a probe by the clock would send events day after day.
    var notice: String?
}

extension Provider {
    /// The test that is made with the values of a set-up: the first that lacks none of them.
    func test(for values: [String: String]) -> ProviderTest {
        tests.first { $0.holes.allSatisfy { values[$0]?.isEmpty == false } } ?? test
    }

    /// The fields that must be given and are not: one that has an alternative is not needed where that is given.
    func missing(_ values: [String: String]) -> [ProviderField] {
        fields.filter { field in
            field.isRequired && values[field.name] == nil && field.alternatives.allSatisfy { values[$0] == nil }
        }
    }
}

extension Provider {
    /// The fields that open the service by themselves: every secret, but where people sign in only what stands in for that,
    /// such as the address of a webhook. The client's secret opens nothing.
    var keys: [ProviderField] {
        guard let oauth else { return fields.filter { $0.kind == .secret } }
        let instead = field("client_id")?.alternatives ?? []
        return fields.filter { $0.name == oauth.ownToken || $0.kind == .secret && instead.contains($0.name) }
    }

    /// The fields whose values decide to which hosts credentials go.
    var hostFields: Set<String> {
        var addresses = tests.map(\.address) + sync.map(\.call.url)
        if let oauth {
            addresses += [oauth.authorizeURL, oauth.tokenURL, oauth.refreshURL, oauth.longLivedURL].compactMap(\.self)
            addresses += [oauth.revocation?.call.url].compactMap(\.self)
        }
        let hosts = addresses.map { $0.drop { $0 != "{" && $0 != ":" }.prefix { $0 != "?" && $0 != "#" } }
        let authorities = hosts.map { host in
            host.hasPrefix("{") ? host.prefix { $0 != "}" } + "}" : host.dropFirst(3).prefix { $0 != "/" }
        }
        return Set((authorities.map(String.init) + self.hosts).flatMap(Holes.names))
    }
}

/// A call that is made every hour, and what is worth showing of its answer.
struct ProviderSync: Sendable {
    let call: ProviderTest.HTTPCall
    let facts: [ProviderTest.Fact]
}

/// A day on which addresses of a service stop working.
struct ProviderSunset: Sendable {
    let date: Timestamp
    /// Where the service says so.
    let href: String
    /// What ends, and what to do.
    let sentence: String
}

extension ProviderTest {
    /// Where the test goes.
    fileprivate var address: String {
        switch call {
        case .http(let call): call.url
        case .awsCallerIdentity: "https://sts.amazonaws.com/"
        case .smtp: "{host}"
        }
    }

    /// The names of the values that a call needs.
    var holes: Set<String> {
        switch call {
        case .http(let call): call.holes
        case .awsCallerIdentity: ["access_key_id", "secret_access_key"]
        case .smtp: ["host"]
        }
    }
}

extension ProviderTest.HTTPCall {
    /// The names of all values that the call is made of.
    var holes: Set<String> {
        var texts = [url, bearer, basic?.user, basic?.password].compactMap(\.self) + parameters.map(\.value)
        texts += headers.map(\.value) + (json?.texts ?? [])
        return Set(texts.flatMap(Holes.names))
    }

    /// Whether there are the values without which the call makes no sense: those of its address, and tokens.
    ///
    /// A connection to a service of somebody's own may have no address for revoking, and says so by leaving it empty.
    func isComplete(_ values: [String: String]) -> Bool {
        let needed = holes.intersection(["access_token", "refresh_token", "granted_account"]).union(
            Holes.names(in: url))
        return needed.allSatisfy { values[$0]?.isEmpty == false }
    }

    /// What is sent, and its media type; nil when nothing is.
    func body(_ values: [String: String]) -> (type: String, bytes: [UInt8])? {
        if let json { return ("application/json", json.filled(values).bytes) }
        guard !parameters.isEmpty else { return nil }
        let filled = parameters.map { ($0.name, Holes.fill($0.value) { values[$0] }) }
        switch bodyFormat {
        case .form: return ("application/x-www-form-urlencoded", Array(Form(filled).urlencoded.utf8))
        case .json: return ("application/json", JSON.object(filled.map { JSON.Member($0.0, .string($0.1)) }).bytes)
        }
    }
}

extension ProviderTest.Fact {
    /// The value in words, of an answer and the status it came with; nil when the answer does not say.
    func words(of answer: JSON, status: Int) -> String? {
        path == "@status" ? String(status) : answer.at(path)?.words
    }
}

extension JSON {
    /// Every text inside.
    var texts: [String] {
        switch self {
        case .string(let text): [text]
        case .array(let elements): elements.flatMap(\.texts)
        case .object(let members): members.flatMap(\.value.texts)
        default: []
        }
    }

    /// The value with the holes of its texts filled.
    fileprivate func filled(_ values: [String: String]) -> JSON {
        switch self {
        case .string(let text): .string(Holes.fill(text) { values[$0] })
        case .array(let elements): .array(elements.map { $0.filled(values) })
        case .object(let members): .object(members.map { JSON.Member($0.name, $0.value.filled(values)) })
        default: self
        }
    }
}
