import Accounts
import Connections
import FoundationEssentials
import LogKit

/// Takes over the connections of a former system from a file, and says of each row what was done.
///
/// The keys of the former system come from the environment, as they did there: `FERNET_KEY`, `SECRET_KEY_BASE`.
func legacyImport(_ arguments: inout Arguments) throws -> Int32 {
    let name = try arguments.required("format")
    let organization = try arguments.optional("org")
    let owner = try arguments.optional("source-org")
    let (overwrites, isRehearsal) = (arguments.flag("overwrite"), arguments.flag("dry-run"))
    let path = try arguments.word("The name of a file")
    try arguments.end()
    guard let format = LegacyImport.Format(rawValue: name) else {
        let known = LegacyImport.Format.allCases.map(\.rawValue).joined(separator: ", ")
        throw CommandError("--format is one of \(known).")
    }
    guard let data = try? Data(contentsOf: URL(filePath: path)) else { throw CommandError("\(path) cannot be read.") }
    let environment = ProcessInfo.processInfo.environment
    let keys = try LegacyImport.Keys(
        fernetKeys: environment["FERNET_KEY"].map { Secret($0) },
        secretKeyBase: environment["SECRET_KEY_BASE"].map { Secret($0) })
    let house = try House.build(Configuration(Settings()))
    let scope = try house.rooms.accounts.organizationScope(named: organization)
    var counts: [LegacyImport.Outcome.Kind: Int] = [:]
    let how = LegacyImport(format, keys: keys, owner: owner, overwrites: overwrites, isRehearsal: isRehearsal)
    try house.rooms.connections.importLegacy(Array(data), how, by: scope) { outcome in
        counts[outcome.kind, default: 0] += 1
        print("\(outcome.kind.rawValue)\t\(outcome.name)\t\(outcome.place)\t\(outcome.detail)")
    }
    let summary = LegacyImport.Outcome.Kind.allCases.map { "\(counts[$0] ?? 0) \($0.rawValue)" }
    complain((isRehearsal ? "Nothing was changed. It would be: " : "") + summary.joined(separator: ", ") + ".")
    return counts[.failed] == nil ? 0 : 1
}
