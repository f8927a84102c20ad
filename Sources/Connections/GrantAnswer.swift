import CipherKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// What a sign-in granted, ready to be stored.
struct GrantAnswer: Sendable {
    let answer: TokenAnswer
    let requested: [String]
    let missing: [String]
    /// What the service told of the grant, shown on the connection's page: `[{label, value}]`.
    let facts: [JSON]
    private let provider: Provider
    private let oauth: ProviderOAuth
    private let values: [String: String]

    init(
        _ answer: TokenAnswer, callback: Form, flow: AuthorizationFlow, provider: Provider, oauth: ProviderOAuth,
        values: [String: String]
    ) {
        self.answer = answer
        self.provider = provider
        self.oauth = oauth
        self.values = values
        requested = flow.requestedScopes
        missing = oauth.missing(of: requested, granted: answer.scopes)
        let conceal = Concealing(provider, values, besides: [answer.access, answer.refresh].compactMap(\.self))
        facts = oauth.metadata.compactMap { fact in
            let value = answer.whole.at(fact.path)?.words ?? callback[fact.path]
            return value.map { ["label": .string(fact.label), "value": .string(conceal($0))] }
        }
    }

    /// What is sealed.
    var tokens: Tokens {
        Tokens(access: answer.access.reveal { $0 }, refresh: answer.refresh?.reveal { $0 }, type: answer.type)
    }

    /// What is wrong with what was granted.
    var objection: String? { ConnectionView.objection(toMissing: missing, at: provider.name) }

    /// Beside what tests tell, which stands in `access` and `facts`.
    var metadata: JSON {
        let grant: [JSON.Member] = [.init("grant", .array(facts))]
        return .object(account.isEmpty ? grant : grant + [.init("account", .string(account))])
    }

    /// Whose grant it is, as the service calls them; empty where its answer does not say.
    private var account: String {
        oauth.account.map { Holes.fill($0) { answer.whole.at($0)?.words } } ?? ""
    }

    /// What the audit log is told: never a token.
    var auditDetails: JSON {
        [
            "requested_scopes": .array(requested.map(JSON.string)),
            "granted_scopes": answer.scopes.map { .array($0.map(JSON.string)) } ?? .null,
            "missing_scopes": .array(missing.map(JSON.string)),
        ]
    }

    /// Tells connections that share this grant.
    func key() -> GrantKey { GrantKey(provider, oauth, values, account: account) }
}

/// Tells connections that share one grant at the service.
///
/// The token endpoint stands for the service: Google's Drive and Calendar are one grant of one account. Where nobody says
/// whose it is, all of one client count as one: a token left alive is better than a sibling's death.
struct GrantKey: Sendable, Equatable {
    /// The service, the client and the account there.
    let whole: [UInt8]
    /// The service and the client.
    let client: [UInt8]
}

extension GrantKey {
    /// - Parameter account: whose grant it is; empty where nobody has said so.
    init(_ provider: Provider, _ oauth: ProviderOAuth, _ values: [String: String], account: String) {
        let server = (try? provider.address(oauth.tokenURL, values)) ?? oauth.tokenURL
        let client = [server, values["client_id"] ?? ""]
        whole = SHA256.digest((client + [account]).joined(separator: "\n").utf8)
        self.client = SHA256.digest(client.joined(separator: "\n").utf8)
    }
}

extension ConnectionView {
    /// The key of a grant of which nobody has said whose it is; nil where nobody signs in.
    var keyOfUnknownGrant: GrantKey? {
        provider.flatMap { provider in provider.oauth.map { GrantKey(provider, $0, signInValues, account: "") } }
    }
}
