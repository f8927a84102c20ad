import Accounts
import Connections
import HTTPKit
import LogKit
import ThreadKit

#if canImport(Glibc)
import Glibc
#endif

/// `hub request google GET /drive/v3/about`: what the provider answers goes to standard output as it comes.
///
/// Exits with 1 when the provider answers with an error, its status on standard error.
func request(_ arguments: inout Arguments) throws -> Int32 {
    let connection = try arguments.word("The name of a connection")
    let name = try arguments.word("A method")
    let target = try arguments.word("A path")
    let organization = try arguments.optional("org")
    var headers = try requestHeaders(arguments.all("header"))
    let data = try arguments.optional("data")
    try arguments.end()
    guard let method = Method(name.uppercased()) else { throw CommandError("There is no method \(name).") }
    let body = try data.map { data throws(CommandError) in try requestBody(data) }
    if body != nil { headers.setDefault("content-type", "application/json") }
    let house = try House.build(Configuration(Settings()))
    do {
        let answer = try house.rooms.connections.request(
            connection, method, target, headers: headers, body: body,
            by: house.rooms.accounts.organizationScope(named: organization), log: house.configuration.log)
        try answer.forEachPiece { try writeOut($0) }
        guard answer.status >= 400 else { return 0 }
        complain("The provider answered \(answer.status) \(Status(answer.status).phrase).")
        return 1
    } catch let problem as Problem {
        throw CommandError("\(problem.detail) (\(problem.code))")
    }
}

private func requestHeaders(_ lines: [String]) throws(CommandError) -> Headers {
    var headers = Headers()
    for line in lines {
        guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
            throw CommandError("--header is written as 'Name: value'.")
        }
        headers.add(String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " }))
    }
    return headers
}

/// The body that `--data` names: itself, a file behind `@`, or standard input as `@-`.
private func requestBody(_ data: String) throws(CommandError) -> IncomingBody {
    guard data.hasPrefix("@") else {
        return IncomingBody(length: data.utf8.count, from: DescriptorBody(bytes: Array(data.utf8)))
    }
    let path = String(data.dropFirst())
    let descriptor = path == "-" ? 0 : unsafe open(path, O_RDONLY | O_CLOEXEC)
    var about = stat()
    guard descriptor >= 0, unsafe fstat(descriptor, &about) == 0 else { throw CommandError("\(path) cannot be read.") }
    let isFile = about.st_mode & S_IFMT == S_IFREG
    return IncomingBody(length: isFile ? Int(about.st_size) : nil, from: DescriptorBody(descriptor: descriptor))
}

/// The bytes of an open file, or some that are there already.
private final class DescriptorBody: IncomingBody.Source {
    private let descriptor: Int32
    private let rest: Lock<[UInt8]>

    init(descriptor: Int32 = -1, bytes: [UInt8] = []) {
        self.descriptor = descriptor
        rest = Lock(bytes)
    }

    deinit { if descriptor > 0 { close(descriptor) } }

    var isAbandoned: Bool { false }

    func read(atMost count: Int) throws(Problem) -> [UInt8] {
        guard descriptor >= 0 else {
            return rest.withLock { rest in
                let taken = Array(rest.prefix(count))
                rest.removeFirst(taken.count)
                return taken
            }
        }
        var failed = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let got = unsafe Glibc.read(descriptor, buffer.baseAddress, count)
            failed = got < 0
            filled = max(0, got)
        }
        if failed { throw Problem(400, "body_broke_off", "The body cannot be read to its end.") }
        return bytes
    }
}

private func writeOut(_ bytes: [UInt8]) throws(CommandError) {
    var rest = bytes[...]
    while !rest.isEmpty {
        let written = unsafe rest.withUnsafeBytes { unsafe write(1, $0.baseAddress, $0.count) }
        guard written > 0 else { throw CommandError("Standard output takes no more.") }
        rest = rest.dropFirst(written)
    }
}
