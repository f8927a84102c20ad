import ClientKit
import Foundation
import LogKit
import Testing

/// A mail server in Python, since it can begin TLS in the middle of a connection. It prints its port, then what it hears.
private let script = """
    import base64, socket, ssl, sys
    options = set(sys.argv[2:])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[1] + ".pem", sys.argv[1] + ".key")
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    def serve(peer):
        secure = "implicit" in options
        if secure: peer = tls.wrap_socket(peer, server_side=True)
        stream = peer.makefile("rwb")
        def say(text):
            stream.write(text.encode() + b"\\r\\n"); stream.flush()
        if "busy" in options: return say("421 come back later")
        if "mute" not in options: say("220-mail.example ESMTP\\r\\n220 at your service")
        while True:
            line = stream.readline().decode().strip()
            print(line or "END", flush=True)
            word = line.upper().split(" ")[0]
            if not line: return
            elif word == "EHLO":
                say("250-mail.example")
                if "starttls" in options and not secure: say("250-STARTTLS")
                if "auth" in options: say("250-AUTH PLAIN LOGIN")
                say("250 SIZE 1000")
            elif word == "STARTTLS":
                say("220 go")
                peer = tls.wrap_socket(peer, server_side=True); stream = peer.makefile("rwb"); secure = True
            elif word == "AUTH":
                data = line.split(" ")[2] if len(line.split(" ")) > 2 else None
                if data is None: say("334 "); data = stream.readline().decode().strip()
                right = base64.b64decode(data) == b"\\0me@example.com\\0p\\xc3\\xa4ss"
                say("235 welcome" if right else "535 5.7.8 no")
            elif word == "RCPT" and "norcpt" in options: say("550 5.1.1 no such user")
            elif word == "MAIL" and "later" in options: say("451 4.3.0 try later")
            elif word == "DATA":
                say("354 go ahead")
                while True:
                    data = stream.readline()
                    if not data: return
                    print("D " + data.decode().rstrip("\\r\\n"), flush=True)
                    if data == b".\\r\\n": break
                if "silent" in options: return print("END", flush=True)
                say("554 5.7.1 spam" if "spam" in options else "250 2.0.0 queued as 4F8B1")
            elif word == "QUIT":
                if "clingy" in options: continue
                say("221 bye"); print("END", flush=True); return
            else: say("250 fine")
    while True:
        peer, _ = listener.accept()
        try: serve(peer)
        except Exception as error: print("END", error, flush=True)
        finally: peer.close()
    """

@Suite("Mail servers")
struct SMTPTests {
    let certificates: Certificates

    init() throws { certificates = try Certificates.shared.get() }

