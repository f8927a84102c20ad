import AdminShell

/// The templates of this room.
extension Accounts {
    /// Each template by its file name.
    public static let templates: [String: [UInt8]] = [
        "account.html": PackageResources.account_html,
        "organization.html": PackageResources.organization_html,
        "set-up-closed.html": PackageResources.set_up_closed_html,
        "set-up.html": PackageResources.set_up_html,
        "sign-in.html": PackageResources.sign_in_html,
        "workspace-remove.html": PackageResources.workspace_remove_html,
    ]
}

extension Accounts {
    /// Every page of this room.
    public static let pages: [any ShellPage.Type] = [
        SignInPage.self, SetUpPage.self, SetUpClosedPage.self, AccountPage.self, OrganizationPage.self,
        WorkspaceRemovePage.self,
    ]
}
