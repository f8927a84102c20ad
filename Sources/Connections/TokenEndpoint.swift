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

    let calls: ServiceClient
    let provider: Provider
    let oauth: ProviderOAuth
    /// The values of the set-up, the client's secret among them.
    let values: [String: String]
    /// What time it is, for a service that names the moment from which it may be called again.
    let now: @Sendable () -> Timestamp

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
        let sent = [code.code, code.verifier].compactMap(\.self)
        let answer = try call(oauth.tokenURL, parameters + filled(oauth.tokenParameters), besides: sent)
        let granted = try TokenAnswer(answer, oauth, service: provider.name)
        guard oauth.exchange == .longLived else { return granted }
        return try lengthen(granted)
    }

    /// Exchanges a short-lived token for a long-lived one.
    ///
    /// Who granted what is told by the first answer alone.
    private func lengthen(_ short: TokenAnswer) throws(TokenFailure) -> TokenAnswer {
        guard let url = oauth.longLivedURL else { return short }
        let prefix = "exchange."
        let own = oauth.refreshParameters.filter { $0.name.hasPrefix(prefix) }.map {
            ProviderOAuth.Parameter(name: String($0.name.dropFirst(prefix.count)), value: $0.value)
        }
        return try short.lengthened(by: TokenAnswer(get(url, own, with: short.access), oauth, service: provider.name))
    }

    /// Renews tokens (RFC 6749 §6).
    func refresh(_ tokens: Tokens, with refreshToken: Secret<String>?) throws(TokenFailure) -> TokenAnswer {
        let url = oauth.refreshURL ?? oauth.tokenURL
        if oauth.exchange == .longLived {
            let own = oauth.refreshParameters.filter { !$0.name.hasPrefix("exchange.") }
            return try TokenAnswer(get(url, own, with: tokens.access), oauth, service: provider.name)
        }
        guard let refreshToken else {
            throw TokenFailure(.grantEnded, "\(provider.name) gave nothing to renew this sign-in with. Sign in again.")
        }
        let parameters =
            [("grant_type", "refresh_token"), ("refresh_token", refreshToken.reveal { $0 })]
            + filled(oauth.refreshParameters)
        return try TokenAnswer(call(url, parameters, besides: [refreshToken]), oauth, service: provider.name)
    }

    // MARK: Calls

    private func filled(_ parameters: [ProviderOAuth.Parameter]) -> [(String, String)] {
        parameters.map { ($0.name, Holes.fill($0.value) { values[$0] }) }
    }

    private func call(
        _ url: String, _ parameters: [(String, String)], besides sent: [Secret<String>]
    ) throws(TokenFailure) -> JSON {
        var parameters = parameters
        var request = OutboundRequest(
            method: .post, url: try address(url),
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
            request.body = Array(Form(parameters).urlencoded.utf8)
        case .json:
            request.headers.append(("Content-Type", "application/json"))
            request.body = JSON.object(parameters.map { JSON.Member($0.0, .string($0.1)) }).bytes
        }
        return try send(request, besides: sent)
    }

    /// A token that renews itself travels in the query.
    private func get(
        _ url: String, _ own: [ProviderOAuth.Parameter], with token: Secret<String>
    ) throws(TokenFailure) -> JSON {
        let query = filled(own) + [(oauth.longLivedParameter, token.reveal { $0 })]
        return try send(
            OutboundRequest(
                method: .get, url: address(url) + "?" + Form(query).urlencoded,
                headers: [("Accept", "application/json")] + filled(oauth.headers), deadline: Self.deadline),
            besides: [token])
    }

    private func address(_ text: String) throws(TokenFailure) -> String {
        do throws(AddressProblem) {
            return try provider.address(text, values)
        } catch {
            throw TokenFailure(.refused, error.sentence)
        }
    }

    private func send(
        _ request: OutboundRequest, besides sent: [Secret<String>]
    ) throws(TokenFailure) -> JSON {
        // A code and a refresh token are good for one use: sent twice, the second answer ends what the first has given.
        var request = request
        request.isSentOnce = true
        let response: OutboundResponse
        do throws(ServiceClient.Failure) {
            response = try calls.send(request)
        } catch {
            switch error {
            case .rest(let rest): throw TokenFailure(.later, rest.sentence, retryAfter: rest.duration)
            case .client(let error): throw TokenFailure(unreachable: error, provider.name)
            }
        }
        let answer = (try? JSON(parsing: response.body)) ?? Self.readForm(response.body)
        let hasError = ![nil, .null, .bool(false)].contains(answer["error"])
        let isRefused = oauth.successPath.map { answer.at($0) != .bool(true) } ?? hasError
        guard (200...299).contains(response.status), !isRefused else {
            throw TokenFailure(
                answer, status: response.status,
                retryAfter: response.headers["Retry-After"].flatMap { RetryAfter.wait($0, now: now()) },
                service: provider.name, concealing: Concealing(provider, values, besides: sent))
        }
        return answer
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
}
