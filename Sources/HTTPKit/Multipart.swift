/// Reads `multipart/form-data` (RFC 7578) into text fields.
///
/// The hub takes no uploads, so a part with a file name is refused; what remains is what a form with
/// `enctype="multipart/form-data"` or `curl -F` sends.
enum Multipart {
    /// The fields of a body, or nil when it is malformed, holds a file, or has more than 200 parts.
    static func fields(of body: [UInt8], contentType: String) -> Form? {
        guard let boundary = parameter("boundary", of: contentType), (1...70).contains(boundary.utf8.count) else {
            return nil
        }
        let delimiter = Array("\r\n--\(boundary)".utf8)
        // The first delimiter has no line break before it (RFC 2046 §5.1.1); lending it one makes all of them alike.
        let whole = Array("\r\n".utf8) + body
        guard var position = find(delimiter, in: whole, from: 0) else { return nil }
        var pairs: [(name: String, value: String)] = []
        while true {
            position += delimiter.count
            if whole[position...].starts(with: Array("--".utf8)) { return Form(pairs: pairs) }
            guard whole[position...].starts(with: Array("\r\n".utf8)), pairs.count < 200,
                let end = find(delimiter, in: whole, from: position), let pair = field(whole[(position + 2)..<end])
            else { return nil }
            pairs.append(pair)
            position = end
        }
    }

    /// One part: its header block, an empty line, its value.
    private static func field(_ part: ArraySlice<UInt8>) -> (name: String, value: String)? {
        let bytes = Array(part)
        guard let gap = find(Array("\r\n\r\n".utf8), in: bytes, from: 0),
            let head = String(validating: bytes[..<gap], as: UTF8.self),
            let value = String(validating: bytes[(gap + 4)...], as: UTF8.self)
        else { return nil }
        let disposition = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-disposition:") }
        guard let disposition, disposition.lowercased().contains("form-data"),
            parameter("filename", of: disposition) == nil, parameter("filename*", of: disposition) == nil,
            let name = parameter("name", of: disposition)
        else { return nil }
        return (name, value)
    }

    /// A parameter of a header value, its quotes taken off.
    static func parameter(_ name: String, of header: some StringProtocol) -> String? {
        for part in header.split(separator: ";").dropFirst() {
            let pieces = part.split(separator: "=", maxSplits: 1)
            guard pieces.count == 2, pieces[0].trimmed.lowercased() == name else { continue }
            let value = pieces[1].trimmed
            return value.hasPrefix("\"") && value.hasSuffix("\"") && value.utf8.count >= 2
                ? String(value.dropFirst().dropLast()) : String(value)
        }
        return nil
    }

    private static func find(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= needle.count else { return nil }
        return (start..<max(start, bytes.count - needle.count + 1)).first { at in
            bytes[at] == needle[0] && bytes[at..<(at + needle.count)].elementsEqual(needle)
        }
    }
}

extension StringProtocol {
    /// The text without spaces and tabs at its ends.
    package var trimmed: SubSequence {
        guard let first = firstIndex(where: { $0 != " " && $0 != "\t" }),
            let last = lastIndex(where: { $0 != " " && $0 != "\t" })
        else { return self[endIndex...] }
        return self[first...last]
    }
}
