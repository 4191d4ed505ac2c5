import LocatedText
import Telemetry

extension DeviceProfile {
    /// Reads the format `device-profile/1` and lints it.
    ///
    /// - Parameter file: the path below `Devices/` or any path that ends with it; the profile's id
    ///   has to be the end of it, without `.yaml`.
    /// - Throws: every fault of the text at once.
    package static func parse(
        _ text: String, file: String, vocabulary: Vocabulary
    ) throws(Faults) -> DeviceProfile {
        let faults = FaultCollector()
        let root = try LocatedNode.parse(text, file: file)
        let profile = ProfileReader(vocabulary: vocabulary, faults: faults).profile(root)
        if let profile { ProfileLint(faults: faults).check(profile) }
        try faults.throwIfAny()
        guard let profile else { throw Faults([Fault(root.location, "the profile is incomplete")]) }
        return profile
    }
}
