import APIKeys
import Accounts
import AdminShell
import CipherKit
import Domain
import JSONKit
import LogKit
import TimeKit

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
    let rateLimit = try arguments.optional("rate-limit")
    let expires = try arguments.optional("expires")
    let allowedIPs = arguments.all("allow-ip")
    try arguments.end()
    // As scripts send it, so that what is wrong is named in the same words.
    var wanted: [JSON.Member] = [
        .init("name", .string(name)), .init("scopes", .array(scopes.map(JSON.string))),
        .init("allowed_ips", .array(allowedIPs.map(JSON.string))),
    ]
    if let rateLimit { wanted.append(.init("rate_limit", try limits(rateLimit))) }
    if let expires { wanted.append(.init("expires_at", expiry(expires))) }
    let house = try House.build(Configuration(Settings()))
    let scope = try house.rooms.accounts.organizationScope(named: organization)
    try house.rooms.apiKeys.create(.object(wanted), by: scope).reveal { print($0) }
    return 0
}

/// Three limits written as `60/1000/10000`.
private func limits(_ text: String) throws(CommandError) -> JSON {
    let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int64($0) }
    guard numbers.count == 3, let minute = numbers[0], let hour = numbers[1], let day = numbers[2] else {
        throw CommandError(
            "--rate-limit is three numbers: requests a minute, an hour and a day, such as 60/1000/10000.")
    }
    return [
        "requests_per_minute": .integer(minute), "requests_per_hour": .integer(hour), "requests_per_day": .integer(day),
    ]
}

/// `never`, a number of days from now, or a time.
private func expiry(_ text: String) -> JSON {
    if text == "never" { return .null }
    guard let days = Int(text), (1...36_500).contains(days) else { return .string(text) }
    return JSON(Timestamp.now() + .days(days))
}

/// The first line of standard input; a new password when there is none, or when a person sits there.
private func readPassword() -> (Secret<String>, isNew: Bool) {
    if isatty(0) == 0, let line = readLine(), !line.isEmpty { return (Secret(line), false) }
    return (Secret(Random.base62(24)), true)
}
