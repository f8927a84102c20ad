import Domain
import JSONKit

/// What a connection is called and where it belongs.
struct Placing: Sendable, Equatable {
    var name: String
    var workspace: Identifier<Workspace>?

    /// Where a connection is when nobody says otherwise.
    static let initial = Placing(name: ConnectionName.defaultName, workspace: nil)
}

/// What is asked of a connection's name and place; what is nil stays.
struct PlacingChange: Sendable {
    let name: String?
    /// Nil when nothing is said of the workspace, `.some(nil)` when it is to belong to none.
    let workspace: Identifier<Workspace>??

    func applied(to placing: Placing) -> Placing {
        Placing(name: name ?? placing.name, workspace: workspace ?? placing.workspace)
    }
}

/// What is to become of a connection.
struct Change: Sendable {
    var placing: Placing
    var setUp: SetUp
    var isEnabled: Bool

    /// Everything as it is.
    init(keeping view: ConnectionView) {
        placing = Placing(name: view.record.name, workspace: view.record.workspace)
        setUp = SetUp(keeping: view)
        isEnabled = view.record.isEnabled
    }

    /// Whether other values are set up than before.
    func isSetUpAnew(_ old: ConnectionView) -> Bool {
        let kept = SetUp(keeping: old)
        return setUp.open != kept.open || setUp.secrets != kept.secrets
    }

    /// The names of what is stored anew, for the audit log: never a value.
    func changed(_ old: ConnectionView) -> [String] {
        let kept = Change(keeping: old)
        var names: [String] = []
        if placing.name != kept.placing.name { names.append("name") }
        if placing.workspace != kept.placing.workspace { names.append("workspace_id") }
        let (now, before) = (setUp.all, kept.setUp.all)
        names += Set(now.keys).union(before.keys).sorted().filter { now[$0] != before[$0] }.map { "setup.\($0)" }
        return names
    }
}
