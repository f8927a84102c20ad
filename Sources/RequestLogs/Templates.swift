import AdminShell

/// The templates of this room.
extension RequestLogs {
    /// Each template by its file name.
    public static let templates: [String: [UInt8]] = [
        "request-log.html": PackageResources.request_log_html,
        "request-log-entry.html": PackageResources.request_log_entry_html,
        "usage.html": PackageResources.usage_html,
    ]
}

extension RequestLogs {
    /// Every page of this room.
    public static let pages: [any ShellPage.Type] = [LogPage.self, LogEntryPage.self, UsagePage.self]
}
