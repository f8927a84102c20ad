import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LimitKit
import LogKit
import TimeKit

/// A device that waits for its person, as the device page shows it.
struct PendingDevice: Sendable {
    let id: [UInt8]
    let app: AppRecord
    let scopes: [Scope]
    let userCode: UserCode
}

/// Devices without a browser: a person types their code somewhere else (RFC 8628).
extension OAuthServer {
    /// By how many seconds a device that asks too often must wait longer (RFC 8628 §3.5).
    private static let slowdown = 5
    /// How often one person, or one address, may mistype.
    ///
    /// > the authorization server SHOULD rate-limit user code attempts.     RFC 8628 §5.1
    private static let typings = [Quota.minute(10), .hour(100)]

    /// The device authorization endpoint.
    func authorizeDevice(_ call: Call) throws -> Response {
        let form = try OAuthForm(call.request)
        let app = try client(call, form)
        guard app.grants.contains(.deviceCode) else {
            throw OAuthError(.unauthorizedClient, "This app is not registered for devices.")
        }
        try admitStranger(call, as: app)
        let scopes = try AuthorizationReader.scopes(form, of: app)
        let resources = try ResourceIndicator.list(form.all("resource"), at: site.origin)
        let code = TokenText(.deviceCode, id: Identifier<OAuthToken>(world).bytes)
        let userCode = try keep(code, of: app, scopes, resources)
        let page = "\(issuer)/oauth/device"
        return Response.json([
            "device_code": .string(code.secret.reveal { $0 }), "user_code": .string(userCode.text),
            "verification_uri": .string(page),
            "verification_uri_complete": .string("\(page)?user_code=\(userCode.text)"),
            "expires_in": .integer(Int64(settings.deviceSeconds)),
            "interval": .integer(Int64(settings.deviceInterval)),
        ]).with("pragma", "no-cache").neverStored()
    }

    /// Keeps a device under a user code that no other one has just now.
    private func keep(
        _ code: TokenText, of app: AppRecord, _ scopes: [Scope], _ resources: [String]
    ) throws -> UserCode {
        for _ in 0..<5 {
            let userCode = UserCode(world)
            do {
                try DeviceStore(world: world).insert(
                    code, userCode, app: app.id, scopes: scopes, resources: resources,
                    life: .seconds(settings.deviceSeconds), interval: settings.deviceInterval, in: database)
                return userCode
            } catch let error as DatabaseError where error.code == .duplicate {
                continue
            }
        }
        throw OAuthError(.temporarilyUnavailable, "No code is free just now; try again.", status: 503)
    }

    // MARK: The device asks

    func redeemDeviceCode(of app: AppRecord, _ form: OAuthForm, _ call: Call) throws -> Response {
        let unknown = OAuthError(
            .invalidGrant, "The device code is not known, was used, or was given to another client.")
        let resources = form.all("resource")
        guard let sent = TokenText(try form.required("device_code")), sent.kind == .deviceCode else { throw unknown }
        return try settle(call, of: app, by: .deviceCode) { transaction in
            let store = DeviceStore(world: world)
            guard let device = try store.locked(sent, in: transaction), device.app == app.id, !device.isRedeemed else {
                return .refused(unknown)
            }
            if let error = try answer(device, store, in: transaction) { return .refused(error) }
            guard let person = device.person else { return .refused(unknown) }
            let narrowed: [String]
            do throws(OAuthError) {
                narrowed = try ResourceIndicator.narrowed(resources, within: device.resources, at: site.origin)
            } catch {
                return .refused(error)
            }
            try store.redeem(device, in: transaction)
            return .given(
                try give(
                    to: app, user: person.user, organization: person.organization, scopes: device.scopes,
                    resources: device.resources, narrowedTo: narrowed, in: transaction
                ).tokens)
        }
    }

    /// What a device is told that must go on waiting, or in vain; nil when somebody has let it in.
    private func answer(
        _ device: DeviceRecord, _ store: DeviceStore, in transaction: Transaction
    ) throws -> OAuthError? {
        let now = world.now()
        if device.isDenied { return OAuthError(.accessDenied, "The person has not given access.") }
        guard device.expiresAt > now else {
            return OAuthError(.expiredToken, "The device code has ended; begin again.")
        }
        if let last = device.polledAt, now - last < .seconds(device.interval) {
            let interval = min(device.interval + Self.slowdown, 600)
            try store.poll(device, interval: interval, in: transaction)
            return OAuthError(.slowDown, "Ask less often: every \(interval) seconds from now on.")
        }
        guard device.person == nil else { return nil }
        try store.poll(device, interval: device.interval, in: transaction)
        return OAuthError(.authorizationPending, "Nobody has let the device in yet.")
    }

    // MARK: What the device page calls

    /// The device whose code somebody typed; what opens nothing counts as a guess.
    ///
    /// - Throws: `Problem` 422 that names `user_code`; 429 when there were too many wrong ones.
    func pendingDevice(userCode: String, _ call: Call) throws -> PendingDevice {
        let now = world.now()
        let subject = LimitSubject("oauth-device", try call.browser().user.bytes)
        let address = LimitSubject(address: call.request.remoteAddress, for: "oauth-device")
        let attempts = [subject, address].map { ($0, limiter.take(1, from: Self.typings, of: $0, at: now)) }
        if let refused = attempts.first(where: { !$0.1.isAllowed }) { throw Problem.quotaExceeded(refused.1) }
        guard let typed = UserCode(userCode),
            let device = try DeviceStore(world: world).waiting(typed, in: database),
            let app = try memory.app(device.app), app.isUsable
        else {
            throw Problem.invalid(
                "user_code", "not_found", "No device waits with this code. Look at the device: codes end after a while."
            )
        }
        for (subject, verdict) in attempts { limiter.giveBack(taken: verdict, of: subject) }
        return PendingDevice(id: device.id, app: app, scopes: device.scopes, userCode: typed)
    }

    /// Lets a device in, and remembers the consent.
    ///
    /// - Throws: `Problem` 410 when it was answered already.
    func approveDevice(_ device: PendingDevice, _ call: Call, by scope: OrganizationScope) throws {
        let user = try call.browser().user
        try database.transaction { transaction in
            // The consent first, as whoever takes it back does: neither waits for the other in a circle.
            try remember(device.scopes, device.app, user, by: scope, in: transaction)
            guard
                try DeviceStore(world: world).approve(
                    device.id, user: user, organization: scope.organization, in: transaction)
            else { throw Problem.authorizationOver }
        }
        note("a device was let in", device.app, .deviceCode, call, user: user.text)
    }

    /// Turns a device away.
    ///
    /// - Throws: `Problem` 410 when it was answered already.
    func denyDevice(_ device: PendingDevice, _ call: Call) throws {
        guard try DeviceStore(world: world).deny(device.id, in: database) else { throw Problem.authorizationOver }
        let user = try call.browser().user
        note("a device was turned away", device.app, .deviceCode, call, user: user.text)
    }
}
