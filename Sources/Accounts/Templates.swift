/// The templates of this room.
extension Accounts {
    /// Each template by its file name.
    public static let templates: [String: [UInt8]] = [
        "account.html": PackageResources.account_html,
        "organization.html": PackageResources.organization_html,
        "set-up-closed.html": PackageResources.set_up_closed_html,
        "set-up.html": PackageResources.set_up_html,
        "sign-in.html": PackageResources.sign_in_html,
    ]
}
