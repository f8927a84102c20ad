import AdminShell

/// The templates of this room.
extension APIKeys {
    /// Each template by its file name.
    public static let templates: [String: [UInt8]] = [
        "api-key-created.html": PackageResources.api_key_created_html,
        "api-key-new.html": PackageResources.api_key_new_html,
        "api-key-revoke.html": PackageResources.api_key_revoke_html,
        "api-keys.html": PackageResources.api_keys_html,
    ]
}

extension APIKeys {
    /// Every page of this room.
    public static let pages: [any ShellPage.Type] = [
        KeyListPage.self, KeyNewPage.self, KeyCreatedPage.self, KeyRevokePage.self,
    ]
}
