import CipherKit
import ClientKit
import Domain
import HTTPKit
import LimitKit
import TimeKit

/// Counts the calls that services refuse, and stops calling one before it shuts this hub out (A2-28).
///
/// Discord shuts out an address that causes 10 000 refused calls in ten minutes, and with it everybody whose hub it is.
/// What one connection causes ends for that connection long before it could end for all. All processes of a host count
/// together; calls that are under way when a limit is reached still arrive.
struct Refusals: Sendable {
    /// Nothing is counted without one.
    let limiter: Limiter?
    let now: @Sendable () -> Timestamp

    /// The statuses that services count: unauthorized, forbidden, too many requests.
    private static let counted: Set<Int> = [401, 403, 429]

    /// What causes refusals at one host of a service, from the narrowest to the widest.
    private enum Cause: CaseIterable {
        case connection, organization, everybody

        /// How many refusals it may cause within an hour: half of what Discord takes in ten minutes, however they fall.
        var quota: Quota {
            switch self {
            case .connection: Quota(name: "refused", limit: 500, window: .hour)
            case .organization: Quota(name: "refused", limit: 1_500, window: .hour)
            case .everybody: Quota(name: "refused", limit: 5_000, window: .hour)
            }
        }
    }

    /// A service is left in peace for a while.
    struct Rest: Error, Equatable {
        /// What happened and what to do, for people.
        let sentence: String
        /// How long.
        let duration: Duration
        /// Whether others caused it, so that the caller can do nothing about it.
        let isForAll: Bool

        /// As callers of the hub are told.
        var problem: Problem {
            Problem(
                isForAll ? 503 : 429, "refused_too_often", sentence,
                headers: ["retry-after": "\(max(1, Int((duration / .seconds(1)).rounded(.up))))"])
        }
    }

    /// Refuses a call to a service that has refused too many.
    ///
    /// - Parameter isTrial: whether it is to show if new credentials work: what the connection caused is forgiven.
    func check(_ url: String, of service: String, by caller: Caller, isTrial: Bool) throws(Rest) {
        guard let limiter, let host = Self.host(of: url) else { return }
        for cause in Cause.allCases where !(isTrial && cause == .connection) {
            let verdict = limiter.peek(from: [cause.quota], of: subject(cause, host, caller), at: now())
            guard let wait = verdict.retryAfter else { continue }
            throw Rest(sentence: sentence(cause, service, wait), duration: wait, isForAll: cause == .everybody)
        }
    }

    /// Notes how a service answered.
    func note(_ status: Int, _ url: String, by caller: Caller) {
        guard let limiter, Self.counted.contains(status), let host = Self.host(of: url) else { return }
        for cause in Cause.allCases {
            _ = limiter.take(from: [cause.quota], of: subject(cause, host, caller), at: now())
        }
    }

    /// Forgives a connection what it caused, once its credentials were found to be good.
    func forgive(_ caller: Caller) {
        limiter?.forget(subject(.connection, "", caller))
    }

    /// Whose call it is.
    struct Caller: Sendable {
        let connection: Identifier<Connection>
        let organization: Identifier<Organization>
    }

    private func subject(_ cause: Cause, _ host: String, _ caller: Caller) -> LimitSubject {
        switch cause {
        // All hosts of a service count as one: a connection has one credential for them.
        case .connection: LimitSubject("service-refusals", caller.connection.bytes)
        case .organization:
            LimitSubject(
                "service-refusals", SHA256.digest(Array(host.utf8) + [0] + caller.organization.bytes).prefix(16))
        case .everybody: LimitSubject("service-refusals", SHA256.digest(host.utf8).prefix(16))
        }
    }

    private static func host(of url: String) -> String? { (try? OutboundURL(url))?.origin.host }

    private func sentence(_ cause: Cause, _ service: String, _ wait: Duration) -> String {
        let minutes = max(1, Int((wait / .minutes(1)).rounded(.up)))
        let again = "The hub calls it again in \(minutes) minute\(minutes == 1 ? "" : "s"), lest it shuts the hub out."
        let count = cause.quota.limit
        return switch cause {
        case .connection:
            "\(service) has refused \(count) calls of this connection within an hour. \(again) Check the credentials, and what is asked for; a test that passes ends the wait."
        case .organization:
            "\(service) has refused \(count) calls of your connections within an hour. \(again) Check their credentials, and what is asked for."
        case .everybody: "\(service) has refused too many calls of this hub within an hour. \(again)"
        }
    }
}

/// Calls to services, each under the eyes of ``Refusals``.
struct ServiceClient: Sendable {
    let client: Client
    let refusals: Refusals
    let caller: Refusals.Caller
    /// What people call the service.
    let service: String
    /// Whether a call is to show if new credentials work.
    var isTrial = false

    /// Why there was no answer.
    enum Failure: Error {
        case rest(Refusals.Rest)
        case client(ClientError)
    }

    /// Makes a call and waits for the whole answer.
    func send(_ request: OutboundRequest) throws(Failure) -> OutboundResponse {
        try check(request)
        do throws(ClientError) {
            let response = try client.send(request)
            refusals.note(response.status, request.url, by: caller)
            return response
        } catch {
            throw .client(error)
        }
    }

    /// Makes a call whose bodies are handed on as they come.
    func open(
        _ request: OutboundRequest, sending upload: OutboundUpload?, idle: Duration, while isWanted: () -> Bool
    ) throws(Failure) -> OutboundStream {
        try check(request)
        do throws(ClientError) {
            let stream = try client.open(request, sending: upload, idle: idle, while: isWanted)
            refusals.note(stream.status, request.url, by: caller)
            return stream
        } catch {
            throw .client(error)
        }
    }

    private func check(_ request: OutboundRequest) throws(Failure) {
        do throws(Refusals.Rest) {
            try refusals.check(request.url, of: service, by: caller, isTrial: isTrial)
        } catch {
            throw .rest(error)
        }
    }
}

extension Connections {
    /// Calls to the service of a connection.
    func serviceClient(
        _ connection: Identifier<Connection>, of organization: Identifier<Organization>, _ service: String,
        isTrial: Bool = false
    ) -> ServiceClient {
        ServiceClient(
            client: client, refusals: refusals,
            caller: Refusals.Caller(connection: connection, organization: organization), service: service,
            isTrial: isTrial)
    }
}
