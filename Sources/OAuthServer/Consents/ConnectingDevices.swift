import AdminShell
import Domain
import HTTPKit
import TemplateKit

/// Lets in a device that has no browser, by the code that it shows (RFC 8628 §3.3).
extension OAuthServer {
    /// Asks for the code. One that stands in the address is written into the field and nothing more: who was sent a link by
    /// a stranger still has to look at a device of their own.
    ///
    /// > it is RECOMMENDED to inform the user that they are authorizing a device and to confirm that the device is in their
    /// > possession.     RFC 8628 §5.4
    func devicePage(_ call: Call) throws -> Response {
        let typed = try call.request.query()["user_code"].map { String($0.unicodeScalars.prefix(40)) }
        return try call.page(
            DevicePage(
                action: call.link(ConsentRoute.device), typed: typed.map { Form([("user_code", $0)]) }, problem: nil)
        ).neverStored().withoutReferrer()
    }

    /// Shows what the device with this code asks for.
    func typeDeviceCode(_ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let code = input.text("user_code", 1...40)
            guard let code, input.isComplete else { throw input.refusal }
            let device = try pendingDevice(userCode: code, call)
            return try call.page(deviceAskPage(device, call, problem: nil)).neverStored().withoutReferrer()
        } orShow: { problem in
            DevicePage(action: call.link(ConsentRoute.device), typed: form, problem: problem)
        }
    }

    func decideDevice(_ call: Call) throws -> Response {
        var input = try call.form()
        let code = input.text("user_code", 1...40)
        guard let code else { throw Problem.authorizationOver }
        let device = try pendingDevice(userCode: code, call)
        return try call.perform {
            guard let answer = try decision(&input, call), input.isComplete else { throw input.refusal }
            if answer.isAllowed {
                try approveDevice(device, call, by: answer.scope)
            } else {
                try denyDevice(device, call)
            }
            return try call.page(
                DeviceDonePage(
                    app: device.app.name, isAllowed: answer.isAllowed, appsHref: call.link(ConsentRoute.apps)))
        } orShow: { problem in
            try deviceAskPage(device, call, problem: problem)
        }
    }

    private func deviceAskPage(_ device: PendingDevice, _ call: Call, problem: Problem?) throws -> DeviceAskPage {
        DeviceAskPage(
            asking: try asking(device.app, device.scopes, call), userCode: device.userCode.text,
            action: call.link(ConsentRoute.decideDevice), problem: problem)
    }
}

/// Asks for the code that a device shows.
struct DevicePage: ShellPage {
    static let template = "oauth-device"
    static let isBare = true
    static let sample = DevicePage(action: "/oauth/device", typed: Form([("user_code", "WDJB-MJHT")]), problem: nil)

    let action: String
    let typed: Form?
    let problem: Problem?

    var title: String { "Connect a device" }
    var place: Place? { nil }

    var view: TemplateValue {
        let code = FormField(
            "user_code", "Code on the device",
            .line(type: "text", autocomplete: "off", inputMode: nil, isPlain: true),
            help: "Eight letters, such as WDJB-MJHT. Dashes and small letters do not matter.", width: .wide,
            maxLength: 40)
        var members = FormView([code], typed: typed, problem: problem).members
        // One field tells its fault itself.
        if problem?.errors.isEmpty == false { members["form_errors"] = .null }
        members["action"] = .text(action)
        return .object(members)
    }
}

/// Shows what a device asks for, and its code once more.
struct DeviceAskPage: ShellPage {
    static let template = "oauth-device-ask"
    static let isBare = true
    static let sample = DeviceAskPage(
        asking: .sample, userCode: "WDJB-MJHT", action: "/oauth/device/decision", problem: nil)

    let asking: Asking
    let userCode: String
    let action: String
    let problem: Problem?

    var title: String { asking.title }
    var place: Place? { nil }

    var view: TemplateValue {
        .object(
            [
                "user_code": .text(userCode), "action": .text(action),
                "form_errors": FormView([], problem: problem).summary,
            ].merging(asking.members) { one, _ in one })
    }
}

/// Tells that the device knows.
struct DeviceDonePage: ShellPage {
    static let template = "oauth-device-done"
    static let isBare = true
    static let sample = DeviceDonePage(app: "Nightly export", isAllowed: true, appsHref: "/apps")

    let app: String
    let isAllowed: Bool
    let appsHref: String

    var title: String { isAllowed ? "The device is connected" : "The device was turned away" }
    var place: Place? { nil }

    var view: TemplateValue {
        ["app": .text(app), "is_allowed": .bool(isAllowed), "apps_href": .text(appsHref)]
    }
}
