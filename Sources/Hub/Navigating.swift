import APIKeys
import Accounts
import AdminShell
import Audit
import Connections
import Domain
import Inbound
import OAuthServer
import Operations
import Platforms
import RequestLogs
import Webhooks

extension Rooms {
    /// The links of the frame.
    var navigation: Navigation {
        Navigation(
            overview: OperationsRoute.overview.path, account: AccountRoute.account.path,
            signOut: AccountRoute.signOut.path, switchOrganization: AccountRoute.switchOrganization.path,
            groups: [
                (
                    "Connect",
                    [
                        NavigationItem(
                            .connections, "Connections", path: ConnectionRoute.list.path, needs: .read(.connections),
                            count: { try connections.attentionCount($0) }),
                        NavigationItem(
                            .platforms, "Chat platforms", path: PlatformPageRoute.list.path,
                            needs: .read(.connections), count: { try platforms.attentionCount($0) }),
                        NavigationItem(
                            .inbound, "Inbound", path: InboundPageRoute.sources.path, needs: .read(.webhooks),
                            count: { try inbound.attentionCount($0) }),
                    ]
                ),
                (
                    "Publish",
                    [
                        NavigationItem(.apiKeys, "API keys", path: APIKeyRoute.list.path, needs: .read(.apiKeys)),
                        NavigationItem(
                            .oauthApps, "OAuth apps", path: OAuthAppRoute.list.path, needs: .read(.oauthApps)),
                        NavigationItem(
                            .webhooks, "Webhooks", path: WebhookPageRoute.list.path, needs: .read(.webhooks),
                            count: { try webhooks.attentionCount($0) }),
                        NavigationItem(
                            .events, "Events", path: WebhookPageRoute.events.path, needs: .read(.events)),
                        NavigationItem(
                            .apiReference, "API reference", path: APIReferenceRoute.page.path,
                            needs: .read(.organization)),
                    ]
                ),
                (
                    "Observe",
                    [
                        NavigationItem(
                            .requestLogs, "Request log", path: RequestLogsRoute.log.path, needs: .read(.requestLogs)),
                        NavigationItem(.usage, "Usage", path: RequestLogsRoute.usage.path, needs: .read(.usage)),
                        NavigationItem(.audit, "Audit log", path: AuditRoute.log.path, needs: .read(.audit)),
                    ]
                ),
                (
                    "Organization",
                    [
                        NavigationItem(
                            .appsWithAccess, "Apps with access", path: ConsentRoute.apps.path,
                            needs: .read(.oauthApps)),
                        NavigationItem(
                            .organization, "People & workspaces", path: AccountRoute.organization.path,
                            needs: .read(.organization)),
                        NavigationItem(.system, "System", path: OperationsRoute.system.path, needs: .everything),
                    ]
                ),
            ])
    }
}
