import Testing

/// One case of Project Wycheproof: a set of keys, a token, and whether it counts.
struct SignedCase: Sendable, CustomTestStringConvertible {
    let name: String
    let keys: String
    let token: String
    /// Whether the token counts.
    var isGood = false

    var testDescription: String { name }

    private static let secret = """
        {"keys":[{"alg":"HS256","use":"sig","k":"-ebuDNsVZ2iJtoZ-akfXTSCt4UO2cruLCsbWlBinggE","kid":"kid\
        -aes-sign","kty":"oct"}]}
        """
    private static let point = """
        {"keys":[{"alg":"ES256","use":"sig","x":"04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY","y":"UI8ex\
        y-C06a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw","crv":"P-256","kid":"kid-ec-sign","kty":"EC"}]}
        """
    private static let secretOfZeros = """
        {"keys":[{"kty":"oct","kid":"hs256-key","use":"sig","alg":"HS256","k":"AAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAA"}]}
        """

    /// Cases of `json_web_signature_test.json` for `HS256` and `ES256`, and of `json_web_key_test.json` for keys that must
    /// not be used.
    static let published = [
        SignedCase(
            name: "hs256 acceptsValid", keys: secret,
            token: """
                eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC1hZXMtc2lnbiJ9.Zm9v.TD37p4c_0jmreSrBSDmE0F3mYSPtkZ3WrSyI5w\
                b_KTg
                """,
            isGood: true),
        SignedCase(
            name: "hs256 rejectsModifiedSignature", keys: secret,
            token: """
                eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC1hZXMtc2lnbiJ9.Zm9v.XD37p4c_0jmreSrBSDmE0F3mYSPtkZ3WrSyI5w\
                b_KTg
                """),
        SignedCase(
            name: "hs256 rejectsMissingSignature", keys: secret,
            token: "eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC1hZXMtc2lnbiJ9.Zm9v."),
        SignedCase(
            name: "hs256 rejectsMissingSignatureAndSeparator", keys: secret,
            token: "eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC1hZXMtc2lnbiJ9.Zm9v"),
        SignedCase(
            name: "hs256 rejectsModifiedPayload", keys: secret,
            token: """
                eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC1hZXMtc2lnbiJ9.WG9v.TD37p4c_0jmreSrBSDmE0F3mYSPtkZ3WrSyI5w\
                b_KTg
                """),
        SignedCase(
            name: "hs256 rejectsMissingPayload", keys: secret,
            token: """
                eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC1hZXMtc2lnbiJ9..TD37p4c_0jmreSrBSDmE0F3mYSPtkZ3WrSyI5wb_KT\
                g
                """),
        SignedCase(
            name: "hs256 rejectsMissingPayloadAndSeparator", keys: secret,
            token: """
                eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC1hZXMtc2lnbiJ9.TD37p4c_0jmreSrBSDmE0F3mYSPtkZ3WrSyI5wb_KTg
                """),
        SignedCase(
            name: "hs256 rejectsModifiedHeader", keys: secret,
            token: """
                eyJhbGciOiJIUzI1NiIsImtpZCI6IlhpZC1hZXMtc2lnbiJ9.Zm9v.TD37p4c_0jmreSrBSDmE0F3mYSPtkZ3WrSyI5w\
                b_KTg
                """),
        SignedCase(
            name: "hs256 rejectsMissingHeader", keys: secret,
            token: ".Zm9v.TD37p4c_0jmreSrBSDmE0F3mYSPtkZ3WrSyI5wb_KTg"),
        SignedCase(
            name: "hs256 rejectsMissingHeaderAndSeparator", keys: secret,
            token: "Zm9v.TD37p4c_0jmreSrBSDmE0F3mYSPtkZ3WrSyI5wb_KTg"),
        SignedCase(
            name: "hs256 rejectsExtraEmptyComponent", keys: secret,
            token: """
                eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC1hZXMtc2lnbiJ9.Zm9v.TD37p4c_0jmreSrBSDmE0F3mYSPtkZ3WrSyI5w\
                b_KTg.
                """),
        SignedCase(
            name: "hs256 rejectsExtraComponent", keys: secret,
            token: """
                eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC1hZXMtc2lnbiJ9.Zm9v.TD37p4c_0jmreSrBSDmE0F3mYSPtkZ3WrSyI5w\
                b_KTg.foo
                """),
        SignedCase(
            name: "hs256 rejectsNoneAlgorithmAndMissingSignature", keys: secret,
            token: "eyJhbGciOiJub25lIiwia2lkIjoia2lkLWFlcy1zaWduIn0.Zm9v."),
        SignedCase(
            name: "es256 acceptsValid", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v.5cA0OHyMP7ezamUd5c9kV-FrGxdx4hbGXOdplQk\
                utrqWrte5P-pAvsE3Ve6xSyU3YDQwUHjVVOtvcrEbbnZ8yA
                """,
            isGood: true),
        SignedCase(
            name: "es256 rejectsModifiedSignature", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v.XcA0OHyMP7ezamUd5c9kV-FrGxdx4hbGXOdplQk\
                utrqWrte5P-pAvsE3Ve6xSyU3YDQwUHjVVOtvcrEbbnZ8yA
                """),
        SignedCase(
            name: "es256 rejectsMissingSignature", keys: point,
            token: "eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v."),
        SignedCase(
            name: "es256 rejectsModifiedPayload", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.WG9v.5cA0OHyMP7ezamUd5c9kV-FrGxdx4hbGXOdplQk\
                utrqWrte5P-pAvsE3Ve6xSyU3YDQwUHjVVOtvcrEbbnZ8yA
                """),
        SignedCase(
            name: "es256 rejectsMissingPayload", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0..5cA0OHyMP7ezamUd5c9kV-FrGxdx4hbGXOdplQkutrq\
                Wrte5P-pAvsE3Ve6xSyU3YDQwUHjVVOtvcrEbbnZ8yA
                """),
        SignedCase(
            name: "es256 rejectsMissingHeader", keys: point,
            token: """
                .Zm9v.5cA0OHyMP7ezamUd5c9kV-FrGxdx4hbGXOdplQkutrqWrte5P-pAvsE3Ve6xSyU3YDQwUHjVVOtvcrEbbnZ8yA
                """),
        SignedCase(
            name: "es256 rejectsSymmetryConfusionAttacks_aesKeyFromEcVerificationKeyBytes", keys: point,
            token: """
                eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v.TgWtz2FIRukBQ_mA5sgHa0Ybtgn7bl-YBPAi7Z0\
                XdHU
                """),
        SignedCase(
            name: "es256 rejectsAttackerProvidedEmbeddedJwk", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIiwiandrIjp7Imt0eSI6IkVDIiwia2lkIjoia2lkLWVjLXNp\
                Z24iLCJ1c2UiOiJzaWciLCJhbGciOiJFUzI1NiIsIngiOiJNZG5UWkRJaERKYmZBU2RGcWFtY3BPMkNoOUdOS0sybTBN\
                UWxoNDAyU3BvIiwieSI6Ijdhdko0bHFfV3l4LW5MUERCUTJZcHl0dUh5TWlvMDdCVXl2bDNqYUMtMVkiLCJjcnYiOiJQ\
                LTI1NiJ9fQ.Zm9v.4jmsollQD8ZxvySzXYnIEYA4fwaZi2ZbC0aI1J4LYmW2Bn31NhKdjms2N6o51Dff5-InWXQF9m45\
                VtTexl6yjg
                """),
        SignedCase(
            name: "base64 ValidEdgeCaseMac", keys: secretOfZeros,
            token: """
                eyJraWQiOiJoczI1Ni1rZXkiLCJhbGciOiJIUzI1NiJ9.VDIxMzI1NjY4.AAAAtBuQqoI9HuBeAsgjL4nx8sCGYJa5-G\
                2OrureLO4
                """,
            isGood: true),
        SignedCase(
            name: "base64 ValidEdgeCaseMac", keys: secretOfZeros,
            token: """
                eyJraWQiOiJoczI1Ni1rZXkiLCJhbGciOiJIUzI1NiJ9.VDgxMjM0MTM.____ETVRY0lRV9XgQeYX6ixdGT0NLHYb-wZ\
                em_ifJ5k
                """,
            isGood: true),
        SignedCase(
            name: "base64 rejectsSpacesInMac", keys: secretOfZeros,
            token: """
                eyJraWQiOiJoczI1Ni1rZXkiLCJhbGciOiJIUzI1NiJ9.VGVzdA.    c1LROH7eNQwUT8KMVEO52VC3WZ9e_AnDWbZ7\
                aMmowV8
                """),
        SignedCase(
            name: "base64 rejectsInvalidCharacters", keys: secretOfZeros,
            token: """
                eyJraWQiOiJoczI1Ni1rZXkiLCJhbGciOiJIUzI1NiJ9.VDgxMjM0MTM.????ETVRY0lRV9XgQeYX6ixdGT0NLHYb-wZ\
                em_ifJ5k
                """),
        SignedCase(
            name: "base64 spacesInHeader", keys: secretOfZeros,
            token: """
                eyJraWQiOiJoczI1Ni1rZXkiLCJhbGciOiJIUzI1NiJ9    .VGVzdA.DR-cdw2cCB53b3mpzMfk2gKTeyN0PhXBrTW1\
                atMfSdM
                """),
        SignedCase(
            name: "base64 invalidCharactersInHeader", keys: secretOfZeros,
            token: """
                eyJraWQiOiJoczI1Ni1rZXkiLCJhbGciOiJIUzI1NiJ9####.VGVzdA.23srvDiEYo7665_26qKv4D-0E2a149WRWH_a\
                v2ki2I4
                """),
        SignedCase(
            name: "base64 spacesInPayload", keys: secretOfZeros,
            token: """
                eyJraWQiOiJoczI1Ni1rZXkiLCJhbGciOiJIUzI1NiJ9.    VGVzdA.AbPJgmXfihyNBUYpbdPK8qRpPjNuTE-Z_wYQ\
                yrU2lMQ
                """),
        SignedCase(
            name: "base64 invalidCharactersInPayload", keys: secretOfZeros,
            token: """
                eyJraWQiOiJoczI1Ni1rZXkiLCJhbGciOiJIUzI1NiJ9.####VGVzdA.Ixs2CdBkk8qjqe2-hq2dobqVvv9iDcDS6gPN\
                goXJyFY
                """),
        SignedCase(
            name: "base64 ModifiedUnusedBitsInPayload", keys: secretOfZeros,
            token: """
                eyJraWQiOiJoczI1Ni1rZXkiLCJhbGciOiJIUzI1NiJ9.AB.8sL_ycV8G_D-K_2A3I0EW3NoPMeQzv13cAzuHlQ5TAE
                """),
        SignedCase(
            name: "base64 MacOfIncorrectlyEncodedMessage", keys: secretOfZeros,
            token: """
                eyJraWQiOiJoczI1Ni1rZXkiLCJhbGciOiJIUzI1NiJ9.AB.9phoKDvkBMAqTgeVIYeqAi6-lvC0pbKg9ER--3T97w0
                """),
        SignedCase(
            name: "base64 ValidSpacesInJsonHeader", keys: secretOfZeros,
            token: """
                eyAia2lkIiA6ICJoczI1Ni1rZXkiLCAiYWxnIiA6ICJIUzI1NiIgfQ.VGVzdA.3nl1C7dKVGLfNyALp4ZKkmNFBJlFP8\
                M9VGzCyil9S1c
                """,
            isGood: true),
        SignedCase(
            name: "base64 ValidWhiteSpaceInJsonHeader", keys: secretOfZeros,
            token: """
                eyJraWQiOiJoczI1Ni1rZXkiLAoJImFsZyI6IkhTMjU2In0.VGVzdA.Yxn8cTl7IHpFIoEPOFrWmjm-GQlr_RMqHNJOp\
                1ZuweY
                """,
            isGood: true),
        SignedCase(
            name: "es256 valid", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v.5cA0OHyMP7ezamUd5c9kV-FrGxdx4hbGXOdplQk\
                utrppUShFwBW_Qj7IqhFOtNrIXLLKXS5CSZmERxmnjeyoiQ
                """,
            isGood: true),
        SignedCase(
            name: "es256 SignatureTooLong", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v.AOXANDh8jD-3s2plHeXPZFfhaxsXceIWxlznaZU\
                JLra6AJau17k_6kC-wTdV7rFLJTdgNDBQeNVU629ysRtudnzI
                """),
        SignedCase(
            name: "es256 TrailingZeros", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v.5cA0OHyMP7ezamUd5c9kV-FrGxdx4hbGXOdplQk\
                utroAlq7XuT_qQL7BN1XusUslN2A0MFB41VTrb3KxG252fMgA
                """),
        SignedCase(
            name: "es256 RisTooBig", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v.AeXANDd8jD-4s2plHeXPZFeeUhXFGPm1S1ChNFg\
                FkdwLAJau17k_6kC-wTdV7rFLJTdgNDBQeNVU629ysRtudnzI
                """),
        SignedCase(
            name: "es256 BufferOverflow", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA5cA0OHyMP7ezamU\
                d5c9kV-FrGxdx4hbGXOdplQkutroAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACWrte5P-pAvsE3Ve6xSyU3YDQwUHjVVOtvcrEbbnZ\
                8yA
                """),
        SignedCase(
            name: "es256 rIsZero_sIsZero", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                """),
        SignedCase(
            name: "es256 rIsZero_sIsOne", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ
                """),
        SignedCase(
            name: "es256 rIsZero_sIsNminus1", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAD_____AAAAAP__________vOb6racXnoTzucrC_GMlUA
                """),
        SignedCase(
            name: "es256 rIsOne_sIsOne", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ
                """),
        SignedCase(
            name: "es256 rIsOne_sIsN", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                AAAH_____AAAAAP__________vOb6racXnoTzucrC_GMlUQ
                """),
        SignedCase(
            name: "es256 rIsNminus1_sIsZero", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v._____wAAAAD__________7zm-q2nF56E87nKwvx\
                jJVAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                """),
        SignedCase(
            name: "es256 rIsN_sIsN", keys: point,
            token: """
                eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v._____wAAAAD__________7zm-q2nF56E87nKwvx\
                jJVH_____AAAAAP__________vOb6racXnoTzucrC_GMlUQ
                """),
    ]
}
