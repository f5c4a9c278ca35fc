import Foundation
import Stores
import Testing
import Uploads

extension Uploading {
    /// Held against botocore's: Tests/Tools/signature-vectors.py made the vectors.
    @Suite struct SignatureTests {
        struct Vector: Decodable {
            struct Place: Decodable {
                let endpoint, bucket, region, access_key, secret_key: String
                let path_style: Bool
                let session_token: String?
            }

            let date, key, authority, path: String
            let store: Place
            let method, query, payload_hash, authorization, presigned: String?
            let headers: [[String]]?
            let expires: Int?
        }

        private static let vectors = Result {
            try JSONDecoder().decode([Vector].self, from: Data(contentsOf: URL(fileURLWithPath: Repository.root + "/Tests/UploadsTests/Vectors/signatures.json")))
        }

        private func store(_ place: Vector.Place) throws -> (Store, Credentials) {
            let credentials = Credentials(accessKey: place.access_key, secretKey: Secret(place.secret_key), sessionToken: place.session_token.map(Secret.init))
            let store = try Store(
                name: "a", endpoint: place.endpoint, bucket: place.bucket, region: place.region, credentials: .fixed(credentials), pathStyle: place.path_style)
            return (store, credentials)
        }

        private func pairs(_ query: String) -> [(name: String, value: String)] {
            query.split(separator: "&").map { pair in
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0).removingPercentEncoding! }
                return (parts[0], parts.count > 1 ? parts[1] : "")
            }
        }

        @Test func placesAndSignaturesAreThoseOfBotocore() throws {
            let vectors = try Self.vectors.get()
            #expect(vectors.count == 200)
            for vector in vectors {
                let (store, credentials) = try store(vector.store)
                #expect(store.authority == vector.authority)
                let path = store.path(try store.key(vector.key))
                #expect(path == vector.path)
                let signature = SignatureV4(credentials: credentials, region: vector.store.region, moment: vector.date)
                if let presigned = vector.presigned {
                    let subject = SignatureV4.Subject(method: "GET", host: vector.authority, path: path)
                    let query = signature.presignedQuery(for: subject, seconds: vector.expires!)
                    #expect(query.split(separator: "&").sorted() == presigned.split(separator: "&").sorted(), "\(vector.key)")
                } else {
                    let subject = SignatureV4.Subject(
                        method: vector.method!, host: vector.authority, path: path, query: pairs(vector.query!), headers: vector.headers!.map { ($0[0], $0[1]) })
                    let headers = signature.headers(for: subject, payloadHash: vector.payload_hash!)
                    #expect(headers.first { $0.name == "Authorization" }?.value == vector.authorization, "\(vector.key)")
                    #expect(headers.first { $0.name == "x-amz-security-token" }?.value == vector.store.session_token)
                }
            }
        }

        /// The example of AWS's documentation, "GET Object".
        @Test func exampleOfTheDocumentation() {
            let credentials = Credentials(accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))
            let signature = SignatureV4(credentials: credentials, region: "us-east-1", moment: "20130524T000000Z")
            let subject = SignatureV4.Subject(method: "GET", host: "examplebucket.s3.amazonaws.com", path: "/test.txt", headers: [("Range", "bytes=0-9")])
            let headers = signature.headers(for: subject, payloadHash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
            #expect(headers.last?.value.hasSuffix("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41") == true)
        }

        @Test(arguments: [("Fri, 24 May 2013 00:00:00 GMT", "20130524T000000Z"), ("Thu, 29 Feb 2024 23:59:59 GMT", "20240229T235959Z"), ("Thu, 01 Jan 1970 00:00:00 GMT", "19700101T000000Z")])
        func datesAreWrittenAndRead(http: String, basic: String) throws {
            #expect(HTTPDate.basic(try #require(HTTPDate.seconds(of: http))) == basic)
        }

        @Test(arguments: ["", "now", "Fri, 24 May 2013 00:00:00", "Fri, 99 May 2013 00:00:00 GMT", "Fri, 24 Mai 2013 00:00:00 GMT", "24 May 2013 00:00:00 GMT"])
        func whatIsNoDateIsNone(text: String) { #expect(HTTPDate.seconds(of: text) == nil) }
    }
}
