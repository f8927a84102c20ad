import AdminShell
import HTTPKit

extension OAuthServer {
    /// Performs what is asked of apps.
    func respond(_ route: OAuthAppRoute, _ call: Call) throws -> Response {
        switch (route, call.request.method) {
        case (.list, _): try listAppsPage(call)
        case (.create, .post): try createApp(call)
        case (.create, _): try newAppPage(call)
        case (.show(let id), _): try showAppPage(id, call)
        case (.edit(let id), .post): try editApp(id, call)
        case (.edit(let id), _): try editAppPage(id, call)
        case (.roll(let id), .post): try rollApp(id, call)
        case (.roll(let id), _): try rollAppPage(id, call)
        case (.endPrevious(let id), _): try endPreviousAppSecret(id, call)
        case (.disable(let id), _): try disableApp(id, call)
        case (.enable(let id), _): try enableApp(id, call)
        case (.delete(let id), .post): try confirm(.delete, id, call)
        case (.delete(let id), _): try confirmPage(.delete, id, call)
        case (.tokens(let id), _): try tokensPage(id, call)
        case (.revokeTokens(let id), .post): try confirm(.revokeTokens, id, call)
        case (.revokeTokens(let id), _): try confirmPage(.revokeTokens, id, call)
        case (.revokeToken(let id, let token), _): try revokeHeldToken(id, token, call)
        default: try respondInJSON(route, call)
        }
    }

    private func respondInJSON(_ route: OAuthAppRoute, _ call: Call) throws -> Response {
        switch (route, call.request.method) {
        case (.listJSON, .post): try postApp(call)
        case (.listJSON, _): try listAppsJSON(call)
        case (.appJSON(let id), .patch): try patchApp(id, call)
        case (.appJSON(let id), .delete): try deleteApp(id, call)
        case (.appJSON(let id), _): try appJSON(id, call)
        case (.rollJSON(let id), _): try postAppRoll(id, call)
        case (.previousJSON(let id), _): try deleteAppPrevious(id, call)
        case (.disableJSON(let id), _): try postAppDisable(id, call)
        case (.enableJSON(let id), _): try postAppEnable(id, call)
        case (.tokensJSON(let id), .delete): try deleteTokens(id, call)
        case (.tokensJSON(let id), _): try listTokensJSON(id, call)
        case (.tokenJSON(let id), _): try deleteToken(id, call)
        default: throw Problem.notFound
        }
    }
}

extension OAuthServer {
    /// Performs what people are asked and answer.
    func respond(_ route: ConsentRoute, _ call: Call) throws -> Response {
        switch (route, call.request.method) {
        case (.consent, .post): try consent(call)
        case (.consent, _): try consentPage(call)
        case (.device, .post): try typeDeviceCode(call)
        case (.device, _): try devicePage(call)
        case (.decideDevice, _): try decideDevice(call)
        case (.apps, _): try accessPage(call)
        case (.revoke(let id), _): try revokeConsent(id, call)
        case (.appsJSON, _): try listConsentsJSON(call)
        case (.appJSON(let id), _): try deleteConsent(id, call)
        case (.thirdParty, _): try thirdPartyPage(call)
        case (.endThirdParty(let id), _): try endThirdParty(id, call)
        case (.thirdPartyJSON, _): try listThirdPartyJSON(call)
        case (.thirdPartyGrantJSON(let id), _): try deleteThirdParty(id, call)
        }
    }
}
