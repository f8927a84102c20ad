import CipherKit
import ClientKit
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// How a test of a connection went.
struct TestOutcome: Sendable {
    let isSuccess: Bool
    /// What happened, in words for people; never a secret.
    let sentence: String
    let duration: Duration
    /// What the service said of itself, ready to be stored.
    let metadata: JSON
    /// Whether the service did not take the credentials: where people sign in, others may be had.
    var isUnauthorized = false
    /// Whether only a person who signs in again can mend it.
    var needsReauth = false
}

/// Tries a connection with the service's cheapest read. Never called inside a transaction.
struct Tester: Sendable {
    let calls: ServiceClient
    let now: @Sendable () -> Timestamp

    /// How long a test may take.
    static let deadline = Duration.seconds(10)

    func test(_ provider: Provider, _ values: [String: String]) -> TestOutcome {
        let start = ContinuousClock.now
        let test = provider.test(for: values)
        let result: Result<Answer, TestFailure>
        switch test.call {
        case .http(let call): result = Result { () throws(TestFailure) in try http(call, provider, values) }
        case .awsCallerIdentity: result = Result { () throws(TestFailure) in try aws(provider, values) }
        case .smtp: result = Result { () throws(TestFailure) in try smtp(provider, values) }
        }
        let duration = start.duration(to: .now)
        switch result {
        case .success(let answer): return success(provider, test, values, answer, duration)
        case .failure(let failure):
            return TestOutcome(
                isSuccess: false, sentence: failure.sentence, duration: duration, metadata: [:],
                isUnauthorized: failure.isUnauthorized)
        }
    }

    /// What a service answered, and the status it came with.
    struct Answer: Sendable {
        let status: Int
        let body: JSON
    }

    private func success(
        _ provider: Provider, _ test: ProviderTest, _ values: [String: String], _ answer: Answer, _ duration: Duration
    ) -> TestOutcome {
        let conceal = Concealing(provider, values)
        let access = Holes.fill(test.access) { hole in
            guard hole.hasPrefix("setup.") else { return answer.body.at(hole)?.words }
            let name = String(hole.dropFirst("setup.".count))
            return provider.field(name)?.kind == .secret ? nil : values[name]
        }
        let facts = test.metadata.compactMap { fact -> JSON? in
            fact.words(of: answer.body, status: answer.status).map {
                ["label": .string(fact.label), "value": .string(conceal($0))]
            }
        }
        let shown = conceal(access)
        return TestOutcome(
            isSuccess: true, sentence: "\(provider.name) answered. \(shown).", duration: duration,
            metadata: ["access": .string(shown), "facts": .array(facts)])
    }

    // MARK: HTTP

    /// Makes a call of a provider file and gives what was answered, when that was success.
    func http(
        _ call: ProviderTest.HTTPCall, _ provider: Provider, _ values: [String: String]
    ) throws(TestFailure) -> Answer {
        let url = Holes.address(call.url, values)
        // The set-up may have been judged by another version of the provider file.
        guard let host = (try? OutboundURL(url))?.origin.host, provider.allows(host, values) else {
            throw TestFailure(sentence: "The address that a test calls is none of \(provider.name). Check the set-up.")
        }
        var request = OutboundRequest(
            method: call.method, url: url, deadline: Self.deadline)
        for header in call.headers {
            let value = Holes.fill(header.value) { values[$0] }.drop { $0 == " " }
            request.headers.append((Holes.fill(header.name) { values[$0] }, String(value)))
        }
        if let bearer = call.bearer {
            let scheme = bearer == "{access_token}" ? provider.oauth?.scheme(values) ?? "Bearer" : "Bearer"
            request.addHeader("Authorization", Secret("\(scheme) " + Holes.fill(bearer) { values[$0] }))
        }
        if let body = call.body(values) {
            request.headers.append(("Content-Type", body.type))
            request.body = body.bytes
        }
        if let basic = call.basic {
            let pair = Holes.fill(basic.user) { values[$0] } + ":" + Holes.fill(basic.password) { values[$0] }
            request.addHeader("Authorization", Secret("Basic " + Base64.encode(pair.utf8)))
        }
        let response = try send(request)
        let answer = (try? JSON(parsing: response.body)) ?? .null
        let isTrue = call.condition.map { answer.at($0.path) == $0.value } ?? true
        guard call.statuses.contains(response.status), isTrue else {
            let words = call.error.flatMap { answer.at($0)?.words }.map { Concealing(provider, values)($0) }
            throw TestFailure.refused(by: provider.name, response.status, words)
        }
        return Answer(status: response.status, body: answer)
    }

    private func send(_ request: OutboundRequest) throws(TestFailure) -> OutboundResponse {
        do throws(ServiceClient.Failure) {
            return try calls.send(request)
        } catch {
            switch error {
            case .rest(let rest): throw TestFailure(sentence: rest.sentence)
            case .client(let error):
                throw TestFailure(sentence: "\(calls.service) could not be reached. \(error.tenantSentence)")
            }
        }
    }

