/// The templates of this room.
extension Audit {
    /// Each template by its file name.
    public static let templates: [String: [UInt8]] = ["audit-log.html": PackageResources.audit_log_html]
}
