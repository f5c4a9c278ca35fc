import Foundation
import Stores
import Testing
import ToolSessions
import Uploads

extension Uploading {
    /// Against moto with its check of signatures and policies on.
    @Suite(.serialized, .enabled(if: S3Session.isInstalled, Comment(rawValue: S3Session.missing)))
    struct S3UploadTests {
        private static let session = Result { try S3Session() }
        private let session: S3Session
        private let client: S3Client
        private static let options: S3Upload.Options = {
            var options = S3Upload.Options()
            options.retry = .quick
            options.partSizes = PartSizes(first: 256 * 1_024)
            return options
        }()

        init() throws {
            session = try Self.session.get()
            client = try session.client()
            try session.trouble(seed: 0, rate: 0, "none")
        }

        private func upload(_ key: ObjectKey, _ bytes: [UInt8], _ fields: ObjectFields = .none, options: S3Upload.Options = options) throws {
            let upload = S3Upload(client, key, fields, options: options)
            try upload.write(bytes)
            try upload.finish()
        }

        @Test(arguments: [0, 1, 256 * 1_024, 256 * 1_024 + 1, 512 * 1_024, 3_000_000])
        func objectHasWhatWasWritten(size: Int) throws {
            let bytes = noise(size, seed: UInt64(size)), name = String.unique()
            let before = try #require(try session.counts()["requests"])
            let key = try client.store.key(name)
            try upload(key, bytes)
            let found = try session.object(name)
            #expect(found.size == size)
            #expect(found.sha256 == sha256(bytes))
            // One request for what fits into one part: else a beginning, the parts, an end and a look.
            let parts = (size + 256 * 1_024 - 1) / (256 * 1_024)
            #expect(try #require(try session.counts()["requests"]) - before == (parts <= 1 ? 1 : parts + 3))
            #expect(try session.uploads(key) == .none)
        }

        @Test(arguments: [1_000, 1_000_000])
        func fieldsAreKept(size: Int) throws {
            let fields = try ObjectFields(
                contentType: "video/mp4", cacheControl: "max-age=60, public", metadata: [("Title", "two  words"), ("n", "1")], storageClass: "STANDARD_IA")
            let name = String.unique()
            try upload(try client.store.key(name), noise(size), fields)
            let found = try session.object(name)
            #expect(found.ContentType == "video/mp4")
            #expect(found.CacheControl == "max-age=60, public")
            #expect(found.StorageClass == "STANDARD_IA")
            #expect(found.Metadata?["n"] == "1")
        }

        @Test(arguments: ["a b", "a+b", "a%20b", "é/日本", "e\u{301}", "q?x=1&y#z", "semi;colon", "a'(b)*!~", "a=b", "back\\slash"])
        func keyIsEncodedRightly(name: String) throws {
            let name = String.unique() + "/" + name
            for size in [10, 600_000] {
                try upload(try client.store.key(name), noise(size))
                #expect(try session.object(name).sha256 == sha256(noise(size)), "\(name)")
            }
        }

        @Test(arguments: [100, 2_000_000])
        func finishedFileIsSent(size: Int) throws {
            let folder = try TemporaryFolder(), name = String.unique()
            try Data(noise(size)).write(to: URL(fileURLWithPath: folder / "spool"))
            let upload = FileUpload(
                try SpoolFile(reading: folder / "spool"), to: .object(client, try client.store.key(name), .none), retry: .quick, partSizes: Self.options.partSizes)
            try upload.send()
            #expect(try session.object(name).sha256 == sha256(noise(size)))
        }

