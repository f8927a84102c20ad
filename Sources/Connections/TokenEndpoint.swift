import CipherKit
import ClientKit
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Calls a service's token endpoint: codes become tokens, and tokens are renewed.
struct TokenEndpoint: Sendable {
    /// How long a call may take.
    static let deadline = Duration.seconds(10)

    let client: Client
    let provider: Provider
    let oauth: ProviderOAuth
    /// The values of the set-up, the client's secret among them.
    let values: [String: String]

    /// A code, and what proves that it is ours.
    struct Code: Sendable {
        let code: Secret<String>
        let redirectURI: String
        let verifier: Secret<String>?
    }

    /// Exchanges a code for tokens (RFC 6749 §4.1.3).
    func exchange(_ code: Code) throws(TokenFailure) -> TokenAnswer {
        var parameters: [(String, String)] = []
        if oauth.exchange != .key { parameters.append(("grant_type", "authorization_code")) }
        parameters.append(("code", code.code.reveal { $0 }))
        if oauth.exchange != .key { parameters.append((oauth.redirectParameter, code.redirectURI)) }
        if let verifier = code.verifier {
            parameters.append(("code_verifier", verifier.reveal { $0 }))
            if oauth.exchange == .key { parameters.append(("code_challenge_method", "S256")) }
        }
        let answer = try call(oauth.tokenURL, parameters + filled(oauth.tokenParameters))
        let granted = try TokenAnswer(answer, oauth, service: provider.name)
        guard oauth.exchange == .longLived else { return granted }
        return try lengthen(granted)
    }

    /// Exchanges a short-lived token for a long-lived one.
    private func lengthen(_ short: TokenAnswer) throws(TokenFailure) -> TokenAnswer {
        guard let url = oauth.longLivedURL else { return short }
        var query = filled(oauth.refreshParameters.filter { $0.name.hasPrefix("exchange.") }).map {
            (String($0.0.dropFirst("exchange.".count)), $0.1)
        }
        query.append((oauth.longLivedParameter, short.access.reveal { $0 }))
        let answer = try get(url, query)
        return try TokenAnswer(Self.merged(short.whole, answer), oauth, service: provider.name)
    }

    /// Renews tokens (RFC 6749 §6).
    func refresh(_ tokens: Tokens, with refreshToken: Secret<String>?) throws(TokenFailure) -> TokenAnswer {
        let url = oauth.refreshURL ?? oauth.tokenURL
        if oauth.exchange == .longLived {
            var query = filled(oauth.refreshParameters.filter { !$0.name.hasPrefix("exchange.") })
            query.append((oauth.longLivedParameter, tokens.access.reveal { $0 }))
            return try TokenAnswer(get(url, query), oauth, service: provider.name)
        }
        guard let refreshToken else {
            throw TokenFailure(.grantEnded, "\(provider.name) gave nothing to renew this sign-in with. Sign in again.")
        }
        let parameters =
            [("grant_type", "refresh_token"), ("refresh_token", refreshToken.reveal { $0 })]
            + filled(oauth.refreshParameters)
        return try TokenAnswer(call(url, parameters), oauth, service: provider.name)
    }

    // MARK: Calls

    private func filled(_ parameters: [ProviderOAuth.Parameter]) -> [(String, String)] {
        parameters.map { ($0.name, Holes.fill($0.value) { values[$0] }) }
    }

    private func call(_ url: String, _ parameters: [(String, String)]) throws(TokenFailure) -> JSON {
        var parameters = parameters
        var request = OutboundRequest(
            method: .post, url: Holes.address(url, values),
            headers: [("Accept", "application/json")] + filled(oauth.headers), deadline: Self.deadline)
        let (id, secret) = (values["client_id"] ?? "", values["client_secret"] ?? "")
        switch oauth.clientAuthentication(values) {
        case .basic:
            // Both parts are written as in a form before they are joined (RFC 6749 §2.3.1).
            let pair = Percent.encode(id) + ":" + Percent.encode(secret)
            request.addHeader("Authorization", Secret("Basic " + Base64.encode(pair.utf8)))
        case .body: parameters += [("client_id", id), ("client_secret", secret)].filter { !$0.1.isEmpty }
        case .none: if !id.isEmpty { parameters.append(("client_id", id)) }
        }
        switch oauth.bodyFormat {
        case .form:
            request.headers.append(("Content-Type", "application/x-www-form-urlencoded"))
            request.body = Array(Self.form(parameters).utf8)
        case .json:
            request.headers.append(("Content-Type", "application/json"))
            request.body = JSON.object(parameters.map { JSON.Member($0.0, .string($0.1)) }).bytes
        }
        return try send(request)
    }

