import AdminShell

/// The templates of this room.
extension OAuthServer {
    /// Each template by its file name.
    public static let templates: [String: [UInt8]] = [
        "apps-with-access.html": PackageResources.apps_with_access_html,
        "oauth-app.html": PackageResources.oauth_app_html,
        "oauth-app-confirm.html": PackageResources.oauth_app_confirm_html,
        "oauth-app-edit.html": PackageResources.oauth_app_edit_html,
        "oauth-app-fields.html": PackageResources.oauth_app_fields_html,
        "oauth-app-new.html": PackageResources.oauth_app_new_html,
        "oauth-app-roll.html": PackageResources.oauth_app_roll_html,
        "oauth-app-secret.html": PackageResources.oauth_app_secret_html,
        "oauth-app-tokens.html": PackageResources.oauth_app_tokens_html,
        "oauth-apps.html": PackageResources.oauth_apps_html,
        "oauth-ask.html": PackageResources.oauth_ask_html,
        "oauth-consent.html": PackageResources.oauth_consent_html,
        "oauth-device.html": PackageResources.oauth_device_html,
        "oauth-device-ask.html": PackageResources.oauth_device_ask_html,
        "oauth-device-done.html": PackageResources.oauth_device_done_html,
        "oauth-leaving.html": PackageResources.oauth_leaving_html,
        "oauth-third-party.html": PackageResources.oauth_third_party_html,
    ]
}

extension OAuthServer {
    /// Every page of this room.
    public static let pages: [any ShellPage.Type] = [
        AppListPage.self, AppPage.self, AppNewPage.self, AppEditPage.self, AppSecretPage.self, AppRollPage.self,
        AppConfirmPage.self, AppTokensPage.self, ConsentPage.self, LeavingPage.self, DevicePage.self,
        DeviceAskPage.self, DeviceDonePage.self, AccessPage.self, ThirdPartyPage.self,
    ]
}
