import DatabaseKit
import LogKit
import Testing

@Suite struct DatabaseURLTests {
    @Test("Every part is read and percent-decoded")
    func parts() throws {
        let url = try DatabaseURL("mariadb://us%40er:p%3Aa%2Fss@db.example.org:3307/hub?tls=required&ca=/etc/ca.pem")
        #expect(url.user == "us@er")
        #expect(url.password.reveal { $0 } == "p:a/ss")
        #expect(url.host == "db.example.org")
        #expect(url.port == 3_307)
        #expect(url.name == "hub")
        #expect(url.tls == .required)
        #expect(url.ca == "/etc/ca.pem")
        #expect(url.socket == nil)
    }

    @Test("A socket needs neither host nor port")
    func socket() throws {
        let url = try DatabaseURL("mysql://hub@/hub?socket=/run/mysqld/mysqld.sock")
        #expect(url.socket == "/run/mysqld/mysqld.sock")
        #expect(url.port == 3_306)
        #expect(url.password.reveal { $0 } == "")
        #expect(url.tls == .off)
    }

    @Test("TLS is on to another machine unless switched off, and off to this one")
    func tls() throws {
        #expect(try DatabaseURL("mysql://hub@db/hub").tls == .required)
        #expect(try DatabaseURL("mysql://hub@db/hub?tls=off").tls == .off)
        #expect(try DatabaseURL("mysql://hub@127.0.0.1/hub").tls == .off)
        #expect(try DatabaseURL("mysql://hub@[::1]:3306/hub").tls == .off)
        #expect(try DatabaseURL("mysql://hub@[2001:db8::1]/hub").host == "2001:db8::1")
    }

    @Test(
        "A part that is wrong is named, and nothing of the URL is quoted",
        arguments: [
            ("postgres://hub:geheim@h/hub", "scheme"), ("mysql://hub:geheim@h", "database"),
            ("mysql://hub:geheim@h/", "database"), ("mysql://hub:geheim@h/a/b", "database"),
            ("mysql://:geheim@h/hub", "user"), ("mysql://hub:geheim@/hub", "host"),
            ("mysql://hub:geheim@h:0/hub", "port"), ("mysql://hub:geheim@h:65536/hub", "port"),
            ("mysql://hub:geheim@h:x/hub", "port"), ("mysql://hub:geheim%@h/hub", "password"),
            ("mysql://hub:geheim%00@h/hub", "password"), ("mysql://hub:geheim%ff@h/hub", "password"),
            ("mysql://hub:geheim@h/hub?tls=maybe", "tls"), ("mysql://hub:geheim@h/hub?geheim=1", "query"),
            ("mysql://hub:geheim@h/hub?ca=/a&ca=/b", "ca"), ("mysql://hub:geheim@h/hub?socket=run/x", "socket"),
            ("mysql://hub:geheim@h/hub#geheim", "fragment"),
        ])
    func wrong(text: String, part: String) {
        let error = #expect(throws: InvalidDatabaseURL.self) { _ = try DatabaseURL(text) }
        #expect(error?.part == part)
        #expect(error?.description.contains("geheim") == false)
    }

    @Test("Printing a URL never shows its password")
    func printing() throws {
        let url = try DatabaseURL("mysql://hub:geheim@h/hub")
        var dumped = ""
        dump(url, to: &dumped)
        #expect(!"\(url)\(String(reflecting: url))\(dumped)".contains("geheim"))
    }
}
