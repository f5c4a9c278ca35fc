import Bytewise
import Crypto

/// The requests that objects are made of.
extension S3Client {
    package struct Part: Sendable {
        let number: Int
        let entityTag: String
        /// SHA-256.
        let digest: [UInt8]

        package init(number: Int, entityTag: String, digest: [UInt8]) { (self.number, self.entityTag, self.digest) = (number, entityTag, digest) }
    }

    /// A whole object by one request.
    func put(_ key: ObjectKey, _ fields: ObjectFields, _ content: PartContent, retry: RetryRule) throws(UploadError) -> DeliveryPlan {
        var request = Request(method: .put, key: key, headers: fields.headers, payloadHash: content.payloadHash)
        request.headers.append(try HTTPHeader(checking: "x-amz-checksum-sha256", content.checksum))
        request.expectsContinue = content.size >= HTTPUpload.fewestBytesWithLeave
        return plan(name(of: key), request, body: content.body, retry: retry)
    }

    /// Begins an object of parts.
    func create(_ key: ObjectKey, _ fields: ObjectFields, retry: RetryRule) throws(UploadError) -> DeliveryPlan {
        var request = Request(method: .post, key: key, query: [("uploads", "")], headers: fields.headers)
        request.headers.append(try HTTPHeader(checking: "x-amz-checksum-algorithm", "SHA256"))
        request.isCounted = true
        var plan = plan("beginning of \(name(of: key))", request, retry: retry)
        plan.judge = { response in
            guard response.isSuccess else { return self.judge(response) }
            let id = S3Answer(response.body).element("UploadId") ?? ""
            return id.isEmpty ? .again(UploadError(.refused, "", "the store's answer has no upload's id in it", status: response.status)) : .accepted
        }
        return plan
    }

    func part(_ number: Int, of key: ObjectKey, _ uploadID: String, _ content: PartContent, retry: RetryRule) throws(UploadError) -> DeliveryPlan {
        var request = Request(
            method: .put, key: key, query: [("partNumber", String(number)), ("uploadId", uploadID)], payloadHash: content.payloadHash)
        request.headers = [try HTTPHeader(checking: "x-amz-checksum-sha256", content.checksum)]
        var plan = plan("part \(number) of \(name(of: key))", request, body: content.body, retry: retry)
        plan.judge = { response in
            guard response.isSuccess else { return self.judge(response) }
            if (response.header("ETag") ?? "").isEmpty { return .again(UploadError(.refused, "", "the store's answer has no ETag", status: response.status)) }
            if let theirs = response.header("x-amz-checksum-sha256"), !theirs.isSame(as: content.checksum) {
                return .again(UploadError(.damaged, "", "the store has a part of another checksum", status: response.status))
            }
            return .accepted
        }
        return plan
    }

    /// Makes the object of its parts. A status of 200 comes before that is done: what follows it decides.
    func complete(_ key: ObjectKey, _ uploadID: String, _ parts: [Part], retry: RetryRule) -> DeliveryPlan {
        let list = parts.map { part in
            let tag = S3Answer.escaped(part.entityTag), checksum = Base64.text(part.digest)
            return "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(tag)</ETag><ChecksumSHA256>\(checksum)</ChecksumSHA256></Part>"
        }
        let xml = Array("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(list.joined())</CompleteMultipartUpload>".utf8)
        var request = Request(method: .post, key: key, query: [("uploadId", uploadID)], payloadHash: Hex.text(SHA256.hash(data: xml)))
        request.isCounted = true
        var plan = plan("end of \(name(of: key))", request, body: BytesBody(xml), retry: retry)
        plan.judge = { response in
            guard response.isSuccess else { return self.judge(response) }
            switch ByteKey(S3Answer(response.body).root ?? "") {
            case "CompleteMultipartUploadResult": return .accepted
            case "Error": return self.refusal(response)
            default: return .again(UploadError(.refused, "", "the store's answer does not say that the object is there", status: response.status))
            }
        }
        return plan
    }

    /// Takes an object's parts back. That it is not there any more is good as well.
    func abort(_ key: ObjectKey, _ uploadID: String, retry: RetryRule) -> DeliveryPlan {
        cleanUp("taking back \(name(of: key))", Request(method: .delete, key: key, query: [("uploadId", uploadID)]), retry)
    }

    /// Asks for parts that are left: 404 where there are none.
    func listParts(_ key: ObjectKey, _ uploadID: String, retry: RetryRule) -> DeliveryPlan {
        cleanUp("parts of \(name(of: key))", Request(method: .get, key: key, query: [("max-parts", "1"), ("uploadId", uploadID)]), retry)
    }

    /// Asks for the uploads of this object, and of those whose keys begin with it, that were begun and not ended.
    func listUploads(of key: ObjectKey, retry: RetryRule) -> DeliveryPlan {
        let query = [("max-uploads", "100"), ("prefix", key.text), ("uploads", "")]
        return cleanUp("uploads of \(name(of: key))", Request(method: .get, query: query), retry)
    }

    private func cleanUp(_ doing: String, _ request: Request, _ retry: RetryRule) -> DeliveryPlan {
        var plan = plan(doing, request, retry: retry)
        plan.survivesInterruption = true
        plan.judge = { $0.status == 404 ? .accepted : self.judge($0) }
        return plan
    }

    func delete(_ key: ObjectKey, retry: RetryRule) -> DeliveryPlan {
        var plan = plan("deletion of \(name(of: key))", Request(method: .delete, key: key), retry: retry)
        plan.judge = { response in
            if response.status == 404, !(S3Answer(response.body).element("Code") ?? "NoSuchKey").isSame(as: "NoSuchBucket") { return .accepted }
            return self.judge(response)
        }
        return plan
    }

    /// What is there now. Keys that may write and not read get 403, which is accepted too.
    package func head(_ key: ObjectKey, retry: RetryRule) throws(UploadError) -> DeliveryPlan {
        let request = Request(method: .head, key: key, headers: [try HTTPHeader(checking: "x-amz-checksum-mode", "ENABLED")])
        var plan = plan("look at \(name(of: key))", request, retry: retry)
        plan.judge = { response in
            if response.status == 404 { return .failed(UploadError(.damaged, "", "the object is not there after the store had said that it is", status: 404)) }
            return [401, 403, 405, 501].contains(response.status) ? .accepted : self.judge(response)
        }
        return plan
    }
}
