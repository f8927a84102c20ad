// swift-tools-version: 6.2
import PackageDescription

/// The same rules for every target: Swift 6, raw memory marked `unsafe`, warnings refused.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // What a request passes through lies in a dozen targets; seen as one they answered some tenth more requests.
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

/// A door: a module map and a header of commented functions for one C library.
func door(_ name: String, _ pkgConfig: String, _ package: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

/// A kit: machinery that knows nothing of the product.
func kit(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// A room: one feature with its routes, its SQL, its pages and its templates.
func room(
    _ name: String, _ extra: [Target.Dependency] = [], resources: [Resource] = [.embedInCode("Templates")]
)
    -> Target
{
    let kits: [Target.Dependency] = [
        "TimeKit", "ThreadKit", "LogKit", "CipherKit", "DatabaseKit", "TemplateKit", "JSONKit", "HTTPKit", "LimitKit",
        "Domain", "AdminShell",
    ]
    return .target(name: name, dependencies: kits + extra, resources: resources, swiftSettings: settings)
}

/// The tests of one target.
func tests(_ name: String, _ extra: [Target.Dependency] = []) -> Target {
    let own: [Target.Dependency] = name == "ThreadKit" ? [] : ["ThreadKit"]
    return .testTarget(
        name: name + "Tests", dependencies: [.target(name: name)] + own + extra, swiftSettings: settings)
}

/// What the tests of a room speak of besides the room.
let roomTestKits: [Target.Dependency] = [
    "AdminShell", "CipherKit", "DatabaseKit", "Domain", "HTTPKit", "JSONKit", "LimitKit", "LogKit", "TemplateKit",
    "TimeKit",
]

let package = Package(
    name: "hub",
    products: [.executable(name: "hub", targets: ["Hub"])],
    targets: [
        door("CFastCGI", "fcgi", "libfcgi-dev"),
        door("CMariaDB", "libmariadb", "libmariadb-dev"),
        door("COpenSSL", "libcrypto", "libssl-dev"),
        door("CCurl", "libcurl", "libcurl4-openssl-dev"),
        .systemLibrary(name: "CLinux"),

        kit("TimeKit"),
        kit("AddressKit"),
        kit("ThreadKit", ["CLinux"]),
        kit("LogKit", ["TimeKit"]),
        kit("CipherKit", ["LogKit", "TimeKit", "JSONKit", "COpenSSL"]),
        kit("DatabaseKit", ["LogKit", "TimeKit", "ThreadKit", "CMariaDB"]),
        kit("TemplateKit", ["LogKit"]),
        kit("JSONKit", ["TimeKit"]),
        kit("HTTPKit", ["LogKit", "TimeKit", "CipherKit", "JSONKit"]),
        kit("FastCGIKit", ["ThreadKit", "HTTPKit", "CipherKit", "LogKit", "TimeKit", "CFastCGI"]),
        kit("ClientKit", ["AddressKit", "LogKit", "ThreadKit", "TimeKit", "CCurl"]),
        kit("ProcessKit", ["LogKit", "TimeKit", "ThreadKit", "CLinux"]),
        kit("LimitKit", ["LogKit", "TimeKit", "ThreadKit"]),
        kit("JobKit", ["DatabaseKit", "LogKit", "TimeKit", "ThreadKit"]),
        kit("SpoolKit", ["CipherKit", "LogKit", "TimeKit", "ThreadKit", "CLinux"]),

        kit("Domain", ["CipherKit", "DatabaseKit", "JSONKit", "LimitKit", "LogKit", "TimeKit", "ThreadKit"]),
        .target(
            name: "AdminShell",
            dependencies: [
                "Domain", "HTTPKit", "JSONKit", "LimitKit", "TemplateKit", "CipherKit", "DatabaseKit", "LogKit",
                "TimeKit",
            ],
            resources: [.embedInCode("Templates")], swiftSettings: settings),

        room("Accounts", ["JobKit"]),
        room(
            "Connections", ["ClientKit", "JobKit"], resources: [.embedInCode("Templates"), .embedInCode("Providers")]),
        room("APIKeys", ["AddressKit", "JobKit", "ProcessKit"]),
        room(
            "Webhooks", ["AddressKit", "ClientKit", "JobKit", "ProcessKit"],
            resources: [.embedInCode("Templates"), .embedInCode("Receivers")]),
        room("Platforms", ["ClientKit", "JobKit"]),
        room("Inbound", ["JobKit", "ProcessKit"]),
        room("OAuthServer", ["JobKit", "ProcessKit"]),
        room("Audit"),
        room("RequestLogs", ["JobKit", "SpoolKit"]),
        // No pages, so no templates.
        .target(
            name: "SiteTokens",
            dependencies: [
                "TimeKit", "ThreadKit", "LogKit", "CipherKit", "DatabaseKit", "JSONKit", "HTTPKit", "ClientKit",
                "Domain",
                "AdminShell",
            ],
            swiftSettings: settings),
        room("Operations", ["JobKit"]),

        .executableTarget(
            name: "Hub",
            dependencies: [
                "Accounts", "Connections", "APIKeys", "Webhooks", "Platforms", "Inbound", "OAuthServer", "Audit",
                "RequestLogs",
                "Operations",
                "SiteTokens",
                "AdminShell",
                "Domain", "JobKit", "SpoolKit", "ProcessKit", "AddressKit", "ClientKit", "FastCGIKit", "HTTPKit",
                "JSONKit",
                "TemplateKit", "DatabaseKit", "CipherKit", "LimitKit", "LogKit", "ThreadKit", "TimeKit",
            ],
            exclude: ["Hub.docc"],
            resources: [.embedInCode("sql")], swiftSettings: settings),

        tests("TimeKit"),
        tests("ThreadKit"),
        tests("LogKit", ["TimeKit"]),
        tests("CipherKit", ["JSONKit"]),
        tests("DatabaseKit"),
        tests("TemplateKit"),
        tests("JSONKit", ["CostFixture", "TimeKit"]),
        tests("HTTPKit", ["CostFixture", "JSONKit", "LogKit"]),
        tests("FastCGIKit", ["HTTPKit", "LogKit"]),
        tests("AddressKit"),
        tests("ClientKit", ["AddressKit"]),
        tests("ProcessKit", ["ProcessKitFixture"]),
        .executableTarget(
            name: "ProcessKitFixture", dependencies: ["ProcessKit", "ThreadKit", "LogKit", "TimeKit"],
            path: "Tests/ProcessKitFixture",
            swiftSettings: settings),
        tests("LimitKit", ["LimitKitFixture", "LogKit", "TimeKit"]),
        .executableTarget(
            name: "LimitKitFixture", dependencies: ["LimitKit", "ThreadKit", "LogKit", "TimeKit"],
            path: "Tests/LimitKitFixture", swiftSettings: settings),
        tests("JobKit", ["DatabaseKit"]),
        tests("SpoolKit", ["LogKit", "TimeKit"]),
        tests("Domain", ["CipherKit", "DatabaseKit", "LimitKit", "LogKit", "RoomFixture", "TimeKit"]),
        tests("AdminShell", ["Domain", "HTTPKit", "JSONKit", "LimitKit", "LogKit", "TemplateKit", "TimeKit"]),
        tests("Accounts", ["CipherKit", "Domain", "HTTPKit", "LogKit", "TimeKit"]),
        tests(
            "Hub",
            [
                "APIKeys", "Accounts", "Platforms", "AdminShell", "CipherKit", "DatabaseKit", "Domain", "HTTPKit",
                "JSONKit", "LimitKit", "LogKit", "ProcessKit", "TemplateKit", "TimeKit",
            ]),
        tests("Connections", roomTestKits + ["ClientKit", "CostFixture", "JobKit", "RoomFixture"]),
        tests("APIKeys", roomTestKits + ["AddressKit", "JobKit", "ProcessKit", "RoomFixture"]),
        tests("Webhooks", roomTestKits + ["AddressKit", "ClientKit", "JobKit", "RoomFixture"]),
        tests("Platforms", roomTestKits + ["ClientKit", "JobKit", "RoomFixture"]),
        tests("Inbound", roomTestKits + ["JobKit", "ProcessKit", "RoomFixture"]),
        tests("OAuthServer", roomTestKits + ["JobKit", "ProcessKit", "RoomFixture"]),
        tests("Audit", roomTestKits + ["RoomFixture"]),
        tests("RequestLogs", roomTestKits + ["JobKit", "RoomFixture", "SpoolKit"]),
        tests("Operations", roomTestKits + ["RoomFixture"]),
        tests("SiteTokens", roomTestKits + ["ClientKit", "RoomFixture"]),
        .target(name: "CostFixture", path: "Tests/CostFixture", swiftSettings: settings),
        .target(
            name: "RoomFixture", dependencies: roomTestKits + ["ThreadKit"], path: "Tests/RoomFixture",
            swiftSettings: settings),
    ]
)
