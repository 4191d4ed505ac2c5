// swift-tools-version: 6.2
import PackageDescription

// The `dependencies:` of each target are the architecture: a target imports only targets on a
// lower line (docs/architecture.md). SwiftPM does not enforce it; ArchitectureTests does.

// For `make fuzz` alone: our modules count which of their branches an input has reached.
let isFuzzing = Context.environment["PLUMBLINE_FUZZ"] != nil

// `-O` in every configuration: tests and the demo fold days of data, and unoptimised Swift needs
// ten times as long for it (docs/decisions/0007-optimised-debug-builds.md). Overflow checks,
// preconditions and `@testable` stay.
let strict: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .unsafeFlags(["-O"], .when(configuration: .debug)),
    ] + (isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer"])] : [])

func line(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

/// A program that tests start; no product.
func peer(_ name: String, _ dependencies: [Target.Dependency], path: String) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(
    name: "HummingbirdTesting", package: "hummingbird")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let httpClient = Target.Dependency.product(
    name: "AsyncHTTPClient", package: "async-http-client")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let tls = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let realModule = Target.Dependency.product(name: "RealModule", package: "swift-numerics")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")

let package = Package(
    name: "plumbline",
    products: [.executable(name: "plumbline", targets: ["plumbline"])],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        // 0  the vocabulary, the text, the system libraries
        line("Telemetry", []),
        line("LocatedText", [yams]),
        line("OwnThread", []),
        line("Frames", []),
        line("SparkplugWire", [protobuf], exclude: ["sparkplug.proto"]),
        line("XMLText", ["CXML2"]),
        line("RemoteWriteWire", ["CSnappy", protobuf], exclude: ["remote_write.proto"]),
        .systemLibrary(
            name: "CModbus", pkgConfig: "libmodbus", providers: [.apt(["libmodbus-dev"])]),
        .systemLibrary(
            name: "CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),
        .systemLibrary(name: "CKernelClock"),
        .systemLibrary(
            name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CSnappy", pkgConfig: "snappy", providers: [.apt(["libsnappy-dev"])]),
        .systemLibrary(
            name: "CXlsxWriter", pkgConfig: "xlsxwriter", providers: [.apt(["libxlsxwriter-dev"])]),
        .systemLibrary(name: "CXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        // 1  pure: bytes and values in, values and bytes out
        line("DeviceProfiles", ["Telemetry", "LocatedText", "Frames", "SparkplugWire"]),
        line("EnergyAccounting", ["Telemetry", "LocatedText", realModule]),
        line("Alarms", ["Telemetry", "LocatedText", realModule]),
        line("FeedFormats", ["Telemetry", crypto, mustache]),
        line("CraneWork", ["Telemetry", "LocatedText"]),
        line(
            "UplinkFormats",
            [
                "Telemetry", "LocatedText", "Frames", "XMLText", "RemoteWriteWire", "SparkplugWire",
                "COpenSSL", realModule, crypto, cryptoExtras,
            ]),
        line("BucketCodec", ["Telemetry"]),
        // 2  the rim
        line("FieldLinks", ["Telemetry", "OwnThread", "Frames", "CModbus", "CMosquitto"]),
        line(
            "Store",
            [
                "Telemetry", "BucketCodec", "CraneWork", "EnergyAccounting", "OwnThread", grdb,
                sqlite, crypto,
            ]),
        line("Spreadsheets", ["Telemetry", "EnergyAccounting", "CXlsxWriter"]),
        // 3  southbound, northbound, HTTP, the simulated site
        line(
            "Acquisition",
            [
                "Telemetry", "Frames", "OwnThread", "DeviceProfiles", "FieldLinks", "SparkplugWire",
                logging,
            ]),
        line(
            "Delivery",
            [
                "Telemetry", "UplinkFormats", "FeedFormats", "FieldLinks", "CZlib", nio, nioPosix,
                httpClient, tls, subprocess,
            ]),
        line(
            "WebAPI",
            [
                "Telemetry", "LocatedText", "EnergyAccounting", "Alarms", "CraneWork",
                "FeedFormats", "Spreadsheets", "Store", hummingbird, crypto, lifecycle, logging,
            ]),
        line(
            "SiteSimulator",
            [
                "Telemetry", "LocatedText", "OwnThread", "Frames", "DeviceProfiles", "FieldLinks",
                "CModbus",
            ]),
        // 4  composition
        line(
            "Gateway",
            [
                "Telemetry", "LocatedText", "Frames", "DeviceProfiles", "EnergyAccounting",
                "Alarms",
                "UplinkFormats", "FeedFormats", "CraneWork", "FieldLinks", "Store", "Acquisition",
                "Delivery", "WebAPI", "SiteSimulator", lifecycle, logging,
            ]),
        // 5  the executable
        .executableTarget(
            name: "plumbline",
            dependencies: [
                "CKernelClock", "Telemetry", "LocatedText", "DeviceProfiles", "EnergyAccounting",
                "Spreadsheets",
                "Store", "SiteSimulator", "FieldLinks", "Alarms", "CraneWork", "FeedFormats",
                "WebAPI", "Delivery", "UplinkFormats", "Gateway", arguments, lifecycle, signals,
                logging, subprocess,
            ],
            swiftSettings: strict),

        // Random streams that a failing test can repeat; no product uses it.
        .target(name: "TestSeeds", path: "Tests/TestSeeds", swiftSettings: strict),
        tests("TelemetryTests", ["Telemetry", "TestSeeds"]),
        tests("LocatedTextTests", ["LocatedText", "TestSeeds"]),
        tests("FramesTests", ["Frames", "TestSeeds"]),
        tests("XMLTextTests", ["XMLText", "TestSeeds"]),
        tests(
            "DeviceProfilesTests",
            [
                "DeviceProfiles", "Frames", "SparkplugWire", "Telemetry", "LocatedText",
                "TestSeeds",
            ]),
        // Statements as a site hands them over, for the tests of every rendering; no product uses it.
        .target(
            name: "TestStatements", dependencies: ["EnergyAccounting", "Telemetry"],
            path: "Tests/TestStatements", swiftSettings: strict),
        tests(
            "EnergyAccountingTests",
            ["EnergyAccounting", "Telemetry", "LocatedText", "TestSeeds", "TestStatements"],
            exclude: ["Golden"]),
        tests("AlarmsTests", ["Alarms", "Telemetry", "LocatedText", "TestSeeds"]),
        tests(
            "FeedFormatsTests", ["FeedFormats", "Telemetry", subprocess, "TestSeeds"],
            exclude: ["Golden", "Peers"]),
        tests("CraneWorkTests", ["CraneWork", "Telemetry", "LocatedText", "TestSeeds"]),
        tests(
            "UplinkFormatsTests",
            [
                "UplinkFormats", "Frames", "Telemetry", "LocatedText", "XMLText", "RemoteWriteWire",
                "SparkplugWire", "TestPeers", "TestSeeds",
            ],
            exclude: ["Golden"]),
        tests(
            "BucketCodecTests", ["BucketCodec", "Telemetry", subprocess, "TestSeeds"],
            exclude: ["Golden"]),
        // Starts real brokers and Python peers for tests; no product uses it.
        .target(
            name: "TestPeers", dependencies: [subprocess], path: "Tests/TestPeers",
            swiftSettings: strict),
        tests("FieldLinksTests", ["FieldLinks", "Telemetry", "TestPeers"]),
        tests(
            "SpreadsheetsTests",
            [
                "Spreadsheets", "EnergyAccounting", "Telemetry", "TestPeers", "TestSeeds",
                "TestStatements", subprocess,
            ]),
        tests(
            "AcquisitionTests",
            [
                "Acquisition", "DeviceProfiles", "FieldLinks", "Frames", "SparkplugWire",
                "Telemetry",
                "TestPeers", "TestSeeds",
            ]),
        tests(
            "StoreTests",
            [
                "Store", "Telemetry", "BucketCodec", "EnergyAccounting", grdb, subprocess,
                "TestSeeds",
            ]),
        // Writes to a store until it is killed, and tells what it promised; docs/torture.md.
        peer("StoreExerciser", ["Store", "Telemetry"], path: "Tests/StoreFaults/StoreExerciser"),
        tests("StoreFaultTests", ["Store", "Telemetry", "TestPeers", subprocess]),
        tests(
            "WebAPITests",
            [
                "WebAPI", "Store", "EnergyAccounting", "Alarms", "CraneWork", "LocatedText",
                "Telemetry", hummingbirdTesting, lifecycle,
            ], exclude: ["Golden"]),
        tests(
            "SiteSimulatorTests",
            [
                "SiteSimulator", "DeviceProfiles", "FieldLinks", "Telemetry", "LocatedText",
                "TestPeers", subprocess, "TestSeeds",
            ]),
        tests(
            "GatewayTests",
            [
                "Gateway", "Store", "Acquisition", "Alarms", "CraneWork", "Delivery",
                "DeviceProfiles", "UplinkFormats", "Telemetry", "LocatedText", "WebAPI", grdb,
                lifecycle, logging, "TestSeeds", "TestPeers",
            ]),
        // One case for each parser of foreign bytes, for `make fuzz` and for the replay of its corpus;
        // no product uses it.
        .target(
            name: "FuzzCases",
            dependencies: [
                "Telemetry", "LocatedText", "Frames", "SparkplugWire", "XMLText", "DeviceProfiles",
                "UplinkFormats", "BucketCodec", "FeedFormats", "Alarms", "CraneWork",
                "EnergyAccounting", "Store",
            ],
            path: "Tests/Fuzzing/Cases", swiftSettings: strict),
        tests("FuzzCorpusTests", ["FuzzCases"]),
        tests("ArchitectureTests", [subprocess]),
        tests(
            "IntegrationTests",
            [
                "Gateway", "Acquisition", "Delivery", "FeedFormats", "Store", "Telemetry",
                "SiteSimulator", "FieldLinks", "WebAPI", "TestPeers", "UplinkFormats", lifecycle,
                logging, subprocess, "TestSeeds",
            ]),
    ]
)

// For `make bench-store` alone: no other build compiles it.
if Context.environment["PLUMBLINE_BENCHMARKS"] != nil {
    package.targets.append(
        .executableTarget(
            name: "StoreBenchmark",
            dependencies: [
                "Telemetry", "LocatedText", "BucketCodec", "EnergyAccounting", "Store", "Gateway",
                lifecycle,
                logging,
            ],
            path: "Benchmarks/StoreBenchmark", swiftSettings: strict))
}

// libFuzzer around the cases, docs/fuzzing.md. It brings a `main` of its own, which loses against
// ours with lld only; and its own file stays uncounted, because the compiler would otherwise take
// that file's top level for the function that libFuzzer calls.
if isFuzzing {
    package.targets.append(
        .executableTarget(
            name: "Fuzzing", dependencies: ["FuzzCases"], path: "Tests/Fuzzing",
            exclude: ["Cases", "Corpus", "fuzz.py"], swiftSettings: [.swiftLanguageMode(.v6)],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]))
}
