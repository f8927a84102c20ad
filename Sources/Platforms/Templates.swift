import AdminShell

/// The templates of this room.
extension Platforms {
    /// Each template by its file name.
    public static let templates: [String: [UInt8]] = [
        "platform.html": PackageResources.platform_html,
        "platform-choice.html": PackageResources.platform_choice_html,
        "platform-form.html": PackageResources.platform_form_html,
        "platform-post.html": PackageResources.platform_post_html,
        "platform-remove.html": PackageResources.platform_remove_html,
        "platform-rotate.html": PackageResources.platform_rotate_html,
        "platform-secret.html": PackageResources.platform_secret_html,
        "platforms.html": PackageResources.platforms_html,
    ]

    /// Every page of this room.
    public static let pages: [any ShellPage.Type] = [
        PlatformListPage.self, PlatformChoicePage.self, PlatformFormPage.self, PlatformPage.self,
        PlatformSecretPage.self, PlatformRemovePage.self, PlatformPostPage.self, PlatformRotatePage.self,
    ]
}