        @Test func largePartsGoThroughAFile() throws {
            let folder = try TemporaryFolder(), name = String.unique()
            var options = Self.options
            options.spoolFolder = folder.path
            options.partSizes = PartSizes(first: 33 * 1_024 * 1_024)
            let bytes = noise(40_000_000)
            try upload(try client.store.key(name), bytes, options: options)
            #expect(try session.object(name).sha256 == sha256(bytes))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        }

        @Test(arguments: [Duration.zero, .seconds(604_801), .seconds(-1)])
        func presignedURLIsValidForASecondToAWeek(duration: Duration) throws {
            let error = uploadError { _ = try client.presignedURL(try client.store.key("a"), validFor: duration) }
            #expect(error?.kind == .invalid)
            #expect(error?.reason.contains("604800") == true)
        }

        @Test func objectsAreDeletedAndThoseThatAreNotThereAsWell() throws {
            let names = (0..<6).map { "\(String.unique())/\($0).ts" }
            for name in names { try upload(try client.store.key(name), [1]) }
            let deletion = S3Delete(client, retry: .quick)
            for name in names + ["never-there"] { deletion.delete(try client.store.key(name)) }
            let (failed, failures) = deletion.finish()
            #expect(failed == 0, "\(failures)")
            #expect(try names.allSatisfy { try session.object($0).missing != nil })
        }

        // MARK: - Refusals

        @Test func wrongKeysAreRefusedAndNotShown() throws {
            let store = try session.store(credentials: .fixed(Credentials(accessKey: session.accessKey, secretKey: Secret("wrongwrongwrong"))))
            for size in [10, 600_000] {
                let upload = S3Upload(S3Client(client.http, store), try store.key("refused"), options: Self.options)
                let error = try #require(uploadError {
                    try upload.write(noise(size))
                    try upload.finish()
                })
                #expect(error.status == 403, "\(error)")
                #expect(error.code == "SignatureDoesNotMatch")
                #expect(error.attempts == 1)
                #expect(!"\(error) \(String(reflecting: error)) \(store)".contains("wrongwrong"))
            }
        }

        @Test func bucketThatIsMissingIsSaid() throws {
            let store = try session.store(bucket: "no-such-bucket")
            let upload = S3Upload(S3Client(client.http, store), try store.key("a/b.ts"), options: Self.options)
            try upload.write([1])
            let error = try #require(uploadError { try upload.finish() })
            #expect(error.status == 404)
            #expect(error.code == "NoSuchBucket")
            #expect(error.description.contains("s3://archive/a/b.ts"))
        }

        @Test func keysOfAFileAreReadAgain() throws {
            let folder = try TemporaryFolder()
            let path = folder / "credentials"
            try "[default]\naws_access_key_id=\(session.accessKey)\naws_secret_access_key=old\n".write(toFile: path, atomically: true, encoding: .utf8)
            let store = try session.store(credentials: .file(path))
            let client = S3Client(client.http, store), name = String.unique()
            let first = S3Upload(client, try store.key(name), options: Self.options)
            #expect(uploadError { try first.finish() }?.status == 403)
            try "[default]\naws_access_key_id=\(session.accessKey)\naws_secret_access_key=\(session.secretKey)\n".write(toFile: path, atomically: true, encoding: .utf8)
            let second = S3Upload(client, try store.key(name), options: Self.options)
            try second.write([1, 2])
            try second.finish()
            #expect(try session.object(name).size == 2)
        }

        // MARK: - Ends

        @Test(arguments: [10, 600_000])
        func finishedUploadStaysAsItIs(size: Int) throws {
            let name = String.unique()
            let upload = S3Upload(client, try client.store.key(name), options: Self.options)
            try upload.write(noise(size))
            try upload.finish()
            try upload.finish()
            upload.abort()
            #expect(uploadError { try upload.write([1]) }?.kind == .invalid)
            #expect(try session.object(name).sha256 == sha256(noise(size)))
        }

        @Test func abortedUploadLeavesNoParts() throws {
            let upload = S3Upload(client, try client.store.key(.unique()), options: Self.options)
            try upload.write(noise(2_000_000))
            upload.abort()
            #expect(upload.leftover == nil)
            #expect(try session.uploads(upload.key) == .none)
            #expect(uploadError { try upload.write([1]) }?.kind == .interrupted)
            #expect(uploadError { try upload.finish() }?.kind == .interrupted)
        }

