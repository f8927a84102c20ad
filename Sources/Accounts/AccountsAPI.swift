import AdminShell
import HTTPKit
import JSONKit

/// The organization and its workspaces, as the API's description has them.
extension AccountRoute {
    /// What scripts can do at this address; nil for pages.
    public var api: APIPath? {
        switch self {
        case .organizationJSON: Self.organizationAPI
        case .noticesJSON: Self.noticesAPI
        case .workspacesJSON: Self.workspacesAPI
        case .workspaceJSON: Self.workspaceAPI
        default: nil
        }
    }

    private static let tag = APITag("Organization", "The organization that a request is about, and its workspaces.")

    private static let organizationAPI = APIPath(
        "/api/v1/organization", tag, isVersioned: true,
        [
            .get: APIOperation("getOrganization", "Shows the organization.", answers: .ok(organizationSchema)),
            .patch: APIOperation(
                "changeOrganization", "Gives the organization another name.", body: naming,
                answers: .ok(organizationSchema)),
        ])

    private static let noticesAPI = APIPath(
        "/api/v1/notices", tag, isVersioned: true,
        [
            .get: APIOperation(
                "getNotices", "Shows over which connection, and to whom, notices are sent by e-mail.",
                answers: .ok(noticesSchema)),
            .put: APIOperation(
                "setNotices", "Says over which connection, and to whom, notices are sent by e-mail.",
                details: "Without a connection none are sent.",
                body: .body(
                    .optional("connection_id", JSONSchema.id.orNull, "A connection to SMTP or SendGrid."),
                    .optional("addresses", noticeAddresses, "To whom.")),
                answers: .ok(noticesSchema)),
        ])

    private static let noticeAddresses = JSONSchema.list(
        of: .text(1...254, example: "ana@acme.example"), atMost: NoticeTerms.mostAddresses)

    private static let noticesSchema = JSONSchema.object(
        .required("connection_id", JSONSchema.id.orNull, "The connection; null when none are sent."),
        .required("addresses", noticeAddresses, "To whom."),
        .required("events", .list(of: .word(of: Notice.types)), "The hub's own events of which notices are sent.")
    ).named("Notices")

    private static let workspacesAPI = APIPath(
        "/api/v1/workspaces", tag,
        [
            .get: APIOperation("listWorkspaces", "Lists the workspaces.", answers: .list(of: workspaceSchema)),
            .post: APIOperation(
                "createWorkspace", "Adds a workspace.", body: naming, answers: .created(workspaceSchema),
                problems: [nameTaken]),
        ])

    private static let workspaceAPI = APIPath(
        "/api/v1/workspaces/{id}", tag, isVersioned: true,
        [
            .get: APIOperation("getWorkspace", "Shows a workspace.", answers: .ok(workspaceSchema)),
            .patch: APIOperation(
                "changeWorkspace", "Gives a workspace another name.", body: naming, answers: .ok(workspaceSchema),
                problems: [nameTaken]),
            .delete: APIOperation(
                "deleteWorkspace", "Removes a workspace that holds nothing any more.",
                answers: .nothing("It is gone."),
                problems: [
                    APIProblem(409, "workspace_in_use", "Connections or chat platforms still belong to it.")
                ]),
        ])

    private static let nameTaken = APIProblem(409, "name_taken", "Another workspace has this name.")

    private static let naming = JSONSchema.body(
        .required("name", .words(1...100, example: "Support"), "What it is called."))

    private static let organizationSchema = JSONSchema.object(
        .required("id", .id, "The organization's id."),
        .required("name", .text(1...100, example: "Acme Shop"), "What it is called."),
        .required("created_at", .time, "When it was set up.")
    ).named("Organization")

    private static let workspaceSchema = JSONSchema.object(
        .required("id", .id, "The workspace's id."),
        .required("name", .text(1...100, example: "Support"), "What it is called."),
        .required("created_at", .time, "When it was added.")
    ).named("Workspace")
}
