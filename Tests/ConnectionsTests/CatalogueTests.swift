import ClientKit
import Domain
import JSONKit
import Testing
import TimeKit

@testable import Connections

/// The built-in provider files against the facts that they were written from.
@Suite struct CatalogueTests {
    /// What the issue asks for.
    private static let keys: Set<String> = [
        "google", "google_drive", "google_calendar", "microsoft", "microsoft_teams", "slack", "discord", "shopify",
        "notion", "telegram", "whatsapp", "sendgrid", "instagram", "facebook", "stripe", "openrouter", "aws", "zapier",
        "make", "n8n", "hubspot", "airtable", "github", "twilio", "smtp", "custom_oauth2", "custom_api_key",
        "custom_webhook",
    ]

    private static let values = [
        "shop": "acme", "tenant_id": "common", "graph_version": "v22.0", "zone": "eu1", "api_version": "2026-10",
        "base_url": "https://base.example", "test_url": "https://test.example/me", "client_id": "id",
        "authorize_url": "https://sign-in.example/authorize", "token_url": "https://sign-in.example/token",
        "revoke_url": "https://sign-in.example/revoke", "webhook_url": "https://hook.example/1",
        "account_sid": "AC1", "bot_token": "1:a",
    ]

    @Test("Every service that was promised is there, and each of its calls can be made")
    func complete() throws {
        let catalogue = try ProviderCatalogue()
        #expect(Set(catalogue.providers.map(\.key)) == Self.keys)
        for provider in catalogue.providers {
            #expect(!provider.guide.isEmpty && !provider.summary.isEmpty, "\(provider.key)")
            #expect(provider.isVerified || provider.note != nil, "\(provider.key) says what was not verified")
            var calls = provider.sync.map(\.call)
            for test in provider.tests { if case .http(let call) = test.call { calls.append(call) } }
            if let revocation = provider.oauth?.revocation { calls.append(revocation.call) }
            for call in calls {
                let url = try OutboundURL(Holes.address(call.url, Self.values))
                #expect(url.origin.scheme == "https" && url.origin.port == 443, "\(provider.key)")
            }
            for call in provider.sync.map(\.call) + [provider.oauth?.revocation?.call].compactMap(\.self) {
                let url = try OutboundURL(Holes.address(call.url, Self.values))
                #expect(provider.allows(url.origin.host, Self.values), "\(provider.key) is asked at its own hosts")
            }
        }
    }

