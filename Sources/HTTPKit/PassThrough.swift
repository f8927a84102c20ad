/// An address below which requests are passed on to somebody else.
///
/// What follows it belongs to another server: an encoded slash or an empty step means something there, so it stays as it
/// came. The bodies of such requests are read while they are passed on (``IncomingBody``).
public struct PassThrough: Sendable {
    /// The steps of the address; nil stands for any one.
    private let steps: [[UInt8]?]

    /// An address written as `/api/v1/connections/*/proxy`, where `*` stands for any one step.
    public init(_ address: String) {
        steps = address.split(separator: "/").map { $0 == "*" ? nil : Array($0.utf8) }
    }

    /// Where the address ends in a raw path and what is passed on begins; nil when the path does not lie below it.
    func end(in raw: Span<UInt8>) -> Int? {
        var place = 0
        for step in steps {
            guard place < raw.count, raw[place] == 0x2f else { return nil }
            let start = place + 1
            place = start
            while place < raw.count, raw[place] != 0x2f { place += 1 }
            guard Self.isStep(raw.extracting(start..<place), step) else { return nil }
        }
        return place
    }

    private static func isStep(_ written: Span<UInt8>, _ step: [UInt8]?) -> Bool {
        guard let step else { return !written.isEmpty }
        guard written.count == step.count else { return false }
        for index in written.indices where written[index] != step[index] { return false }
        return true
    }
}
