import AdminShell

/// The templates of this room.
extension APIKeys {
    /// Each template by its file name.
    public static let templates: [String: [UInt8]] = [
        "api-key.html": PackageResources.api_key_html,
        "api-key-created.html": PackageResources.api_key_created_html,
        "api-key-edit.html": PackageResources.api_key_edit_html,
        "api-key-fields.html": PackageResources.api_key_fields_html,
        "api-key-new.html": PackageResources.api_key_new_html,
        "api-key-revoke.html": PackageResources.api_key_revoke_html,
        "api-key-roll.html": PackageResources.api_key_roll_html,
        "api-keys.html": PackageResources.api_keys_html,
        "api-keys-revoke-unused.html": PackageResources.api_keys_revoke_unused_html,
    ]
}

extension APIKeys {
    /// Every page of this room.
    public static let pages: [any ShellPage.Type] = [
        KeyListPage.self, KeyPage.self, KeyNewPage.self, KeyEditPage.self, KeyCreatedPage.self, KeyRollPage.self,
        KeyRevokePage.self, KeysRevokeUnusedPage.self,
    ]
}
