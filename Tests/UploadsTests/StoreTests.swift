import Foundation
import Stores
import Testing
import Uploads

extension Uploading {
    @Suite struct StoreTests {
        private static let keys = ["PENSTOCK_STORE_MY_ARCHIVE_ACCESS_KEY": "AKIA", "PENSTOCK_STORE_MY_ARCHIVE_SECRET_KEY": "hush"]
        private static let whole = keys.merging([
            "PENSTOCK_STORE_MY_ARCHIVE_ENDPOINT": "https://s3.example.com:8443", "PENSTOCK_STORE_MY_ARCHIVE_BUCKET": "shows", "PATH": "/bin",
        ]) { $1 }

        private func stores(in environment: [String: String]) throws -> [Store] {
            try StoreEnvironment.fields(in: environment).map { try Store(name: $0.name, fields: $0.fields) }
        }

        @Test func storesAreReadFromVariables() throws {
            var environment = Self.whole
            environment["PENSTOCK_STORE_MY_ARCHIVE_PREFIX"] = "2026/"
            environment["PENSTOCK_STORE_MY_ARCHIVE_SESSION_TOKEN"] = "token"
            environment["PENSTOCK_STORE_AWS_REGION"] = "eu-central-1"
            environment["PENSTOCK_STORE_AWS_BUCKET"] = "other"
            environment["PENSTOCK_STORE_AWS_CREDENTIALS_FILE"] = "/run/keys"
            let stores = try stores(in: environment)
            #expect(stores.map(\.name) == ["aws", "my-archive"])
            #expect(stores[0].authority == "other.s3.eu-central-1.amazonaws.com")
            #expect(stores[0].credentials == .file("/run/keys"))
            #expect(stores[1].authority == "s3.example.com:8443")
            #expect(stores[1].path(try stores[1].key("a b.ts")) == "/shows/2026/a%20b.ts")
            #expect(stores[1].region == "us-east-1")
            #expect(stores[1].credentials == .fixed(Credentials(accessKey: "AKIA", secretKey: Secret("hush"), sessionToken: Secret("token"))))
            #expect(!String(reflecting: stores[1]).contains("hush"))
        }

        @Test(arguments: [
            ("BUCKET", ""), ("BUCKET", "Up"), ("BUCKET", "a..b"), ("BUCKET", "-ab"), ("ENDPOINT", "s3.example.com"), ("ENDPOINT", "ftp://a"),
            ("ENDPOINT", "https://key:hush@a"), ("ENDPOINT", "https://a/?b"), ("ENDPOINT", "https://"), ("ENDPOINT", "https://a:"), ("ENDPOINT", "https://a:0"), ("ENDPOINT", "https://a:65536"),
            ("ENDPOINT", "https://[::1"), ("ENDPOINT", "https://[a]"), ("ENDPOINT", "https://a b"), ("ENDPOINT", "https://a/ b"), ("ENDPOINT", "https://a/#b"), ("REGION", "eu central"), ("ACCESS_KEY", "a b"), ("ACCESS_KEY", ""), ("SECRET_KEY", ""),
            ("PREFIX", "/a"), ("PREFIX", "a/../b"), ("PATH_STYLE", "maybe"), ("CREDENTIALS_FILE", "/x"), ("CREDENTIALS_FILE", "x"), ("BUKET", "a"), ("SESSION", "a"),
        ])
        func badValueIsRefusedByItsName(field: String, value: String) {
            var environment = Self.whole
            environment["PENSTOCK_STORE_MY_ARCHIVE_" + field] = value
            let flaw = #expect(throws: StoreEnvironment.Flaw.self) { try stores(in: environment) }
            let blamed = field == "CREDENTIALS_FILE" ? "ACCESS_KEY" : field
            #expect(flaw?.variable == "PENSTOCK_STORE_MY_ARCHIVE_" + blamed, "\(flaw!)")
            #expect(!"\(flaw!)".contains("hush"))
        }

        @Test(arguments: [
            ("http://A.Example.com", "a.example.com", "/shows/k"), ("https://a:443/", "a", "/shows/k"), ("http://a:443/base/", "a:443", "/base/shows/k"),
            ("HTTP://[::1]:9000", "[::1]:9000", "/shows/k"), ("https://[fe80::1]", "[fe80::1]", "/shows/k"),
        ])
        func endpointIsReadAsAURL(text: String, authority: String, path: String) throws {
            let store = try #require(try stores(in: Self.whole.merging(["PENSTOCK_STORE_MY_ARCHIVE_ENDPOINT": text]) { $1 }).first)
            #expect(store.authority == authority)
            #expect(store.path(try store.key("k")) == path)
        }

        @Test func variableWithoutANameOrWithSmallLettersIsRefused() {
            for variable in ["PENSTOCK_STORE_BUCKET", "PENSTOCK_STORE__BUCKET", "PENSTOCK_STORE_a_BUCKET", "PENSTOCK_STORE_"] {
                let flaw = #expect(throws: StoreEnvironment.Flaw.self) { try stores(in: [variable: "x"]) }
                #expect(flaw?.variable == variable)
            }
        }

