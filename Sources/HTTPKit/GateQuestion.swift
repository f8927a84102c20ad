/// What nginx asks before it lets a request of an existing site through (`auth_request`).
///
/// Nothing of it is a header of the client but the credential: all else stands in parameters that nginx's own
/// configuration sets, under names (`GATE_…`) that no header can have, since headers arrive as `HTTP_…`.
public struct GateQuestion: Sendable {
    /// The right that the site asks for here, as `resource:action`.
    public var scope = ""
    /// The id of the organization whose keys alone are taken; empty for any.
    public var organization = ""
    /// How many requests this one counts as; empty for one.
    public var cost = ""
    /// The address of the site's request, query and all, as the client sent it.
    public var uri = ""
    /// The client's address as nginx vouches for it.
    public var remoteAddress = ""
    /// The id of the site's request, which stands in nginx's log.
    public var requestID = ""
    /// What the client sent to be let in.
    public var credential = Credential.missing

    /// A question; the defaults serve tests.
    public init() {}
}
