import Domain
import JSONKit

/// An event of the hub's own, as others in the hub are told of it.
public struct HubEvent: Sendable {
    /// Its kind, such as `webhook.disabled`.
    public let type: String
    /// Whose it is.
    public let organization: Identifier<Organization>
    /// What there is to know.
    public let data: JSON
}
