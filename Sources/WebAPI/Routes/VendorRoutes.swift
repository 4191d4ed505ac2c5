import HTTPTypes
import Hummingbird

/// `/vendor/…`: the chart libraries, from where the system's packages put them, and
/// `/openapi.yaml`. Only the files that were named are served.
struct VendorRoutes {
    let files: DashboardFiles

    func add(to router: Router<BasicRequestContext>) {
        let io = FileIO()
        for (name, path) in files.vendor.sorted(by: { $0.key < $1.key }) {
            let type = name.hasSuffix(".css") ? "text/css; charset=utf-8" : Self.script
            add("vendor/\(name)", path, type, io, to: router)
        }
        if let path = files.openAPI {
            add("openapi.yaml", path, "application/yaml; charset=utf-8", io, to: router)
        }
    }

    private static let script = "text/javascript; charset=utf-8"

    private func add(
        _ address: String, _ path: String, _ type: String, _ io: FileIO,
        to router: Router<BasicRequestContext>
    ) {
        router.get(RouterPath(address)) { _, http in
            do {
                let body = try await io.loadFile(path: path, context: http)
                return Response(
                    status: .ok, headers: [.contentType: type, .cacheControl: "max-age=3600"],
                    body: body)
            } catch {
                throw Problem(
                    status: .notFound, code: "missing_file", title: "A file is missing",
                    detail: "'\(path)' cannot be read",
                    remedy: "install the packages that scripts/setup names, then ask again")
            }
        }
    }
}
