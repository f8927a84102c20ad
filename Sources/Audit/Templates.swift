import AdminShell

/// The templates of this room.
extension Audit {
    /// Each template by its file name.
    public static let templates: [String: [UInt8]] = ["audit-log.html": PackageResources.audit_log_html]
}

extension Audit {
    /// Every page of this room.
    public static let pages: [any ShellPage.Type] = [
        AuditPage.self
    ]
}