    // MARK: AWS

    private func aws(_ provider: Provider, _ values: [String: String]) throws(TestFailure) -> Answer {
        let region = values["region"] ?? "us-east-1"
        // It becomes part of the host, whatever the pattern of the provider file lets through.
        guard region.wholeMatch(of: /[a-z0-9]+(-[a-z0-9]+)*/) != nil else {
            throw TestFailure(sentence: "A region is written like eu-central-1.")
        }
        // China is a partition of its own, with endpoints under a domain of its own.
        let host = "sts.\(region).amazonaws.com" + (region.hasPrefix("cn-") ? ".cn" : "")
        let body = Array("Action=GetCallerIdentity&Version=2011-06-15".utf8)
        let moment = now()
        let signature = AWSSignature(
            accessKeyID: values["access_key_id"] ?? "", secretAccessKey: values["secret_access_key"] ?? "",
            region: region,
            service: "sts")
        let type = "application/x-www-form-urlencoded; charset=utf-8"
        let date = AWSSignature.date(moment)
        let authorization = signature.authorization(
            method: "POST", path: "/", query: "",
            headers: [("content-type", type), ("host", host), ("x-amz-date", date)], body: body, at: moment)
        var request = OutboundRequest(
            method: .post, url: "https://\(host)/", headers: [("Content-Type", type), ("X-Amz-Date", date)], body: body,
            deadline: Self.deadline)
        request.addHeader("Authorization", Secret(authorization))
        let response = try send(request)
        let text = String(decoding: response.body, as: UTF8.self)
        guard response.status == 200, let account = Self.element("Account", of: text) else {
            let words = Self.element("Message", of: text) ?? Self.element("Code", of: text)
            throw TestFailure.refused(by: "AWS", response.status, words.map { Concealing(provider, values)($0) })
        }
        return Answer(
            status: response.status, body: ["account": .string(account), "arn": JSON(Self.element("Arn", of: text))])
    }

    /// The text of the first element of a name; the answers of STS are flat enough for that.
    private static func element(_ name: String, of text: String) -> String? {
        guard let start = text.firstRange(of: "<\(name)>"),
            let end = text[start.upperBound...].firstRange(of: "</\(name)>")
        else { return nil }
        return String(text[start.upperBound..<end.lowerBound])
    }

    // MARK: SMTP

    private func smtp(_ provider: Provider, _ values: [String: String]) throws(TestFailure) -> Answer {
        guard (values["username"] == nil) == (values["password"] == nil) else {
            throw TestFailure(
                sentence:
                    "The user name or the password is missing. Enter both, or neither for a server without sign-in.")
        }
        let probe = SMTPProbe(values, of: provider, deadline: Self.deadline)
        do throws(ClientError) {
            let outcome = try calls.client.probe(probe)
            return Answer(
                status: 250,
                body: [
                    "greeting": .string(outcome.greeting), "authenticated": .bool(outcome.isAuthenticated),
                    "secure": .bool(outcome.isSecure),
                ])
        } catch {
            throw TestFailure(sentence: "The mail server could not be used. \(error.tenantSentence)")
        }
    }
}

/// Why a test failed, in words for people.
struct TestFailure: Error {
    let sentence: String
    /// What the service answered; nil when it did not.
    var status: Int?
    /// The service's own words.
    var words: String?

    /// What a service answered instead of yes, in its own words without secrets.
    static func refused(by service: String, _ status: Int, _ words: String?) -> TestFailure {
        TestFailure(sentence: sentence(service, status, words), status: status, words: words)
    }

    /// Whether the service does not take the token: it says so by 401, by a yes that means no, or as Meta does by 400.
    var isUnauthorized: Bool { status == 401 || isTokenUnknown }

    /// Whether the service says that it knows the token no more.
    var isTokenUnknown: Bool { [200, 400, 401].contains(status) && saysTokenIsUnknown }

    private var saysTokenIsUnknown: Bool {
        let said = words?.lowercased() ?? ""
        return [
            "invalid_token", "invalid_auth", "not_authed", "account_inactive", "revoked", "expired",
            "error validating access token",
        ].contains { said.contains($0) }
    }

    private static func sentence(_ service: String, _ status: Int, _ words: String?) -> String {
        let said = words.map { " It said: “\($0)”." } ?? ""
        switch status {
        case 401, 403, 404:
            return "\(service) refused these credentials (\(status)).\(said) Check them, or make new ones there."
        case 429: return "\(service) asks to be called less often (429).\(said) Test again in a few minutes."
        case 500...: return "\(service) has trouble of its own (\(status)).\(said) Test again later."
        default: return "\(service) answered \(status), which this test does not count as success.\(said)"
        }
    }
}