    private func get(_ url: String, _ query: [(String, String)]) throws(TokenFailure) -> JSON {
        let address = Holes.address(url, values)
        return try send(
            OutboundRequest(
                method: .get, url: address + "?" + Self.form(query),
                headers: [("Accept", "application/json")] + filled(oauth.headers), deadline: Self.deadline))
    }

    private func send(_ request: OutboundRequest) throws(TokenFailure) -> JSON {
        let response: OutboundResponse
        do throws(ClientError) {
            response = try client.send(request)
        } catch {
            throw TokenFailure(unreachable: error, provider.name)
        }
        let answer = (try? JSON(parsing: response.body)) ?? Self.readForm(response.body)
        let isRefused = oauth.successPath.map { answer.at($0) != .bool(true) } ?? (answer["error"] != nil)
        guard (200...299).contains(response.status), !isRefused else {
            throw TokenFailure(
                answer, status: response.status, retryAfter: response.headers["Retry-After"],
                service: provider.name,
                concealing: Concealing(provider, values))
        }
        return answer
    }

    static func form(_ parameters: [(String, String)]) -> String {
        parameters.map { "\(Percent.encode($0.0))=\(Percent.encode($0.1))" }.joined(separator: "&")
    }

    /// GitHub and older services answer as a form.
    private static func readForm(_ bytes: [UInt8]) -> JSON {
        let pairs = String(decoding: bytes.prefix(65_536), as: UTF8.self).split(separator: "&").compactMap {
            pair -> JSON.Member? in
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let name = Percent.decode(parts[0], plusIsSpace: true),
                let value = Percent.decode(parts[1], plusIsSpace: true)
            else { return nil }
            return JSON.Member(name, .string(value))
        }
        return .object(pairs)
    }

    /// The second answer's members, and those of the first that it lacks.
    private static func merged(_ first: JSON, _ second: JSON) -> JSON {
        let new = second.members ?? []
        let old = (first.members ?? []).filter { member in
            !new.contains { $0.name == member.name } && member.name != "expires_in"
        }
        return .object(new + old)
    }
}

extension TokenFailure {
    /// No answer came: whether the service did what was asked is known only where nothing reached it.
    init(unreachable error: ClientError, _ service: String) {
        let sentence = "\(service) could not be reached. \(error.tenantSentence)"
        switch error.code {
        case .badURL, .badHeader, .refusedAddress: self.init(.refused, sentence)
        case .unresolvable, .unreachable, .tls: self.init(.later, sentence)
        default: self.init(.ambiguous, sentence)
        }
    }

    /// What an answer of failure means (RFC 6749 §5.2), in the words of the seed with what to do next.
    init(_ answer: JSON, status: Int, retryAfter: String?, service: String, concealing conceal: Concealing) {
        let error = answer["error"]?.text ?? answer.at("error.type")?.words ?? answer["code"]?.words
        let words =
            answer["error_description"]?.text ?? answer.at("error.message")?.words ?? answer["message"]?.words ?? error
        let said = words.map { " It said: “\(conceal(String($0.unicodeScalars.prefix(200))))”." } ?? ""
        let wait = retryAfter.flatMap { Int($0) }.map { Duration.seconds(min(max($0, 0), 86_400)) }
        switch error {
        case "invalid_grant", "invalid_refresh_token", "token_revoked", "token_expired", "bad_refresh_token",
            "bad_verification_code", "invalid_code", "code_already_used":
            self.init(
                .grantEnded,
                "Invalid grant: the authorization code or refresh token expired, was used already or was revoked at \(service).\(said) Sign in again."
            )
        case "invalid_client", "unauthorized_client", "bad_client_secret", "invalid_client_id",
            "incorrect_client_credentials":
            self.init(
                .clientRefused,
                "\(service) does not know this client or its secret.\(said) Check client ID and client secret.")
        case "invalid_scope", "insufficient_scope", "missing_scope":
            self.init(
                .insufficientScope,
                "Insufficient scope: \(service) did not grant what is needed.\(said) Sign in again and allow it, or ask for less."
            )
        default:
            if status == 429 || status >= 500 {
                self.init(
                    .later, "\(service) has trouble or asks to be called less often (\(status)).\(said)",
                    retryAfter: wait)
            } else if status == 401 {
                self.init(
                    .clientRefused,
                    "\(service) does not know this client or its secret.\(said) Check client ID and client secret.")
            } else {
                self.init(.refused, "\(service) refused (\(status)).\(said)")
            }
        }
    }
}
