import Domain
import LogKit
import SpoolKit

/// Where the processes of a host write the requests that they have answered.
///
/// Writing takes no database and waits for nothing but the kernel's memory: a few microseconds, before the answer goes out.
public struct RequestSpool: Sendable {
    let folder: SpoolFolder
    /// Where nginx writes the requests that it let pass or refused at the gate.
    let gateFolder: String
    private let writer: SpoolWriter

    /// The spool of a host, in the folder that its processes share.
    ///
    /// - Parameters:
    ///   - state: the folder for what is shared between the processes of a host.
    ///   - gateFolder: where nginx writes; it is no fault when there is no such folder.
    ///   - lost: told how many requests found no room on the disk.
    /// - Throws: `SpoolError` when the folder cannot be made.
    public init(
        state: String, gateFolder: String, log: Log, lost: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws {
        folder = try SpoolFolder("\(state)/spool")
        self.gateFolder = gateFolder
        writer = SpoolWriter(folder, log: log, lost: lost)
    }

    /// Notes a request, before its answer is sent.
    public func write(_ request: LoggedRequest) {
        writer.append(RequestRecord.encode(request))
    }

    /// How many bytes wait to be taken into the database.
    ///
    /// A file is counted whole until it is removed, so a little is always there.
    public var waitingBytes: Int { folder.size() }
}
