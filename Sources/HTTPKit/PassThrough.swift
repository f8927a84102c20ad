/// An address below which requests are passed on to somebody else.
///
/// What follows it belongs to another server: an encoded slash or an empty step means something there, so it stays as it
/// came. The bodies of such requests are read while they are passed on (``IncomingBody``).
public struct PassThrough: Sendable {
    /// The steps of the address; nil stands for any one.
    private let steps: [String?]

    /// An address written as `/api/v1/connections/*/proxy`, where `*` stands for any one step.
    public init(_ address: String) {
        steps = address.split(separator: "/").map { $0 == "*" ? nil : String($0) }
    }

    /// Parts a raw path into the address and what follows it; nil when it does not lie below the address.
    func split(_ raw: String) -> (address: Substring, rest: Substring)? {
        let bytes = raw.utf8
        var place = bytes.startIndex
        for step in steps {
            guard place != bytes.endIndex, bytes[place] == 0x2f else { return nil }
            let start = bytes.index(after: place)
            place = bytes[start...].firstIndex(of: 0x2f) ?? bytes.endIndex
            guard step.map({ bytes[start..<place].elementsEqual($0.utf8) }) ?? (start != place) else { return nil }
        }
        return (raw[..<place], raw[place...])
    }
}
