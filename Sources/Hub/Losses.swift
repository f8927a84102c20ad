import ProcessKit

/// How many requests found no room on the disk, counted over all processes of a host.
struct Losses: Sendable {
    private let page: SharedPage

    /// The count that the processes of a host share.
    init(state: String) throws { page = try SharedPage(file: "\(state)/spool-losses", words: 1) }

    /// Since the host's folder was made.
    var count: Int { Int(clamping: page[0]) }

    func add(_ count: Int) { page.add(UInt64(count), to: 0) }
}
