import CipherKit
import Connections
import DatabaseKit
import Domain
import FoundationEssentials
import LogKit

func migrate(_ arguments: inout Arguments) throws -> Int32 {
    try arguments.end()
    let configuration = try Configuration(Settings())
    let applied = try Schema.migrator(configuration.databaseURL, log: configuration.log).migrate()
    print(applied.isEmpty ? "The database is up to date." : "Applied \(applied.joined(separator: ", ")).")
    return 0
}

func keyringCreate(_ arguments: inout Arguments) throws -> Int32 {
    try arguments.end()
    let path = try Settings().text(.keyring)
    guard !FileManager.default.fileExists(atPath: path) else {
        print("There is a key ring at \(path) already.")
        return 0
    }
    let ring = try KeyRing.generate(path: path)
    print("Made the key ring \(path) with key \(ring.primary). Keep a copy of it apart from the database's backups.")
    return 0
}

func keyringStatus(_ arguments: inout Arguments) throws -> Int32 {
    try arguments.end()
    let configuration = try Configuration(Settings())
    let ring = try KeyRing.load(path: configuration.keyringPath)
    for id in ring.ids { print("\(id)\t\(id == ring.primary ? "primary" : "active")") }
    let missing = try Vault(ring: ring, world: .real).missingMasterKeys(in: configuration.database())
    for id in missing { print("\(id)\tmissing: some records cannot be read without it") }
    return missing.isEmpty ? 0 : 1
}

func providerList(_ arguments: inout Arguments) throws -> Int32 {
    try arguments.end()
    for provider in try Configuration(Settings()).catalogue().providers {
        print("\(provider.key)\t\(provider.name)\t\(provider.kind.rawValue)")
    }
    return 0
}

/// Says of each file `ok`, or every mistake as `file:line:column: sentence`; 1 when there is one.
func providerCheck(_ arguments: inout Arguments) throws -> Int32 {
    var status: Int32 = 0
    repeat {
        let path = try arguments.word("The name of a file")
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw CommandError("\(path) cannot be read.")
        }
        let mistakes = ProviderCatalogue.mistakes(in: path, Array(data))
        for mistake in mistakes { print(mistake) }
        if mistakes.isEmpty { print("\(path): ok") } else { status = 1 }
    } while !arguments.words.isEmpty
    try arguments.end()
    return status
}
