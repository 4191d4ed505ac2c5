import FieldLinks
import NIOSSL

extension TLSConfiguration {
    /// A client that always verifies: the peer by the authority of a file or those of the system,
    /// and shows the certificate that is named.
    ///
    /// - Throws: what is wrong with the files.
    static func of(_ files: MQTTEndpoint.TLS) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let authority = files.authority { configuration.trustRoots = .file(authority) }
        if let certificate = files.certificate, let key = files.key {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate).map {
                .certificate($0)
            }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
        }
        return configuration
    }
}
