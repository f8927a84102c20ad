import APIKeys
import Accounts
import AdminShell
import Audit
import Connections
import Inbound
import JSONKit
import OAuthServer
import Operations
import Platforms
import RequestLogs
import Webhooks

extension House {
    /// What is said of every route of every room.
    static let described: [RouteDescription] =
        AccountRoute.described + ConnectionRoute.described + MessageRoute.described + APIKeyRoute.described
        + AuditRoute.described + IntegrationsRoute.described + IntegrationsHubRoute.described
        + RequestLogsRoute.described + WebhookRoute.described + PlatformRoute.described + InboundRoute.described
        + OAuthEndpointRoute.described + OAuthAppRoute.described + ConsentRoute.described + RegistrationRoute.described
        + OperationsRoute.described
        + APIReferenceRoute.described
}

extension Site {
    /// The description of this hub's JSON interface.
    var apiDocument: APIDocument {
        APIDocument(
            House.described, title: "\(name) API", version: version, server: origin + mount,
            sessionCookie: cookieName(Accounts.sessionCookie))
    }
}

/// `hub openapi`: the description that `GET /api/openapi.json` gives, for programs that make clients of it.
func printDescription(_ arguments: inout Arguments) throws -> Int32 {
    try arguments.end()
    print(String(decoding: try Configuration.site(Settings()).apiDocument.json.bytes, as: UTF8.self))
    return 0
}
