import AdminShell

/// The templates of this room.
extension Inbound {
    /// Each template by its file name.
    public static let templates: [String: [UInt8]] = [
        "inbound-debug.html": PackageResources.inbound_debug_html,
        "inbound-event.html": PackageResources.inbound_event_html,
        "inbound-events.html": PackageResources.inbound_events_html,
        "inbound-services.html": PackageResources.inbound_services_html,
        "inbound-source.html": PackageResources.inbound_source_html,
        "inbound-source-form.html": PackageResources.inbound_source_form_html,
        "inbound-source-made.html": PackageResources.inbound_source_made_html,
        "inbound-source-remove.html": PackageResources.inbound_source_remove_html,
        "inbound-sources.html": PackageResources.inbound_sources_html,
    ]

    /// Every page of this room.
    public static let pages: [any ShellPage.Type] = [
        SourceListPage.self, ServiceChoicePage.self, SourceNewPage.self, SourceEditPage.self, SourceMadePage.self,
        SourceRotatePage.self, SourceRemovePage.self, SourcePage.self, InboundEventListPage.self,
        InboundEventPage.self, InboundReplayPage.self, DebugPage.self,
    ]
}
