import Telemetry

extension StoreWriter {
    package func stamp(bootID: String, offset: Int64, isEstimated: Bool) throws(StoreError) {}
}
