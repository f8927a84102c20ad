import ClientKit
import Foundation
import Testing

@Suite("TLS")
struct TLSTests {
    let certificates: Certificates

    init() throws { certificates = try Certificates.shared.get() }

    /// `openssl s_server` with one of the certificates, and its port.
    func server(_ name: String, _ options: [String] = []) throws -> (Program, port: Int) {
        let program = try Program(
            [
                "openssl", "s_server", "-www", "-accept", "127.0.0.1:0", "-cert", "\(certificates.folder)/\(name).pem",
                "-key", "\(certificates.folder)/\(name).key",
            ] + options)
        let line = try #require(program.lines(through: "ACCEPT").last)
        return (program, try #require(line.split(separator: ":").last.flatMap { Int($0) }))
    }

    @Test("A certificate of a trusted authority for the host is accepted", arguments: ["-tls1_2", "-tls1_3"])
    func good(version: String) throws {
        let (program, port) = try server("good", [version])
        let client = client(authorities: certificates.authority)
        for host in ["127.0.0.1", "localhost"] {
            let response = try client.send(OutboundRequest(method: .get, url: "https://\(host):\(port)/"))
            #expect(response.status == 200 && response.timing.tls > .zero)
        }
        withExtendedLifetime(program) {}
    }

    @Test(
        "A certificate that is self-signed, expired or of another host is refused",
        arguments: ["self", "expired", "other"])
    func bad(name: String) throws {
        let (program, port) = try server(name)
        let error = failure(
            client(authorities: certificates.authority),
            OutboundRequest(method: .get, url: "https://127.0.0.1:\(port)/"))
        #expect(error?.code == .tls)
        withExtendedLifetime(program) {}
    }

    @Test("An authority that the system does not know is refused")
    func unknownAuthority() throws {
        let (program, port) = try server("good")
        #expect(failure(client(), OutboundRequest(method: .get, url: "https://127.0.0.1:\(port)/"))?.code == .tls)
        withExtendedLifetime(program) {}
    }

    @Test("TLS older than 1.2 is refused", arguments: ["-tls1", "-tls1_1"])
    func old(version: String) throws {
        let (program, port) = try server("good", [version, "-cipher", "ALL:@SECLEVEL=0"])
        let error = failure(
            client(authorities: certificates.authority),
            OutboundRequest(method: .get, url: "https://127.0.0.1:\(port)/"))
        #expect(error?.code == .tls)
        withExtendedLifetime(program) {}
    }

    @Test("A server that speaks no TLS is refused")
    func plain() {
        let server = Server { $0.write(empty) }
        let error = failure(client(), OutboundRequest(method: .get, url: "https://127.0.0.1:\(server.port)/"))
        #expect(error?.code == .tls)
    }
}
