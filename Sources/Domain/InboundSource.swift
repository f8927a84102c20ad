import DatabaseKit
import LogKit
import TimeKit

/// What the id in `/inbound/{id}` names: 128 random bits that nobody can guess, and that can be replaced.
public enum InboundAddress {}

/// An integration of a platform, such as a workspace's Slack.
public enum PlatformIntegration {}

/// From where something came in: whose it is, and what it belongs to.
public struct InboundOrigin: Sendable, Equatable {
    /// The source, whatever its address is at the moment.
    public let source: Identifier<InboundSource>
    /// Whose it is. What a payload says of this is never believed.
    public let organization: Identifier<Organization>
    /// The key of the service that sends: `slack`.
    public let provider: String
    /// The connection that it was made for.
    public let connection: Identifier<Connection>?
    /// The integration that it is part of.
    public let integration: Identifier<PlatformIntegration>?
    /// The workspace in which either stands.
    public let workspace: Identifier<Workspace>?

    /// An origin.
    public init(
        source: Identifier<InboundSource>, organization: Identifier<Organization>, provider: String,
        connection: Identifier<Connection>? = nil, integration: Identifier<PlatformIntegration>? = nil,
        workspace: Identifier<Workspace>? = nil
    ) {
        self.source = source
        self.organization = organization
        self.provider = provider
        self.connection = connection
        self.integration = integration
        self.workspace = workspace
    }
}

/// A secret by which a request is known, for as long as it counts.
public struct InboundSecret: Sendable {
    /// As the service shows it, or takes it.
    public let value: Secret<String>
    /// When it stops to count, since another one took its place; nil for the present one.
    public let until: Timestamp?

    /// A secret.
    public init(_ value: Secret<String>, until: Timestamp? = nil) {
        self.value = value
        self.until = until
    }
}

/// Where a service sends its webhooks to, and how they are known to be its own.
///
/// Without any secret nothing is let in: a source is closed until it has one.
public struct InboundSource: Sendable {
    /// From where things come that come in here.
    public let origin: InboundOrigin
    /// What the service signs with, the present one first.
    public let secrets: [InboundSecret]
    /// What a sender without a signature may send as `Authorization: Bearer`: the webhook secret, the present one first.
    public let bearers: [InboundSecret]
    /// SHA-256 of a platform key that may be sent as a bearer; nil without one.
    public let keyDigest: [UInt8]?
    /// What the service is asked to say before it is told of anything (Meta's `hub.verify_token`); nil when it says nothing.
    public let challengeToken: Secret<String>?
    /// When the address by which it was found ends, since another one took its place; nil for the present one.
    public let endsAt: Timestamp?

    /// A source.
    public init(
        _ origin: InboundOrigin, secrets: [InboundSecret] = [], bearers: [InboundSecret] = [],
        keyDigest: [UInt8]? = nil, challengeToken: Secret<String>? = nil, endsAt: Timestamp? = nil
    ) {
        self.origin = origin
        self.secrets = secrets
        self.bearers = bearers
        self.keyDigest = keyDigest
        self.challengeToken = challengeToken
        self.endsAt = endsAt
    }
}

/// Finds the source at an address; nil when there is none.
///
/// What is found is kept in memory until ``Generations/inboundSources`` moves on: whoever changes a source counts that in
/// the transaction of the change, and says so once it is committed, before the change is answered.
public typealias InboundSources = @Sendable (Identifier<InboundAddress>) throws -> InboundSource?

/// What a service told the hub, its sender proved and its bytes as they came.
public struct InboundEvent: Sendable {
    /// Its id here.
    public let id: Identifier<InboundEvent>
    /// From where it came.
    public let origin: InboundOrigin
    /// What kind of event the service calls it, in the words of an event's name: `payment_intent.succeeded`.
    public let type: String
    /// The service's own id for it, by which a repetition is known; one made of its bytes where it has none.
    public let key: String
    /// When it came.
    public let received: Timestamp
    /// Its header fields in the order they came, names in lower case; those that hold a secret are left out.
    public let headers: [(name: String, value: String)]
    /// Its body, byte for byte.
    public let body: [UInt8]

    /// An event.
    public init(
        id: Identifier<InboundEvent>, origin: InboundOrigin, type: String, key: String, received: Timestamp,
        headers: [(name: String, value: String)], body: [UInt8]
    ) {
        self.id = id
        self.origin = origin
        self.type = type
        self.key = key
        self.received = received
        self.headers = headers
        self.body = body
    }

    /// The first value of a header field, named in lower case.
    public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// Is told of an event that came in, in the transaction that publishes it: once for each time that it is worked off.
///
/// What it throws rolls the transaction back, and the event is tried again later; after some tries it is put aside for a
/// person. It hears of events of every provider and leaves alone those that are none of its own.
public typealias InboundListener = @Sendable (InboundEvent, Transaction) throws -> Void
