import Testing

/// Keys of Project Wycheproof (`json_web_key_test.json`) that must not be used, each with a word of why.
struct RefusedKey: Sendable, CustomTestStringConvertible {
    let name: String
    let key: String
    let why: String

    var testDescription: String { name }

    static let published = [
        RefusedKey(
            name: "keysize_too_small",
            key: """
                {"kty":"RSA","use":"sig","alg":"RS256","n":"rJBIp6T1YK-RtPyvYqFFlcucqewSAA_IReSFchE8qyiQrbAR\
                qRlXWkB2DR8j_pJQnIpYELbQWZC5Cd0PTGAU8rMbar2AW6zpmBbi7aQf17lUBdt8XI9M9rq7FPVQ1dDdUXm1SVH_9qqW\
                hvMPR422SbfHBEzCAtzK0ANDRo6qz78","e":"AQAB","kid":"RS256_1024"}
                """,
            why: "2048"),
        RefusedKey(
            name: "exponentOne",
            key: """
                {"kty":"RSA","use":"sig","alg":"RS256","n":"u-SfdHPjFtGmzuoH6gheIIZ4nLwUHBQEtFGqOe0N8JuZUc5V\
                OzlI8yl0r8ESilAouttkdftexj4VFJz5R9FH90ypVQDPL0H4mC_RtkcJ1DBB8MriU8dmzqSXP1SBs4s5L-pJWxKKLjXd\
                dD6gXJZ7HT_aPl2olvlLh8JkD_52U6sjdeP3OWDKvMu5GsrMlS9XJCVaCx8r9698OEElwK-ZW9PztgTSb-MvyTuyzis5\
                Yc13n_z0wMLahpDilI2fzNsZ3yH6htu4VXPraSEZV6C0Z7epAAAUqiUnxh3WRupEICaewYEnW3MVS2hHwLwtPu_RR0XH\
                oZr1oPSlQMP3Zi2QKw","e":"AQ","kid":"RS256_2048"}
                """,
            why: "exponent"),
        RefusedKey(
            name: "HS256",
            key: """
                {"kty":"oct","use":"sig","kid":"short_hs256_key","alg":"HS256","k":"AAECAwQFBgcICQoLDA0ODxAR\
                EhMUFRYXGBkaGxwdHg"}
                """,
            why: "256 bits"),
        RefusedKey(
            name: "invalid_algorithm",
            key: """
                {"alg":"ES224","use":"sig","x":"04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY","y":"UI8exy-C06\
                a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw","crv":"P-256","kid":"kid-ec-sign","kty":"EC"}
                """,
            why: "algorithm"),
        RefusedKey(
            name: "invalid_use",
            key: """
                {"alg":"ES256","use":"enc","x":"04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY","y":"UI8exy-C06\
                a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw","crv":"P-256","kid":"kid-ec-sign","kty":"EC"}
                """,
            why: "signatures"),
        RefusedKey(
            name: "invalid_point",
            key: """
                {"alg":"ES256","use":"sig","x":"04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY","y":"UI8exy-C06\
                a7DUnjIdENkxeFtHM4-l_41LqEw9nVgnw","crv":"P-256","kid":"kid-ec-sign","kty":"EC"}
                """,
            why: "no key"),
        RefusedKey(
            name: "wrong_curve",
            key: """
                {"alg":"ES256","use":"sig","x":"04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY","y":"UI8exy-C06\
                a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw","crv":"P-384","kid":"kid-ec-sign","kty":"EC"}
                """,
            why: "curve"),
        RefusedKey(
            name: "wrong_kty",
            key: """
                {"alg":"ES256","use":"sig","x":"04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY","y":"UI8exy-C06\
                a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw","crv":"P-256","kid":"kid-ec-sign","kty":"RSA"}
                """,
            why: "algorithm"),
        RefusedKey(
            name: "invalid_aes_gcm_key",
            key: """
                {"alg":"A256GCM","use":"sig","k":"-ebuDNsVZ2iJtoZ-akfXTSCt4UO2cruLCsbWlBinggE","kid":"kid-ae\
                s-sign","kty":"oct"}
                """,
            why: "algorithm"),
    ]
}
