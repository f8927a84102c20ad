import ClientKit
import HTTPKit
import ThreadKit

/// The body of a call that is passed on: kept while it is small, so that it can be sent again, else read as it goes.
struct ProxyBody: Sendable {
    /// How many bytes are kept.
    static let kept = 1_048_576

    /// All of it, when it is kept; nil for none.
    let bytes: [UInt8]?
    /// Where it is read from, when it is not.
    let upload: OutboundUpload?
    /// What went wrong while it was read.
    private let failure: Failure

    private final class Failure: Sendable {
        let problem = Lock<Problem?>(nil)
    }

    private init(bytes: [UInt8]?, upload: OutboundUpload?, failure: Failure) {
        self.bytes = bytes
        self.upload = upload
        self.failure = failure
    }

    /// A body that is there.
    init(_ bytes: [UInt8]) {
        self.init(bytes: bytes.isEmpty ? nil : bytes, upload: nil, failure: Failure())
    }

    /// A body that is still to be read.
    init(_ incoming: IncomingBody) throws(Problem) {
        var head: [UInt8] = []
        if incoming.length ?? 0 <= Self.kept {
            while head.count <= Self.kept {
                let piece = try incoming.read(atMost: 65_536)
                if piece.isEmpty {
                    self.init(head)
                    return
                }
                head += piece
            }
        }
        let failure = Failure()
        let begun = Lock<[UInt8]>(head)
        let upload = OutboundUpload(length: incoming.length) { count in
            let first = begun.withLock { begun -> [UInt8] in
                let first = Array(begun.prefix(count))
                begun.removeFirst(first.count)
                return first
            }
            if !first.isEmpty { return first }
            do throws(Problem) {
                return try incoming.read(atMost: count)
            } catch {
                failure.problem.withLock { $0 = error }
                return nil
            }
        }
        self.init(bytes: nil, upload: upload, failure: failure)
    }

    /// Whether it can be sent again.
    var isKept: Bool { upload == nil }

    /// What a signature says of it.
    var payload: AWSPayload { upload == nil ? .held(bytes ?? []) : .unread }

    /// Why reading it failed, when it did.
    var problem: Problem? { failure.problem.withLock { $0 } }
}