        @Test(arguments: ["", "/a", "a/", "..", "a/../b", "../a", "a/./b", "a\nb", "a\u{0}", String(repeating: "x", count: 1_020)])
        func keyThatWouldNotStayIsRefused(key: String) throws {
            let store = try #require(try stores(in: Self.whole.merging(["PENSTOCK_STORE_MY_ARCHIVE_PREFIX": "shows/"]) { $1 }).first)
            #expect(throws: UploadError.self) { try store.key(key) }
        }

        @Test func emptyNamesAndDotsWithinNamesAreKept() throws {
            let store = try #require(try stores(in: Self.whole).first)
            #expect(store.path(try store.key("a//b..c/.d/+ %")) == "/shows/a//b..c/.d/%2B%20%25")
        }

        @Test func partsHoldFiveTebibytes() {
            let sizes = (1...PartSizes.mostParts).map { PartSizes.usual.size(ofPart: $0) }
            #expect(sizes.reduce(0, +) >= 5 << 40)
            #expect(sizes[0] == 8 << 20)
            #expect(sizes.allSatisfy { $0 <= 5 << 30 })
            #expect(zip(sizes, sizes.dropFirst()).allSatisfy { $0 <= $1 })
            for total in [1, 80 << 30, (80 << 30) + 1, 5 << 40] {
                let size = PartSizes.usual.size(ofEachOf: total)
                #expect((total + size - 1) / size <= PartSizes.mostParts)
                #expect(size >= 8 << 20)
            }
        }

        @Test(arguments: [
            ("storage_class", "A B"), ("content_type", "é"), ("cache_control", " "), ("metadata a", "x\r\nHost: y"), ("metadata a b", "x"),
            ("metadata a", String(repeating: "x", count: 2_048)),
        ])
        func fieldThatNoHeaderCarriesIsRefusedByItsName(field: String, value: String) {
            let name = field.replacingOccurrences(of: "metadata ", with: "")
            let error = uploadError {
                switch field {
                case "storage_class": _ = try ObjectFields(storageClass: value)
                case "content_type": _ = try ObjectFields(contentType: value)
                case "cache_control": _ = try ObjectFields(cacheControl: value)
                default: _ = try ObjectFields(metadata: [(name, value)])
                }
            }
            #expect(error?.kind == .invalid)
            #expect(error?.doing.hasPrefix(field.hasPrefix("metadata") ? "metadata" : field) == true, "\(error!)")
        }

        // MARK: - Credentials files

        private func read(_ text: String, profile: String = "default") throws -> Credentials {
            let folder = try TemporaryFolder()
            try text.write(toFile: folder / "f", atomically: true, encoding: .utf8)
            return try CredentialsFile(folder / "f", profile: profile).credentials()
        }

        @Test func credentialsFileIsReadAsAWSWritesIt() throws {
            let text = "# c\r\n[other]\naws_access_key_id = O\naws_secret_access_key = o\n\n[default]\naws_access_key_id = A\naws_secret_access_key=s/+=x\nAWS_SESSION_TOKEN = t==\n; d\nregion = x\n"
            #expect(try read(text) == Credentials(accessKey: "A", secretKey: Secret("s/+=x"), sessionToken: Secret("t==")))
            #expect(try read(text, profile: "other") == Credentials(accessKey: "O", secretKey: Secret("o")))
        }

        @Test(arguments: [
            ("", "[default]"), ("[other]\naws_access_key_id=a\n", "[default]"), ("[default]\naws_access_key_id=a\n", "aws_secret_access_key"),
            ("[default]\naws_secret_access_key=hush\n", "aws_access_key_id"), ("[default]\naws_access_key_id=a b\naws_secret_access_key=hush\n", "aws_access_key_id"),
        ])
        func credentialsFileThatLacksSomethingSaysWhat(text: String, named: String) {
            let error = uploadError { _ = try read(text) }
            #expect(error?.reason.contains(named) == true)
            #expect(error?.description.contains("hush") == false)
        }

        @Test func keysStayWhileAFileIsBeingWritten() throws {
            let folder = try TemporaryFolder(), path = folder / "f"
            let file = CredentialsFile(path)
            #expect(throws: UploadError.self) { try file.credentials() }
            try "[default]\naws_access_key_id=A\naws_secret_access_key=one\n".write(toFile: path, atomically: false, encoding: .utf8)
            #expect(try file.credentials().secretKey == Secret("one"))
            try "[default]\naws_access_key_id=B\n".write(toFile: path, atomically: false, encoding: .utf8)
            #expect(try file.credentials().secretKey == Secret("one"))
            try "[default]\naws_access_key_id=B\naws_secret_access_key=two\n".write(toFile: path, atomically: false, encoding: .utf8)
            #expect(try file.credentials() == Credentials(accessKey: "B", secretKey: Secret("two")))
            try FileManager.default.removeItem(atPath: path)
            #expect(try file.credentials().accessKey == "B")
        }

        @Test func secretIsShownByNothing() {
            let secret = Secret("hush-hush")
            var dumped = ""
            dump(secret, to: &dumped)
            #expect(!"\(secret) \(String(reflecting: secret)) \(dumped) \([secret]) \(Optional(secret) as Any)".contains("hush"))
        }
    }
}
