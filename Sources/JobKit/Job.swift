import TimeKit

/// Work to be put into the queue.
public struct NewJob: Sendable {
    /// Which handler does it: at most 64 ASCII characters, such as `connections.refresh`.
    public var kind: String
    /// What the handler needs to know, as JSON of at most 65 535 bytes; identifiers, never secrets.
    public var payload: String
    /// When it may be done first; at once when nil.
    public var runAt: Timestamp?
    /// At most 190 ASCII characters that no other job in the queue may have; nil for any number of alike jobs.
    public var uniqueKey: String?
    /// After so many failed attempts the job is parked for a person to look at, at least 1.
    public var maxAttempts: Int

    /// A job to be done at once, or at a given time.
    public init(
        _ kind: String, payload: String = "{}", runAt: Timestamp? = nil, uniqueKey: String? = nil, maxAttempts: Int = 10
    ) {
        self.kind = kind
        self.payload = payload
        self.runAt = runAt
        self.uniqueKey = uniqueKey
        self.maxAttempts = maxAttempts
    }
}

/// A job that has been claimed: for a while it is ours alone.
public struct Job: Sendable {
    /// The row.
    public let id: UInt64
    /// Which handler does it.
    public let kind: String
    /// What the handler needs to know, as JSON.
    public let payload: String
    /// Which attempt this is, from 1; counted when claimed, so that a job that kills its worker is counted too.
    public let attempt: Int
    /// The last attempt there will be.
    public let maxAttempts: Int
    /// When it was due.
    public let runAt: Timestamp
    /// When it was put into the queue.
    public let createdAt: Timestamp
    /// When others may take it over.
    public let leaseUntil: Timestamp
    /// Proves that it is ours: 16 random bytes.
    let token: [UInt8]
}

/// The job is no longer ours: its lease ended and another worker has claimed it, or it is done.
public struct LeaseLost: Error, Equatable, CustomStringConvertible {
    /// The same sentence always.
    public var description: String { "the job's lease was lost" }
}

/// What a handler throws when it knows better than the retry policy.
public enum JobFailure: Error, CustomStringConvertible {
    /// Try again after this time, as when a receiver said `Retry-After`; counts as an attempt.
    case retry(after: Duration, because: String)
    /// Trying again is of no use; park it for a person to look at.
    case park(because: String)

    /// The reason.
    public var description: String {
        switch self {
        case .retry(_, let reason), .park(let reason): reason
        }
    }
}
