// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that a normal build never resolves or compiles the benchmarks. Its
// targets are links to ../Sources: one package with them, so that `package` access works, and the
// same release build serves the benchmarks and the program they measure.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
]

func line(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")

let package = Package(
    name: "plumbline-benchmarks",
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        line("Telemetry", []),
        line("LocatedText", [yams]),
        line("OwnThread", []),
        line("Frames", []),
        .target(
            name: "SparkplugWire", dependencies: [protobuf], exclude: ["sparkplug.proto"],
            swiftSettings: strict),
        .systemLibrary(
            name: "CModbus", pkgConfig: "libmodbus", providers: [.apt(["libmodbus-dev"])]),
        .systemLibrary(
            name: "CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),
        .systemLibrary(name: "CKernelClock"),
        line("DeviceProfiles", ["Telemetry", "LocatedText", "Frames", "SparkplugWire"]),
        line("EnergyAccounting", ["Telemetry", "LocatedText"]),
        line("Alarms", ["Telemetry", "LocatedText"]),
        line("UplinkFormats", ["Telemetry"]),
        line("BucketCodec", ["Telemetry"]),
        line("FieldLinks", ["Telemetry", "OwnThread", "Frames", "CModbus", "CMosquitto"]),
        line("Store", ["Telemetry", "BucketCodec", "OwnThread", grdb, crypto]),
        line(
            "Acquisition",
            [
                "Telemetry", "Frames", "OwnThread", "DeviceProfiles", "FieldLinks", "SparkplugWire",
                logging,
            ]),
        line("Delivery", ["Telemetry", "UplinkFormats", "FieldLinks"]),
        line(
            "WebAPI",
            [
                "Telemetry", "LocatedText", "EnergyAccounting", "Store", hummingbird, lifecycle,
                logging,
            ]),
        line(
            "SiteSimulator",
            [
                "Telemetry", "LocatedText", "OwnThread", "Frames", "DeviceProfiles", "FieldLinks",
                "CModbus",
            ]),
        line(
            "Gateway",
            [
                "Telemetry", "LocatedText", "Frames", "DeviceProfiles", "EnergyAccounting",
                "Alarms", "UplinkFormats", "FieldLinks", "Store", "Acquisition", "Delivery",
                "WebAPI", "SiteSimulator", lifecycle, logging,
            ]),
        .executableTarget(
            name: "plumbline",
            dependencies: [
                "CKernelClock", "Telemetry", "LocatedText", "DeviceProfiles", "Store",
                "SiteSimulator", "FieldLinks", "Alarms", "WebAPI", "Gateway", arguments, lifecycle,
                signals, logging, subprocess,
            ], swiftSettings: strict),
        .executableTarget(
            name: "StoreBenchmark",
            dependencies: ["Telemetry", "BucketCodec", "Store", "Gateway", lifecycle, logging],
            swiftSettings: strict),
    ]
)