    func server(_ options: String..., certificate: String = "good") throws -> (Program, port: Int) {
        let program = try Program(["python3", "-c", script, "\(certificates.folder)/\(certificate)"] + options)
        return (program, try #require(program.line().flatMap { Int($0) }))
    }

    func probe(_ port: Int, _ security: SMTPProbe.Security, password: String? = "päss") -> SMTPProbe {
        SMTPProbe(
            host: "127.0.0.1", port: port, security: security, username: password == nil ? nil : "me@example.com",
            password: password.map { Secret($0) }, authorities: certificates.authority)
    }

    func failure(_ probe: SMTPProbe, with client: Client = client()) -> ClientError? {
        do throws(ClientError) {
            let outcome = try client.probe(probe)
            Issue.record("passed: \(outcome)")
            return nil
        } catch {
            return error
        }
    }

    @Test("A server passes in clear: EHLO, AUTH, NOOP, QUIT, and no mail")
    func clear() throws {
        let (program, port) = try server("auth")
        let outcome = try client().probe(probe(port, .none))
        #expect(outcome.greeting == "mail.example ESMTP at your service")
        #expect(outcome.capabilities == ["AUTH PLAIN LOGIN", "SIZE 1000"])
        #expect(outcome.isAuthenticated && !outcome.isSecure)
        let heard = program.lines(through: "END").map { $0.prefix { $0 != " " } }
        #expect(heard == ["EHLO", "AUTH", "NOOP", "QUIT", "END"])
    }

    @Test(
        "A server passes by STARTTLS, and the password goes only through it",
        arguments: [SMTPProbe.Security.startTLS, .auto, .startTLSOptional])
    func startTLS(security: SMTPProbe.Security) throws {
        let (program, port) = try server("auth", "starttls")
        let outcome = try client().probe(probe(port, security))
        #expect(outcome.isSecure && outcome.isAuthenticated)
        #expect(outcome.capabilities == ["AUTH PLAIN LOGIN", "SIZE 1000"])
        let heard = program.lines(through: "END").map { $0.prefix { $0 != " " } }
        #expect(heard == ["EHLO", "STARTTLS", "EHLO", "AUTH", "NOOP", "QUIT", "END"])
    }

    @Test("A server passes by TLS from the start")
    func implicit() throws {
        let (program, port) = try server("auth", "implicit")
        let outcome = try client().probe(probe(port, .ssl))
        #expect(outcome.isSecure && outcome.isAuthenticated)
        #expect(program.lines(through: "END").count == 5)
    }

    @Test("A wrong password is told from a server that does not sign in anybody")
    func credentials() throws {
        let (wrong, port) = try server("auth", "starttls")
        #expect(failure(probe(port, .startTLS, password: "wrong"))?.code == .credentialsRefused)
        #expect(wrong.lines(through: "END").contains { $0.hasPrefix("AUTH PLAIN") })

        let (open, openPort) = try server()
        var demanding = probe(openPort, .none)
        #expect(try !client().probe(demanding).isAuthenticated)
        demanding.authentication = .always
        #expect(failure(demanding)?.code == .credentialsNotTaken)
        demanding.authentication = .never
        #expect(try !client().probe(demanding).isAuthenticated)
        #expect(open.lines(through: "END").contains("QUIT"))
    }

    @Test("No TLS where it is demanded is an error, and no password is sent")
    func downgrade() throws {
        let (program, port) = try server("auth")
        #expect(failure(probe(port, .startTLS))?.code == .tls)
        #expect(!program.lines(through: "END").contains { $0.hasPrefix("AUTH") })
        #expect(failure(probe(port, .ssl))?.code == .tls)
    }

    @Test("A bad certificate is refused, unless the setting says not to look", arguments: ["self", "expired", "other"])
    func certificate(name: String) throws {
        let (program, port) = try server("auth", "starttls", certificate: name)
        #expect(failure(probe(port, .startTLS))?.code == .tls)
        _ = program.lines(through: "END")
        var lenient = probe(port, .startTLS)
        lenient.verifiesCertificate = false
        #expect(try client().probe(lenient).isAuthenticated)
    }

    @Test("A server that sends the hub away, says nothing, or does not speak SMTP is told apart from none")
    func others() throws {
        let (busy, busyPort) = try server("busy")
        #expect(failure(probe(busyPort, .none))?.code == .badResponse)
        let (mute, mutePort) = try server("mute")
        var impatient = probe(mutePort, .none)
        impatient.deadline = .milliseconds(300)
        #expect(failure(impatient)?.code == .timedOut)
        let web = Server { $0.write("HTTP/1.1 400 Bad Request\r\n\r\n") }
        #expect(failure(probe(web.port, .none))?.code == .badResponse)
        #expect(failure(probe(closedPort, .none))?.code == .unreachable)
        #expect(failure(probe(busyPort, .none), with: Client(version: "1"))?.code == .refusedAddress)
        withExtendedLifetime((busy, mute)) {}
    }

    @Test("A server that does not answer QUIT is left at the deadline")
    func clingy() throws {
        let (program, port) = try server("auth", "clingy")
        var probe = probe(port, .none)
        probe.deadline = .seconds(1)
        let started = ContinuousClock.now
        #expect(try client().probe(probe).isAuthenticated)
        #expect(ContinuousClock.now - started < .seconds(4))
        withExtendedLifetime(program) {}
    }

    // MARK: Mails

    func mail(_ text: String = "Subject: Hi\r\n\r\n.dot\r\n..\r\nend\r\n") -> OutboundMail {
        OutboundMail(
            sender: "shop@acme.example", recipients: ["ana@example.org", "bo@example.org"], message: Array(text.utf8))
    }

    func mailFailure(_ port: Int, _ server: SMTPProbe? = nil) -> MailFailure? {
        do throws(MailFailure) {
            let reply = try client().send(mail(), through: server ?? probe(port, .none))
            Issue.record("sent: \(reply)")
            return nil
        } catch {
            return error
        }
    }

    @Test("A mail is handed over for all its recipients, its dots doubled, and the server's reply comes back")
    func mailSent() throws {
        let (program, port) = try server("auth", "starttls")
        let reply = try client().send(mail(), through: probe(port, .startTLS))
        #expect(reply.code == 250 && reply.text == "2.0.0 queued as 4F8B1")
        let heard = program.lines(through: "END")
        let size = mail().message.count
        #expect(heard.contains("MAIL FROM:<shop@acme.example> SIZE=\(size)"), "\(heard)")
        #expect(heard.contains("RCPT TO:<ana@example.org>") && heard.contains("RCPT TO:<bo@example.org>"))
        #expect(heard.filter { $0.hasPrefix("D ") } == ["D Subject: Hi", "D ", "D ..dot", "D ...", "D end", "D ."])
        #expect(!heard.contains { $0.hasPrefix("NOOP") })
    }

    @Test(
        "A refusal comes with the server's code and words, whenever it comes, and is no doubt",
        arguments: [
            ("norcpt", 550, "5.1.1 no such user"), ("later", 451, "4.3.0 try later"), ("spam", 554, "5.7.1 spam"),
        ])
    func mailRefused(option: String, code: Int, words: String) throws {
        let (program, port) = try server("auth", option)
        let failure = try #require(mailFailure(port))
        #expect(failure.refusal?.code == code && failure.refusal?.text == words && !failure.mayHaveArrived)
        withExtendedLifetime(program) {}
    }

    @Test("A server that hangs up after the mail leaves a doubt, one that is not there or refuses the password none")
    func mailInDoubt() throws {
        let (silent, port) = try server("auth", "silent")
        let doubt = try #require(mailFailure(port))
        #expect(doubt.mayHaveArrived && doubt.refusal == nil)
        #expect(mailFailure(closedPort)?.mayHaveArrived == false)
        let (strict, strictPort) = try server("auth")
        let wrong = try #require(mailFailure(strictPort, probe(strictPort, .none, password: "wrong")))
        #expect(wrong.cause.code == .credentialsRefused && !wrong.mayHaveArrived)
        withExtendedLifetime((silent, strict)) {}
    }

    @Test("A mapped mail server is tried elsewhere, without the policy")
    func mapped() throws {
        let (program, port) = try server("auth")
        let origins = try OriginMap(json: Array("{\"smtp://mail.example:587\": \"smtp://127.0.0.1:\(port)\"}".utf8))
        var mapped = probe(587, .startTLSOptional)
        mapped.host = "mail.example"
        #expect(try Client(origins: origins, version: "1").probe(mapped).isAuthenticated)
        withExtendedLifetime(program) {}
    }

    @Test(
        "A host that is more than a host is refused",
        arguments: ["a/b", "a@b", "a?b", "a#b", "a:b", "", "a b", "a\r\nb"])
    func badHost(host: String) {
        var bad = probe(25, .none)
        bad.host = host
        #expect(failure(bad)?.code == .badURL)
    }
}
