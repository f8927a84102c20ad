/// One case of NIST's validation suite for GCM; no plaintext means that the tag is wrong and nothing may come out.
struct Vector: Sendable {
    let key: String
    let nonce: String
    let ciphertext: String
    let associated: String
    let tag: String
    let plaintext: String?

    /// Cases of `gcmDecrypt256.rsp` (CAVS 14.0) with 96-bit nonces and 128-bit tags: with and without text and
    /// associated data, of whole and of broken blocks.
    static let published = [
        Vector(
            key: "f5a2b27c74355872eb3ef6c5feafaa740e6ae990d9d48c3bd9bb8235e589f010",
            nonce: "58d2240f580a31c1d24948e9",
            ciphertext: "",
            associated: "",
            tag: "15e051a5e4a5f5da6cea92e2ebee5bac",
            plaintext: ""),
        Vector(
            key: "e5a8123f2e2e007d4e379ba114a2fb66e6613f57c72d4e4f024964053028a831",
            nonce: "51e43385bf533e168427e1ad",
            ciphertext: "",
            associated: "",
            tag: "38fe845c66e66bdd884c2aecafd280e6",
            plaintext: nil),
        Vector(
            key: "6dfdafd6703c285c01f14fd10a6012862b2af950d4733abb403b2e745b26945d",
            nonce: "3749d0b3d5bacb71be06ade6",
            ciphertext: "",
            associated: "c0d249871992e70302ae008193d1e89f",
            tag: "4aa4cc69f84ee6ac16d9bfb4e05de500",
            plaintext: ""),
        Vector(
            key: "2c392a5eb1a9c705371beda3a901c7c61dca4d93b4291de1dd0dd15ec11ffc45",
            nonce: "0723fb84a08f4ea09841f32a",
            ciphertext: "",
            associated: "140be561b6171eab942c486a94d33d43",
            tag: "aa0e1c9b57975bfc91aa137231977d2c",
            plaintext: nil),
        Vector(
            key: "4c8ebfe1444ec1b2d503c6986659af2c94fafe945f72c1e8486a5acfedb8a0f8",
            nonce: "473360e0ad24889959858995",
            ciphertext: "d2c78110ac7e8f107c0df0570bd7c90c",
            associated: "",
            tag: "c26a379b6d98ef2852ead8ce83a833a7",
            plaintext: "7789b41cb3ee548814ca0b388c10b343"),
        Vector(
            key: "3934f363fd9f771352c4c7a060682ed03c2864223a1573b3af997e2ababd60ab",
            nonce: "efe2656d878c586e41c539c4",
            ciphertext: "e0de64302ac2d04048d65a87d2ad09fe",
            associated: "",
            tag: "33cbd8d2fb8a3a03e30c1eb1b53c1d99",
            plaintext: "697aff2d6b77e5ed6232770e400c1ead"),
        Vector(
            key: "c997768e2d14e3d38259667a6649079de77beb4543589771e5068e6cd7cd0b14",
            nonce: "835090aed9552dbdd45277e2",
            ciphertext: "9f6607d68e22ccf21928db0986be126e",
            associated: "",
            tag: "f32617f67c574fd9f44ef76ff880ab9f",
            plaintext: nil),
        Vector(
            key: "e9d381a9c413bee66175d5586a189836e5c20f5583535ab4d3f3e612dc21700e",
            nonce: "23e81571da1c7821c681c7ca",
            ciphertext: "a25f3f580306cd5065d22a6b7e9660110af7204bb77d370f7f34bee547feeff7b32a596fce29c9040e68b158"
                + "9aad48da881990",
            associated: "6f39c9ae7b8e8a58a95f0dd8ea6a9087cbccdfd6",
            tag: "5b6dcd70eefb0892fab1539298b92a4b",
            plaintext: nil),
        Vector(
            key: "6450d4501b1e6cfbe172c4c8570363e96b496591b842661c28c2f6c908379cad",
            nonce: "7e4262035e0bf3d60e91668a",
            ciphertext: "5a99b336fd3cfd82f10fb08f7045012415f0d9a06bb92dcf59c6f0dbe62d433671aacb8a1c52ce7bbf6aea37"
                + "2bf51e2ba79406",
            associated: "f1c522f026e4c5d43851da516a1b78768ab18171",
            tag: "fe93b01636f7bb0458041f213e98de65",
            plaintext: "17449e236ef5858f6d891412495ead4607bfae2a2d735182a2a0242f9d52fc5345ef912dbe16f3bb4576fe3b"
                + "cafe336dee6085"),
        Vector(
            key: "90f2e71ccb1148979cb742efc8f921de95457d898c84ce28edeed701650d3a26",
            nonce: "aba58ad60047ba553f6e4c98",
            ciphertext: "3fc77a5fe9203d091c7916587c9763cf2e4d0d53ca20b078b851716f1dab4873fe342b7b301402f015d00263"
                + "bf3f77c58a99d6",
            associated: "2abe465df6e5be47f05b92c9a93d76ae3611fac5",
            tag: "9cb3d04637048bc0bddef803ffbb56cf",
            plaintext: "1d21639640e11638a2769e3fab78778f84be3f4a8ce28dfd99cb2e75171e05ea8e94e30aa78b54bb402b39d6"
                + "13616a8ed951dc"),
        Vector(
            key: "5f72046245d3f4a0877e50a86554bfd57d1c5e073d1ed3b5451f6d0fc2a8507a",
            nonce: "ea6f5b391e44b751b26bce6f",
            ciphertext: "0e6e0b2114c40769c15958d965a14dcf50b680e0185a4409d77d894ca15b1e698dd83b3536b18c05d8cd0873"
                + "d1edce8150ecb5",
            associated: "9b3a68c941d42744673fb60fea49075eae77322e7e70e34502c115b6495ebfc796d6290807653c6b53cd8428"
                + "1bd0311656d0013f44619d2748177e99e8f8347c989a7b59f9d8dcf00f31db0684a4a83e037e8777bae55f79"
                + "9b0d",
            tag: "fdaaff86ceb937502cd9012d03585800",
            plaintext: "b0a881b751cc1eb0c912a4cf9bd971983707dbd2411725664503455c55db25cdb19bc669c2654a3a8011de6b"
                + "f7eff3f9f07834"),
        Vector(
            key: "8b37c4b8cf634704920059866ad96c49e9da502c63fca4a3a7a4dcec74cb0610",
            nonce: "cb59344d2b06c4ae57cd0ea4",
            ciphertext: "66ab935c93555e786b775637a3",
            associated: "",
            tag: "d8733acbb564d8afaa99d7ca2e2f92a9",
            plaintext: nil),
        Vector(
            key: "a71dac1377a3bf5d7fb1b5e36bee70d2e01de2a84a1c1009ba7448f7f26131dc",
            nonce: "c5b60dda3f333b1146e9da7c",
            ciphertext: "43af49ec1ae3738a20755034d6",
            associated: "",
            tag: "6f80b6ef2d8830a55eb63680a8dff9e0",
            plaintext: "5b87141335f2becac1a559e05f"),
        Vector(
            key: "dc1f64681014be221b00793bbcf5a5bc675b968eb7a3a3d5aa5978ef4fa45ecc",
            nonce: "056ae9a1a69e38af603924fe",
            ciphertext: "33013a48d9ea0df2911d583271",
            associated: "",
            tag: "5b8f9cc22303e979cd1524187e9f70fe",
            plaintext: "2a7e05612191c8bce2f529dca9"),
    ]
}
