/// Who may import whom: design section 4 as data.
enum ImportTable {
    /// The line of each target. A target imports only targets on a lower line.
    static let lines: [String: Int] = [
        "Telemetry": 0, "LocatedText": 0, "OwnThread": 0, "CModbus": 0, "CMosquitto": 0,
        "CKernelClock": 0, "CXlsxWriter": 0, "CZlib": 0, "COpenSSL": 0, "CXML2": 0,
        "CSnappy": 0, "Frames": 0, "SparkplugWire": 0, "XMLText": 0, "RemoteWriteWire": 0,
        "DeviceProfiles": 1, "EnergyAccounting": 1, "Alarms": 1, "UplinkFormats": 1,
        "BucketCodec": 1, "CraneWork": 1, "FeedFormats": 1,
        "FieldLinks": 2, "Store": 2, "Spreadsheets": 2,
        "Acquisition": 3, "Delivery": 3, "WebAPI": 3, "SiteSimulator": 3,
        "Gateway": 4,
        "plumbline": 5,
    ]

    /// Those that are headers of the system and have no Swift of ours: `CModbus`, `CZlib` …
    static var systemLibraries: [String] {
        lines.keys.filter { name in
            name.first == "C" && name.dropFirst().first?.isUppercase ?? false
        }
    }

    /// No sockets, files, clocks or loggers: these import no part of the system at all.
    static let pure: Set<String> = [
        "Telemetry", "LocatedText", "DeviceProfiles", "EnergyAccounting", "Alarms",
        "UplinkFormats", "BucketCodec", "Frames", "CraneWork", "FeedFormats", "XMLText",
    ]

    /// The modules of packages and system libraries, and the only targets that may import them.
    static let external: [String: Set<String>] = [
        "GRDB": ["Store"], "GRDBSQLite": ["Store"],
        "Crypto": ["Store", "FeedFormats", "WebAPI", "UplinkFormats"],
        "CryptoExtras": ["UplinkFormats"],
        "Mustache": ["FeedFormats"],
        "AsyncHTTPClient": ["Delivery"], "NIOHTTP1": ["Delivery"], "NIOSSL": ["Delivery"],
        "Yams": ["LocatedText"],
        "SwiftProtobuf": ["SparkplugWire", "RemoteWriteWire"],
        "RealModule": ["Alarms", "EnergyAccounting", "UplinkFormats"],
        "CModbus": ["FieldLinks", "SiteSimulator"],
        "CMosquitto": ["FieldLinks"],
        "CKernelClock": ["plumbline"],
        "CXlsxWriter": ["Spreadsheets"],
        "CZlib": ["Delivery"],
        "COpenSSL": ["UplinkFormats"],
        "CXML2": ["XMLText"],
        // A system library lies below whoever wraps it, on line 0 too.
        "CSnappy": ["RemoteWriteWire"],
        "Hummingbird": ["WebAPI"], "HummingbirdCore": ["WebAPI"], "HTTPTypes": ["WebAPI"],
        "NIOCore": ["WebAPI", "Delivery"], "NIOPosix": ["WebAPI", "Delivery"],
        "NIOHTTPTypes": ["WebAPI"],
        "NIOFoundationCompat": ["WebAPI"],
        "ServiceLifecycle": ["Gateway", "WebAPI", "plumbline"],
        "UnixSignals": ["plumbline"],
        "Logging": ["WebAPI", "Acquisition", "Gateway", "plumbline"],
        "ArgumentParser": ["plumbline"],
        "Subprocess": ["plumbline", "Delivery"], "SystemPackage": ["plumbline"],
    ]

    /// What comes with Swift; pure targets do without.
    static let system: Set<String> = [
        "Foundation", "FoundationEssentials", "FoundationNetworking", "Glibc", "Dispatch",
        "Synchronization",
    ]

    /// Why `target` may not import `module`; nil when it may.
    static func objection(to module: String, in target: String) -> String? {
        guard let line = lines[target] else {
            return "the target \(target) has no line in the table"
        }
        if let allowed = external[module] {
            return allowed.contains(target)
                ? nil : "\(module) belongs to \(allowed.sorted().joined(separator: ", "))"
        }
        if let other = lines[module] {
            return other < line
                ? nil : "\(target) (line \(line)) may not import \(module) (line \(other))"
        }
        if system.contains(module) {
            return pure.contains(target) ? "\(target) is pure and may not import \(module)" : nil
        }
        return "\(module) has no line in the table"
    }
}
