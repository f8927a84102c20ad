import Foundation
import JSONKit
import RoomFixture
import ThreadKit

/// A stand-in for a service that people sign in to: it gives, renews and takes back tokens as it is told to.
final class GrantService: Sendable {
    /// How it behaves, and what it remembers.
    struct State: Sendable {
        /// Whether each renewal gives another refresh token.
        var rotates = true
        /// Whether the refresh token before is refused as soon as another one was given.
        var endsOldAtOnce = true
        /// Seconds that an access token lives; nil when it does not say.
        var lifetime: Int? = 3_600
        /// What it answers to renewals before it answers as it should: whole answers; nil hangs up.
        var scripted: [String?] = []
        /// What is done before a renewal is answered.
        var before: (@Sendable () -> Void)?
        /// What is done after a renewal has happened, and before it is answered.
        var after: (@Sendable () -> Void)?
        var revocationStatus = 200
        var calls: [String] = []
        var revoked: [String] = []
        var refreshTokens: Set<String> = ["refresh-0"]
        var access: Set<String> = ["access-0"]
        var count = 0
    }

    let state = Lock(State())
    let standIn: StandIn

    init() {
        let state = state
        standIn = StandIn { request in Self.answer(request, state) }
    }

    var port: Int { standIn.port }

    /// What it was asked: `refresh`, `revoke` or `read`, in order.
    var calls: [String] { state.withLock { $0.calls } }
    /// The tokens that it took back.
    var revoked: [String] { state.withLock { $0.revoked } }
    /// How often it was asked for new tokens.
    var refreshes: Int { count("refresh") }

    func count(_ call: String) -> Int { calls.count { $0 == call } }

    func set(_ change: (inout State) -> Void) { state.withLock { state in change(&state) } }

    private static func answer(_ request: String, _ state: Lock<State>) -> String? {
        let line = request.prefix { $0 != "\r\n" }
        let body = request.firstRange(of: "\r\n\r\n").map { request[$0.upperBound...] } ?? ""
        let form = Dictionary(
            body.split(separator: "&").map { pair in
                let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
                return (parts[0], parts.count == 2 ? parts[1].removingPercentEncoding ?? "" : "")
            }
        ) { $1 }
        if line.hasPrefix("POST /token") { return refresh(form["refresh_token"] ?? "", state) }
        if line.hasPrefix("POST /revoke") { return revoke(form["token"] ?? "", state) }
        let bearer = request.firstMatch(of: /(?i)authorization: Bearer (\S+)/).map { String($0.output.1) } ?? ""
        return state.withLock { state in
            state.calls.append("read")
            return state.access.contains(bearer)
                ? StandIn.json(200, #"{"email":"ana@acme.example"}"#) : StandIn.json(401, #"{"error":"expired"}"#)
        }
    }

    private static func refresh(_ token: String, _ state: Lock<State>) -> String? {
        state.withLock { $0.calls.append("refresh") }
        state.withLock { $0.before }?()
        let answer = state.withLock { state -> String? in
            if !state.scripted.isEmpty { return state.scripted.removeFirst() }
            guard state.refreshTokens.contains(token) else {
                return StandIn.json(400, #"{"error":"invalid_grant","error_description":"Token has been revoked."}"#)
            }
            state.count += 1
            let access = "access-\(state.count)"
            state.access.insert(access)
            var members: [JSON.Member] = [.init("access_token", .string(access)), .init("token_type", "Bearer")]
            if let lifetime = state.lifetime { members.append(.init("expires_in", .integer(Int64(lifetime)))) }
            if state.rotates {
                if state.endsOldAtOnce { state.refreshTokens = [] }
                state.refreshTokens.insert("refresh-\(state.count)")
                members.append(.init("refresh_token", .string("refresh-\(state.count)")))
            }
            return StandIn.json(200, String(decoding: JSON.object(members).bytes, as: UTF8.self))
        }
        state.withLock { $0.after }?()
        return answer
    }

    private static func revoke(_ token: String, _ state: Lock<State>) -> String {
        state.withLock { state in
            state.calls.append("revoke")
            guard state.revocationStatus == 200 else {
                return StandIn.json(state.revocationStatus, #"{"error":"temporarily_unavailable"}"#)
            }
            state.revoked.append(token)
            return StandIn.json(200, "{}")
        }
    }
}
