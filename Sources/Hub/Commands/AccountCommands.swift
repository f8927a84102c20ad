import APIKeys
import Accounts
import AdminShell
import CipherKit
import Domain
import LogKit

#if canImport(Glibc)
import Glibc
#endif

func setUpLink(_ arguments: inout Arguments) throws -> Int32 {
    try arguments.end()
    let house = try House.build(Configuration(Settings()))
    guard let path = try house.rooms.accounts.makeSetUpLink() else {
        throw CommandError("Somebody has an account already; sign in, or make one with `hub user create`.")
    }
    print(house.configuration.site.origin + house.configuration.site.mount + path)
    return 0
}

func userCreate(_ arguments: inout Arguments) throws -> Int32 {
    let email = try arguments.required("email")
    let name = try arguments.optional("name")
    let organization = try arguments.required("org")
    let roleName = try arguments.optional("role") ?? Role.owner.rawValue
    try arguments.end()
    guard let role = Role(rawValue: roleName) else {
        throw CommandError("--role is one of \(Role.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    let house = try House.build(Configuration(Settings()))
    let (password, isNew) = readPassword()
    try house.rooms.accounts.createUser(
        email: email, name: name, organization: organization, role: role, password: password)
    complain("The account \(email) was made.")
    if isNew { password.reveal { print($0) } }
    return 0
}

func userPassword(_ arguments: inout Arguments) throws -> Int32 {
    let email = try arguments.required("email")
    try arguments.end()
    let house = try House.build(Configuration(Settings()))
    let (password, isNew) = readPassword()
    try house.rooms.accounts.setPassword(email: email, password: password)
    complain("The password of \(email) was changed, and all their sessions have ended.")
    if isNew { password.reveal { print($0) } }
    return 0
}

func userList(_ arguments: inout Arguments) throws -> Int32 {
    try arguments.end()
    try House.build(Configuration(Settings())).rooms.accounts.listUsers { user in
        print("\(user.email)\t\(user.name)\t\(user.organization ?? "-")\t\(user.role?.rawValue ?? "-")")
    }
    return 0
}

func apiKeyCreate(_ arguments: inout Arguments) throws -> Int32 {
    let name = try arguments.required("name")
    let scopes = arguments.all("scope")
    let organization = try arguments.optional("org")
    try arguments.end()
    let house = try House.build(Configuration(Settings()))
    let scope = try house.rooms.accounts.organizationScope(named: organization)
    try house.rooms.apiKeys.create(name: name, scopes: scopes, by: scope).reveal { print($0) }
    return 0
}

/// The first line of standard input; a new password when there is none, or when a person sits there.
private func readPassword() -> (Secret<String>, isNew: Bool) {
    if isatty(0) == 0, let line = readLine(), !line.isEmpty { return (Secret(line), false) }
    return (Secret(Random.base62(24)), true)
}
