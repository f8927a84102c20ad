import AdminShell

/// The templates of this room.
extension Operations {
    /// Each template by its file name.
    public static let templates: [String: [UInt8]] = [
        "api-chapter.html": PackageResources.api_chapter_html,
        "api-chapter-bare.html": PackageResources.api_chapter_bare_html,
        "api-chapter-body.html": PackageResources.api_chapter_body_html,
        "api-fields.html": PackageResources.api_fields_html,
        "api-reference.html": PackageResources.api_reference_html,
        "api-reference-bare.html": PackageResources.api_reference_bare_html,
        "api-reference-body.html": PackageResources.api_reference_body_html,
        "database-away.html": PackageResources.database_away_html,
        "overview.html": PackageResources.overview_html,
        "system.html": PackageResources.system_html,
    ]
}

extension Operations {
    /// Every page of this room.
    public static let pages: [any ShellPage.Type] = [
        OverviewPage.self, SystemPage.self, DatabaseAwayPage.self, APIReferencePage.self, BareAPIReferencePage.self,
        APIChapterPage.self, BareAPIChapterPage.self,
    ]
}