        @Test func interruptedClientStillTakesPartsBack() throws {
            let upload = S3Upload(client, try client.store.key(.unique()), options: Self.options)
            try upload.write(noise(2_000_000))
            client.http.interrupt()
            #expect(uploadError { try upload.finish() }?.kind == .interrupted)
            #expect(upload.leftover == nil)
            #expect(try session.uploads(upload.key) == .none)
        }

        @Test func failedPartTakesTheOthersBack() throws {
            try session.always("500", "PUT", "partNumber=3", times: 1_000)
            var options = Self.options
            options.retry.retryTime = .milliseconds(200)
            let upload = S3Upload(client, try client.store.key(.unique()), options: options)
            let error = try #require(uploadError {
                try upload.write(noise(3_000_000))
                try upload.finish()
            })
            #expect(error.status == 500)
            #expect(error.code == "InternalError")
            #expect(error.doing.contains("part 3"))
            #expect(try session.uploads(upload.key) == .none)
        }

        @Test func errorBehindAStatusOfSuccessIsAnError() throws {
            let bytes = noise(1_000_000), name = String.unique()
            try session.always("badend", "POST", "uploadId", times: 2)
            try upload(try client.store.key(name), bytes)
            #expect(try session.object(name).sha256 == sha256(bytes))
            try session.always("badend", "POST", "uploadId", times: 1_000)
            var options = Self.options
            options.retry.retryTime = .milliseconds(200)
            let key = try client.store.key(.unique())
            let error = try #require(uploadError { try upload(key, bytes, options: options) })
            #expect(error.code == "InternalError")
            #expect(try session.uploads(key) == .none)
        }

        @Test(arguments: [("PUT", "partNumber=2"), ("POST", "uploadId="), ("POST", "uploads"), ("DELETE", "uploadId=")])
        func lostAnswerIsGotOver(method: String, query: String) throws {
            let bytes = noise(1_000_000), name = String.unique()
            try session.always("lost", method, query, times: 2)
            let upload = S3Upload(client, try client.store.key(name), options: Self.options)
            try upload.write(bytes)
            if method == "DELETE" { upload.abort() } else { try upload.finish() }
            #expect(try session.counts()["lost"] == 2)
            #expect(try session.object(name).sha256 == (method == "DELETE" ? nil : sha256(bytes)))
            #expect(upload.leftover == nil)
            #expect(try session.uploads(upload.key).parts == 0)
        }

        @Test func lostAnswerToTheEndIsNotTakenForAnObjectThatWasThereBefore() throws {
            // As many bytes as the one before, and not the same: the store must show that it is this one.
            let key = try client.store.key(.unique())
            try upload(key, noise(1_000_000, seed: 7))
            let parts = [S3Client.Part(number: 1, entityTag: "\"0123456789abcdef0123456789abcdef\"", digest: Array(repeating: 1, count: 32))]
            let found = try client.http.send(client.head(key, retry: .quick))
            #expect(throws: UploadError.self) { try S3Parts(parts: parts, size: 1_000_000).check(found, isIdentified: true, "x") }
            #expect(throws: UploadError.self) { try S3Parts(parts: parts, size: 999_999).check(found, isIdentified: false, "x") }
            try S3Parts(parts: parts, size: 1_000_000).check(found, isIdentified: false, "x")
        }

        @Test func partsThatCouldNotBeTakenBackAreNamed() throws {
            let upload = S3Upload(client, try client.store.key(.unique()), options: { var options = Self.options; options.abortTime = .milliseconds(100); return options }())
            try upload.write(noise(1_000_000))
            try session.always("500", "DELETE", "uploadId", times: 1_000_000)
            upload.abort()
            #expect(upload.leftover?.uploadID.isEmpty == false)
        }
    }
}
