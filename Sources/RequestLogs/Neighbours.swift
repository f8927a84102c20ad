import Domain
import TimeKit

/// Where the things that the log speaks of have their pages, below the mount prefix. The room knows no other room.
public struct Neighbours: Sendable {
    /// A thing's page by its kind and id, such as `connection`; nil where there is none.
    public let pageOf: @Sendable (_ kind: String, _ id: [UInt8]) -> String?
    /// Where a key is made; nil where there is no such page.
    public let newKey: String?
    /// The audit log, which takes `request_id`, `since` and `until`; nil where there is none.
    public let auditLog: String?

    /// The neighbours of the room; none unless they are named.
    public init(
        newKey: String? = nil, auditLog: String? = nil,
        pageOf: @escaping @Sendable (_ kind: String, _ id: [UInt8]) -> String? = { _, _ in nil }
    ) {
        self.pageOf = pageOf
        self.newKey = newKey
        self.auditLog = auditLog
    }
}