    @Test("Every service where people sign in has its addresses, a cheapest read, and tells its redirect address")
    func signIn() throws {
        for provider in try ProviderCatalogue().providers {
            guard let oauth = provider.oauth else {
                #expect(provider.kind != .oauth2 && provider.redirectPath(for: Identifier(.real)) == nil)
                continue
            }
            for url in [oauth.authorizeURL, oauth.tokenURL] {
                #expect((try? OutboundURL(Holes.address(url, Self.values))) != nil, "\(provider.key)")
            }
            guard case .http(let call) = provider.test.call else {
                Issue.record("\(provider.key) is tested over HTTP")
                continue
            }
            #expect(call.method == .get || provider.key == "slack", "\(provider.key)")
            #expect(call.holes.contains("access_token"), "\(provider.key)")
            #expect(provider.test.notice == nil, "\(provider.key)")
            #expect(
                provider.guide.contains { $0.contains("{redirect_uri}") } || provider.key == "openrouter",
                "\(provider.key)")
        }
    }

    @Test("No value of a set-up can lead a call to another host, but for fields that are addresses")
    func fixedHosts() throws {
        let hostile = [
            "evil.example/", "x.evil.example", "@evil.example", "evil.example#", "evil.example?", "a/../..", "%2e",
        ]
        for provider in try ProviderCatalogue().providers {
            for written in provider.hosts {
                guard let hole = Holes.names(in: written).first else { continue }
                let field = try #require(provider.field(hole))
                guard field.hosts.isEmpty else { continue }
                for value in hostile { #expect(field.objection(to: value) != nil, "\(provider.key) \(value)") }
            }
            for field in provider.fields where !field.hosts.isEmpty {
                for value in [
                    "http://hooks.zapier.com/hooks/catch/1/", "ftp://x", "https://u:p@hooks.zapier.com/", "//x",
                ] {
                    #expect(field.objection(to: value) != nil, "\(provider.key) \(field.name) \(value)")
                }
            }
        }
    }

    struct Facts: Sendable, CustomTestStringConvertible {
        let key: String
        let authorize: String
        let token: String
        let revoke: String?
        let test: String
        let separator: String
        let scopes: [String]
        var testDescription: String { key }

        init(
            _ key: String, _ authorize: String, _ token: String, revoke: String?, test: String,
            _ separator: String, _ scopes: [String]
        ) {
            (self.key, self.authorize, self.token, self.revoke, self.test) = (key, authorize, token, revoke, test)
            (self.separator, self.scopes) = (separator, scopes)
        }
    }

    private static let google = (
        authorize: "https://accounts.google.com/o/oauth2/v2/auth", token: "https://oauth2.googleapis.com/token",
        revoke: "POST https://oauth2.googleapis.com/revoke"
    )
    private static let microsoft = (
        authorize: "https://login.microsoftonline.com/{tenant_id}/oauth2/v2.0/authorize",
        token: "https://login.microsoftonline.com/{tenant_id}/oauth2/v2.0/token"
    )

    /// The provider table, row by row.
    private static let table: [Facts] = [
        Facts(
            "google", google.authorize, google.token, revoke: google.revoke,
            test: "GET https://www.googleapis.com/oauth2/v3/userinfo", " ", ["openid", "email", "profile"]),
        Facts(
            "google_drive", google.authorize, google.token, revoke: google.revoke,
            test: "GET https://www.googleapis.com/drive/v3/about?fields=user,storageQuota", " ",
            ["https://www.googleapis.com/auth/drive.file"]),
        Facts(
            "google_calendar", google.authorize, google.token, revoke: google.revoke,
            test: "GET https://www.googleapis.com/calendar/v3/users/me/calendarList?maxResults=1", " ",
            [
                "https://www.googleapis.com/auth/calendar.events",
                "https://www.googleapis.com/auth/calendar.readonly",
            ]),
        Facts(
            "microsoft", microsoft.authorize, microsoft.token, revoke: nil,
            test: "GET https://graph.microsoft.com/v1.0/me", " ", ["offline_access", "User.Read"]),
        Facts(
            "microsoft_teams", microsoft.authorize, microsoft.token, revoke: nil,
            test: "GET https://graph.microsoft.com/v1.0/me/joinedTeams?$top=1", " ",
            ["offline_access", "Team.ReadBasic.All", "Channel.ReadBasic.All", "ChannelMessage.Send"]),
        Facts(
            "slack", "https://slack.com/oauth/v2/authorize", "https://slack.com/api/oauth.v2.access",
            revoke: "POST https://slack.com/api/auth.revoke", test: "POST https://slack.com/api/auth.test", ",",
            ["chat:write", "channels:read", "groups:read"]),
        Facts(
            "discord", "https://discord.com/oauth2/authorize", "https://discord.com/api/oauth2/token",
            revoke: "POST https://discord.com/api/oauth2/token/revoke",
            test: "GET https://discord.com/api/v10/users/@me", " ", ["bot", "identify", "guilds"]),
        Facts(
            "shopify", "https://{shop}.myshopify.com/admin/oauth/authorize",
            "https://{shop}.myshopify.com/admin/oauth/access_token",
            revoke: "DELETE https://{shop}.myshopify.com/admin/api_permissions/current.json",
            test: "GET https://{shop}.myshopify.com/admin/api/{api_version}/shop.json", ",",
            ["read_products", "write_products", "read_orders"]),
        Facts(
            "notion", "https://api.notion.com/v1/oauth/authorize", "https://api.notion.com/v1/oauth/token",
            revoke: "POST https://api.notion.com/v1/oauth/revoke", test: "GET https://api.notion.com/v1/users/me", " ",
            []),
        Facts(
            "instagram", "https://www.instagram.com/oauth/authorize", "https://api.instagram.com/oauth/access_token",
            revoke: nil, test: "GET https://graph.instagram.com/me?fields=user_id,username", ",",
            ["instagram_business_basic", "instagram_business_manage_messages"]),
        Facts(
            "facebook", "https://www.facebook.com/{graph_version}/dialog/oauth",
            "https://graph.facebook.com/{graph_version}/oauth/access_token",
            revoke: "DELETE https://graph.facebook.com/{graph_version}/me/permissions",
            test: "GET https://graph.facebook.com/{graph_version}/me", ",", ["public_profile"]),
        Facts(
            "stripe", "https://connect.stripe.com/oauth/authorize", "https://connect.stripe.com/oauth/token",
            revoke: "POST https://connect.stripe.com/oauth/deauthorize", test: "GET https://api.stripe.com/v1/account",
            " ", ["read_write"]),
        Facts(
            "openrouter", "https://openrouter.ai/auth", "https://openrouter.ai/api/v1/auth/keys", revoke: nil,
            test: "GET https://openrouter.ai/api/v1/auth/key", " ", []),
        Facts(
            "hubspot", "https://app.hubspot.com/oauth/authorize", "https://api.hubapi.com/oauth/2026-03/token",
            revoke: "POST https://api.hubapi.com/oauth/2026-03/token/revoke",
            test: "GET https://api.hubapi.com/account-info/v3/details", " ", ["oauth", "crm.objects.contacts.read"]),
        Facts(
            "airtable", "https://airtable.com/oauth2/v1/authorize", "https://airtable.com/oauth2/v1/token", revoke: nil,
            test: "GET https://api.airtable.com/v0/meta/whoami", " ",
            ["data.records:read", "schema.bases:read", "webhook:manage"]),
        Facts(
            "github", "https://github.com/login/oauth/authorize", "https://github.com/login/oauth/access_token",
            revoke: "DELETE https://api.github.com/applications/{client_id}/grant",
            test: "GET https://api.github.com/user", " ", ["read:user"]),
        Facts(
            "custom_oauth2", "{authorize_url}", "{token_url}", revoke: "POST {revoke_url}", test: "GET {test_url}", " ",
            []),
    ]

    @Test("Addresses, scopes and separators are those of the provider table", arguments: table)
    func facts(of facts: Facts) throws {
        let provider = try #require(try ProviderCatalogue()[facts.key])
        let oauth = try #require(provider.oauth)
        #expect(oauth.authorizeURL == facts.authorize && oauth.tokenURL == facts.token)
        #expect(oauth.revocation.map { "\($0.call.method.rawValue) \($0.call.url)" } == facts.revoke)
        #expect(oauth.scopeSeparator == facts.separator && oauth.scopes == facts.scopes)
        guard case .http(let call) = provider.test.call else { throw Unexpected() }
        #expect("\(call.method.rawValue) \(call.url)" == facts.test)
    }

    @Test("Every service where people sign in stands in the table")
    func whole() throws {
        let signIn = try ProviderCatalogue().providers.filter { $0.oauth != nil }.map(\.key)
        #expect(Set(signIn) == Set(Self.table.map(\.key)))
    }

    struct Unexpected: Error {}

    @Test("What makes each service differ from the standard is in its file")
    func quirks() throws {
        let catalogue = try ProviderCatalogue()
        func oauth(_ key: String) throws -> ProviderOAuth { try #require(catalogue[key]?.oauth) }
        func parameters(_ list: [ProviderOAuth.Parameter]) -> [String: String] {
            Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0.value) })
        }
        let google = try oauth("google")
        #expect(parameters(google.authorizeParameters)["access_type"] == "offline")
        #expect(parameters(google.authorizeParameters)["prompt"] == "consent" && google.lifetime == .seconds(3_600))
        #expect(try parameters(oauth("microsoft").authorizeParameters) == ["response_mode": "query"])
        #expect(try oauth("microsoft").grantLifetime == .days(90) && !oauth("microsoft").rotatesRefreshToken)
        #expect(catalogue["microsoft"]?.ends == "client_secret_expires_on")
        #expect(try oauth("slack").tokenPath == "authed_user" && oauth("slack").successPath == "ok")
        #expect(try oauth("discord").lifetime == .days(7) && oauth("discord").revocation?.endsSiblings == true)
        let shopify = try oauth("shopify")
        #expect(parameters(shopify.tokenParameters) == ["expiring": "1"] && shopify.signsCallback)
        #expect(shopify.tenantField == "shop" && shopify.grantLifetime == .days(90) && shopify.rotatesRefreshToken)
        let notion = try oauth("notion")
        #expect(notion.bodyFormat == .json && notion.clientAuthentication == .basic && notion.rotatesRefreshToken)
        #expect(parameters(notion.authorizeParameters) == ["owner": "user"])
        let instagram = try oauth("instagram")
        #expect(
            instagram.exchange == .longLived && instagram.longLivedURL == "https://graph.instagram.com/access_token")
        #expect(instagram.refreshURL == "https://graph.instagram.com/refresh_access_token")
        #expect(instagram.grantLifetime == .days(60) && instagram.grantWarning == .days(10))
        #expect(
            instagram.minimumAge == .days(1)
                && parameters(instagram.refreshParameters)["grant_type"] == "ig_refresh_token")
        let airtable = try oauth("airtable")
        #expect(airtable.usesPKCE && airtable.rotatesRefreshToken && airtable.grantLifetime == .days(60))
        #expect(airtable.clientAuthentication == .basic)
        let openrouter = try oauth("openrouter")
        #expect(openrouter.exchange == .key && openrouter.redirectParameter == "callback_url" && openrouter.usesPKCE)
        #expect(try oauth("hubspot").lifetime == .seconds(1_800))
        #expect(try oauth("hubspot").revocation?.endsSiblings == true)
        #expect(catalogue["hubspot"]?.sunsets.first?.date.rfc3339.hasPrefix("2027-02-16") == true)
        #expect(catalogue["shopify"]?.sunsets.first?.date.rfc3339.hasPrefix("2027-01-01") == true)
        #expect(
            catalogue["microsoft_teams"]?.sunsets.map { String($0.date.rfc3339.prefix(10)) } == [
                "2025-11-30", "2026-03-31",
            ])
        for key in ["google", "google_drive", "google_calendar"] {
            #expect(try parameters(oauth(key).environment)["client_id"] == "GOOGLE_CLIENT_ID")
        }
    }

    @Test("What seed 2 asks of each service is required, and what only its test needs is not")
    func fieldGuide() throws {
        let catalogue = try ProviderCatalogue()
        for (key, names) in [
            "whatsapp": ["account_sid", "from_whatsapp"], "sendgrid": ["from_email"],
            "instagram": ["instagram_scoped_id"], "google_calendar": ["calendar_id"],
        ] {
            for name in names { #expect(catalogue[key]?.field(name)?.isRequired == true, "\(key) \(name)") }
        }
        for (key, name) in [("whatsapp", "to_whatsapp"), ("sendgrid", "to_email"), ("telegram", "chat_id")] {
            #expect(catalogue[key]?.field(name)?.isRequired == false, "\(key) \(name)")
        }
        #expect(catalogue["google_calendar"]?.field("calendar_id")?.standard == "primary")
        for key in ["instagram", "google_calendar"] {
            #expect(catalogue[key]?.oauth?.ownToken != nil, "\(key) takes a token that was got elsewhere")
        }
    }

    @Test("A redirect address belongs to one provider, or to one connection where an organization names the service")
    func redirects() throws {
        let catalogue = try ProviderCatalogue()
        let id = Identifier<Connection>(.real)
        #expect(catalogue["slack"]?.redirectPath(for: id) == "/connections/callback/slack")
        #expect(catalogue["slack"]?.redirectPath(for: nil) == "/connections/callback/slack")
        #expect(catalogue["custom_oauth2"]?.redirectPath(for: id) == "/connections/callback/custom_oauth2/\(id)")
        #expect(catalogue["custom_oauth2"]?.redirectPath(for: nil) == nil)
    }
}
