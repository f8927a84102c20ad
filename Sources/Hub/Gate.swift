import APIKeys
import HTTPKit
import LogKit
import OAuthServer

/// What nginx asks before it lets a request of a site through: keys and access tokens open it under the same rules.
struct Gate: Sendable {
    let gatekeeper: Gatekeeper
    let oauthServer: OAuthServer

    /// The header block that nginx reads.
    func answer(_ question: GateQuestion) -> [UInt8] {
        guard case .sent(let sent) = question.credential, sent.reveal({ OAuthServer.isToken($0) }) else {
            return gatekeeper.answer(question)
        }
        return oauthServer.answer(question, sent) {
            // Whatever opens nothing counts as a guess of its address.
            let problem = gatekeeper.invalid(from: question.remoteAddress, requestID: question.requestID)
            return problem.status == 429 ? problem.headers["retry-after"].flatMap { Int($0) } : nil
        }
    }
}
