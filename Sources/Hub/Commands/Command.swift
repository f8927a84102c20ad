import FoundationEssentials
import LogKit

#if canImport(Glibc)
import Glibc
#endif

/// Why a command was not carried out, in one sentence.
struct CommandError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A word of the command line and what it does.
struct Command: Sendable {
    let name: String
    let arguments: String
    let meaning: String
    let run: @Sendable (inout Arguments) throws -> Int32

    /// Every command, in the order of `hub help`.
    static let all: [Command] = [
        Command(name: "serve", arguments: "", meaning: "Serve requests until told to stop", run: { _ in try serve() }),
        Command(name: "worker", arguments: "", meaning: "One process of `serve`", run: { _ in runWorker() }),
        Command(
            name: "work", arguments: "", meaning: "Carry out background jobs; `serve` starts it too",
            run: { _ in runWork() }),
        Command(name: "migrate", arguments: "", meaning: "Bring the database up to date", run: migrate),
        Command(name: "doctor", arguments: "", meaning: "Print every setting and say what is wrong", run: doctor),
        Command(name: "set-up-link", arguments: "", meaning: "Print a one-time link for the first run", run: setUpLink),
        Command(
            name: "user create", arguments: "--email E [--name N] --org O [--role R]",
            meaning: "Make an account; the password is read from standard input, or made and printed", run: userCreate),
        Command(
            name: "user password", arguments: "--email E", meaning: "Give an account another password",
            run: userPassword),
        Command(name: "user list", arguments: "", meaning: "List the accounts", run: userList),
        Command(
            name: "api-key create",
            arguments:
                "--name N --scope S… [--org O] [--rate-limit MINUTE/HOUR/DAY] [--expires DAYS|TIME|never] [--allow-ip A]…",
            meaning: "Make an API key and print it alone", run: apiKeyCreate),
        Command(
            name: "keyring create", arguments: "", meaning: "Make the key ring unless there is one", run: keyringCreate),
        Command(
            name: "keyring status", arguments: "",
            meaning: "List the master keys, what each wraps, and who runs with them",
            run: keyringStatus),
        Command(
            name: "keyring rotate", arguments: "",
            meaning: "Take the next step towards another master key, and say what comes after it", run: keyringRotate),
        Command(
            name: "keyring retire", arguments: "", meaning: "Remove former master keys once nothing names them",
            run: keyringRetire),
        Command(
            name: "provider list", arguments: "", meaning: "List the services that can be connected", run: providerList),
        Command(
            name: "provider check", arguments: "FILE…", meaning: "Say what is wrong with provider files",
            run: providerCheck),
        Command(
            name: "legacy import",
            arguments: "--format phoenixkit|django|supabase [--org O] [--source-org ID] [--dry-run] [--overwrite] FILE",
            meaning:
                "Take over connections from a table of a former system: JSON lines, a JSON array, or CSV with a header; FERNET_KEY and SECRET_KEY_BASE open what it has sealed",
            run: legacyImport),
        Command(
            name: "request", arguments: "CONNECTION METHOD PATH [--org O] [--header 'N: V']… [--data D|@FILE|@-]",
            meaning: "Call a provider with a connection's credentials and print what it answers", run: request),
        Command(
            name: "openapi", arguments: "", meaning: "Print the description of the JSON API, as OpenAPI 3.1",
            run: printDescription),
        Command(name: "version", arguments: "", meaning: "Print the version", run: { _ in printVersion() }),
    ]
}

/// What follows the name of a command: `--name value` pairs, options that stand alone, and words.
struct Arguments {
    private var options: [(name: String, value: String)] = []
    private(set) var words: [String] = []

    init(_ rest: [String]) throws(CommandError) {
        var rest = rest[...]
        while let first = rest.popFirst() {
            guard first.hasPrefix("--") else {
                words.append(first)
                continue
            }
            let name = String(first.dropFirst(2))
            if Self.flags.contains(name) {
                options.append((name, ""))
                continue
            }
            guard let value = rest.popFirst() else { throw CommandError("\(first) needs a value.") }
            options.append((name, value))
        }
    }

    /// The options that stand alone.
    private static let flags: Set<String> = ["overwrite", "dry-run"]

    /// Whether an option that stands alone was given.
    mutating func flag(_ name: String) -> Bool { !all(name).isEmpty }

    mutating func all(_ name: String) -> [String] {
        defer { options.removeAll { $0.name == name } }
        return options.filter { $0.name == name }.map(\.value)
    }

    mutating func optional(_ name: String) throws(CommandError) -> String? {
        let values = all(name)
        guard values.count < 2 else { throw CommandError("--\(name) was given more than once.") }
        return values.first
    }

    mutating func required(_ name: String) throws(CommandError) -> String {
        guard let value = try optional(name) else { throw CommandError("--\(name) is needed.") }
        return value
    }

    mutating func word(_ what: String) throws(CommandError) -> String {
        guard !words.isEmpty else { throw CommandError("\(what) is needed.") }
        return words.removeFirst()
    }

    func end() throws(CommandError) {
        if let option = options.first { throw CommandError("There is no option --\(option.name) here.") }
        if let word = words.first { throw CommandError("“\(word)” is not expected here.") }
    }
}

/// Carries out a command line and gives the status to exit with.
func runCommand(_ line: [String]) -> Int32 {
    if line.isEmpty || ["help", "--help", "-h"].contains(line[0]) {
        printHelp()
        return line.isEmpty ? 64 : 0
    }
    let found = Command.all.first { command in
        let words = command.name.split(separator: " ").map(String.init)
        return line.starts(with: words)
    }
    guard let found else {
        complain("“\(line.prefix(2).joined(separator: " "))” is no command. `hub help` lists them.")
        return 64
    }
    do {
        var arguments = try Arguments(Array(line.dropFirst(found.name.split(separator: " ").count)))
        return try found.run(&arguments)
    } catch {
        complain("\(error)")
        return 1
    }
}

private func printHelp() {
    print("hub — connections, API keys and webhooks for a site behind nginx\n")
    for command in Command.all {
        print(
            "  hub \(command.name)\(command.arguments.isEmpty ? "" : " " + command.arguments)\n      \(command.meaning)"
        )
    }
    print(
        "\n--org takes the name of an organization or its id."
    )
    print(
        "Settings are HUB_* environment variables, or lines of the file that HUB_CONFIG names; `hub doctor` prints them."
    )
}

/// Says on standard error what went wrong.
func complain(_ sentence: String) {
    var line = "hub: \(sentence)\n"
    line.withUTF8 { bytes in
        _ = unsafe write(2, bytes.baseAddress, bytes.count)
    }
}

/// The version of this program.
let version = "0.1.0"

private func printVersion() -> Int32 {
    print("hub \(version)")
    return 0
}
