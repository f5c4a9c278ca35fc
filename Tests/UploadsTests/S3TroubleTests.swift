import Foundation
import Testing
import ToolSessions
import Uploads

extension Uploading {
    /// A network and a store that fail at random: what is there in the end is what was written.
    @Suite(.enabled(if: S3Session.isInstalled, Comment(rawValue: S3Session.missing)))
    struct S3TroubleTests {
        private static let options: S3Upload.Options = {
            var options = S3Upload.Options()
            options.retry = RetryRule(retryTime: .seconds(30), firstPause: .milliseconds(1), longestPause: .milliseconds(20))
            options.partSizes = PartSizes(first: 64 * 1_024)
            return options
        }()

        @Test func hundredCutsDoNotChangeAnObject() throws {
            let session = try S3Session(), client = try session.client()
            var cuts = 0
            for seed in 1... {
                try session.trouble(seed: seed, rate: 0.4, "cut,cutback,lost")
                let bytes = noise(2_000_000, seed: UInt64(seed)), name = String.unique()
                let upload = S3Upload(client, try client.store.key(name), options: Self.options)
                try upload.write(bytes)
                try upload.finish()
                cuts += try session.counts().filter { $0.key != "requests" }.values.reduce(0, +)
                try session.trouble(seed: 0, rate: 0, "none")
                #expect(try session.object(name).sha256 == sha256(bytes), "seed \(seed)")
                #expect(try session.uploads(upload.key) == .none, "seed \(seed)")
                if cuts >= 100 { break }
            }
        }

        @Test func beginningWhoseAnswerIsLostLeavesNoUpload() throws {
            let session = try S3Session(), client = try session.client()
            for isLostForGood in [false, true] {
                var options = Self.options
                if isLostForGood { options.retry = .never }
                try session.always("lost", "POST", "uploads", times: isLostForGood ? 1 : 3)
                let bytes = noise(1_000_000), name = String.unique()
                let upload = S3Upload(client, try client.store.key(name), options: options)
                if isLostForGood {
                    #expect(throws: UploadError.self) { try upload.write(bytes) }
                } else {
                    try upload.write(bytes)
                    try upload.finish()
                    #expect(try session.object(name).sha256 == sha256(bytes))
                }
                #expect(try session.counts()["lost"] ?? 0 > 0)
                #expect(try session.uploads(upload.key) == .none)
            }
        }

        /// The second attempt finds no upload any more: the first has made the object.
        @Test func endWhoseAnswerIsLostIsAnEnd() throws {
            let session = try S3Session(), client = try session.client()
            for _ in 0..<4 {
                try session.always("lost", "POST", "uploadId=", times: 1)
                let bytes = noise(1_000_000), name = String.unique()
                let upload = S3Upload(client, try client.store.key(name), options: Self.options)
                try upload.write(bytes)
                try upload.finish()
                #expect(try session.counts()["lost"] == 1)
                #expect(try session.object(name).sha256 == sha256(bytes))
                #expect(try session.uploads(upload.key) == .none)
            }
        }

        /// Another's upload of the same key that has parts is not one that nobody knows of.
        @Test func uploadOfAnotherStays() throws {
            let session = try S3Session(), client = try session.client(), key = try client.store.key(String.unique())
            let other = S3Upload(client, key, options: Self.options)
            try other.write(noise(200_000))
            try eventually("it has parts") { try session.uploads(key).parts > 0 }
            try session.always("lost", "POST", "uploads", times: 1)
            let upload = S3Upload(client, key, options: Self.options)
            try upload.write(noise(1_000_000))
            try upload.finish()
            #expect(try session.uploads(key).uploads == 1)
            try other.finish()
            #expect(try session.uploads(key) == .none)
        }

        @Test(arguments: [("moto", 64 * 1_024), ("localbucket", 5 * 1_024 * 1_024)])
        func everyTroubleTogether(kind: String, partBytes: Int) throws {
            let session = try S3Session(kind), client = try session.client()
            var options = Self.options
            options.partSizes = PartSizes(first: partBytes)
            try session.trouble(seed: 11, rate: 0.5, "cut,cutback,lost,delay,500,503,slowdown,badend")
            let bytes = noise(partBytes * 9 + 1_000), name = String.unique()
            let upload = S3Upload(client, try client.store.key(name), options: options)
            try upload.write(bytes)
            try upload.finish()
            let counts = try session.counts()
            #expect(counts.count > 4, "\(counts)")
            try session.trouble(seed: 0, rate: 0, "none")
            #expect(try session.object(name).sha256 == sha256(bytes))
            #expect(try session.uploads(upload.key).parts == 0)
        }

        /// localbucket looks at no signature, and moto, which does, takes no pre-signed URL: that those are right, SignatureTests say.
        @Test func secondServerTakesSmallObjectsPresignedURLsAbortsAndDeletions() throws {
            let session = try S3Session("localbucket"), client = try session.client()
            let small = S3Upload(client, try client.store.key("folder/a b+é.ts"))
            try small.write(noise(10_000))
            try small.finish()
            #expect(try session.object("folder/a b+é.ts").sha256 == sha256(noise(10_000)))
            #expect(try run("curl", "-sf", try client.presignedURL(try client.store.key("folder/a b+é.ts"), validFor: .seconds(60)).revealed) == Data(noise(10_000)))
            let aborted = S3Upload(client, try client.store.key("aborted"))
            try aborted.write(noise(20_000_000))
            // It does not lock out a part that it is taking from an abort.
            try eventually("two parts") { try session.uploads(aborted.key).parts == 2 }
            aborted.abort()
            #expect(aborted.leftover == nil)
            #expect(try session.uploads(aborted.key) == .none)
            let deletion = S3Delete(client)
            deletion.delete(try client.store.key("folder/a b+é.ts"))
            #expect(deletion.finish().failed == 0)
            #expect(try session.object("folder/a b+é.ts").missing != nil)
        }
    }
}
