import Foundation
import Testing
import TimeKit

@testable import Connections

@Suite struct SignatureTests {
    /// 2015-08-30 12:36:00 UTC, the moment of the published suite.
    private let moment = Timestamp(seconds: 1_440_938_160)
    private let signature = AWSSignature(
        accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", region: "us-east-1",
        service: "service")

    @Test("get-vanilla of the published suite is signed as there")
    func getVanilla() {
        let made = signature.authorization(
            method: "GET", path: "/", query: "",
            headers: [("host", "example.amazonaws.com"), ("x-amz-date", AWSSignature.date(moment))], body: [],
            at: moment)
        #expect(AWSSignature.date(moment) == "20150830T123600Z")
        #expect(
            made == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                + "SignedHeaders=host;x-amz-date, "
                + "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
    }

    @Test("post-x-www-form-urlencoded of the published suite is signed as there")
    func postForm() {
        let made = signature.authorization(
            method: "POST", path: "/", query: "",
            headers: [
                ("x-amz-date", AWSSignature.date(moment)), ("host", "example.amazonaws.com"),
                ("content-type", "application/x-www-form-urlencoded"),
            ], body: Array("Param1=value1".utf8), at: moment)
        #expect(made.hasSuffix("Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"))
        #expect(made.contains("SignedHeaders=content-type;host;x-amz-date, "))
    }
}
