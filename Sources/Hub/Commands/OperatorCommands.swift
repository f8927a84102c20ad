import Connections
import DatabaseKit
import FoundationEssentials
import LogKit

func migrate(_ arguments: inout Arguments) throws -> Int32 {
    try arguments.end()
    let configuration = try Configuration(Settings())
    let applied = try Schema.migrator(configuration.databaseURL, log: configuration.log).migrate()
    print(applied.isEmpty ? "The database is up to date." : "Applied \(applied.joined(separator: ", ")).")
    return 0
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
