import NIOSSL
import Telemetry

/// When the certificates of an encrypted connection end.
package enum CertificateEnd {
    /// When the first of a client's own certificates ends.
    ///
    /// - Parameter file: PEM, the client's certificate and those between it and the authority.
    /// - Returns: nil when the file cannot be read or holds none.
    package static func first(inFile file: String) -> Timestamp? { ends(file).min() }

    /// When the last of the authorities ends that may sign the other side's certificate.
    ///
    /// - Returns: nil when the file cannot be read or holds none.
    package static func last(inFile file: String) -> Timestamp? { ends(file).max() }

    private static func ends(_ file: String) -> [Timestamp] {
        let certificates = (try? NIOSSLCertificate.fromPEMFile(file)) ?? []
        return certificates.map { Timestamp(milliseconds: Int64($0.notValidAfter) * 1000) }
    }
}
