import Foundation
import Testing

extension EndToEnd {
    /// Chunks as NumPy arrays.
    @Suite struct ArrayTests {
        private func send(
            _ array: NPY, to id: String, on server: PenstockServer, bytes: Data? = nil, headers: [String] = []
        ) async throws -> Response {
            try await server.curl(
                "POST", "/v1/writers/\(id)/streams/0/chunks", headers: ["Content-Type: application/x-npy"] + headers,
                body: .bytes(bytes ?? array.file))
        }

        @Test(arguments: [1, 2, 3] as [UInt8])
        func samplesOfAnyVersionArrive(_ version: UInt8) async throws {
            let types: [(format: String, dtype: String, bytes: Int)] = [
                ("u8", "|u1", 1), ("s16", "<i2", 2), ("s32", "<i4", 4), ("s64", "<i8", 8), ("flt", "<f4", 4), ("dbl", "<f8", 8),
            ]
            let decoders = ["u8": "u8", "s16": "s16le", "s32": "s32le", "s64": "s64le", "flt": "f32le", "dbl": "f64le"]
            try await withServer { server in
                for (format, dtype, bytes) in types {
                    // Numbers that are no NaN as floats.
                    let samples = Data((0..<1_000 * 2 * bytes).map { UInt8(truncatingIfNeeded: $0 * 29 % 60) })
                    let id = try await server.createWriter([
                        "dst": .string("\(format).nut"),
                        "streams": [[
                            "type": "audio", "sample_rate": 8_000, "num_channels": 2, "format": .string(format),
                            "encoder": .string("pcm_" + decoders[format]!),
                        ]], "open": true,
                    ])
                    for half in [samples.prefix(samples.count / 2), samples.suffix(samples.count / 2)] {
                        let array = NPY(version: version, dtype: dtype, shape: [500, 2], data: Data(half))
                        let response = try await send(array, to: id, on: server)
                        #expect(response.status == 200, "\(format): \(response.text)")
                        #expect(response.json["frames"] == 500)
                    }
                    let closed = try await server.finalize(id)
                    #expect(closed["streams"][0]["offset"].int == samples.count, "the heads are not counted")
                    let path = server.outputFolder + "/" + format
                    try await Tool.ffmpeg("-v", "error", "-i", path + ".nut", "-map", "0", "-c", "copy", "-f", "data", path + ".raw")
                    #expect(try server.output(format + ".raw") == samples, "\(format)")
                }
            }
        }

        /// (N, H, W, C) is FFmpeg's own order; (N, C, H, W) is the tensors'.
        @Test func picturesInBothOrdersGiveTheSameVideo() async throws {
            let (count, height, width) = (3, 4, 6)
            func value(_ n: Int, _ y: Int, _ x: Int, _ c: Int) -> UInt8 { UInt8(n * 80 + y * 17 + x * 5 + c * 3) }
            var packed = Data()
            for n in 0..<count { for y in 0..<height { for x in 0..<width { for c in 0..<3 { packed.append(value(n, y, x, c)) } } } }
            var planar = Data()
            for n in 0..<count { for c in 0..<3 { for y in 0..<height { for x in 0..<width { planar.append(value(n, y, x, c)) } } } }
            let orders: [(layout: String, shape: [Int], data: Data)] = [
                ("packed", [count, height, width, 3], packed), ("nchw", [count, 3, height, width], planar),
            ]
            try await withServer { server in
                for (layout, shape, data) in orders {
                    let id = try await server.createWriter([
                        "dst": .string(layout + ".rgb"), "format": "rawvideo",
                        "streams": [[
                            "type": "video", "frame_rate": 25, "width": 6, "height": 4, "layout": .string(layout),
                            "encoder": "rawvideo", "encoder_format": "rgb24",
                        ]], "open": true,
                    ])
                    let wrong = NPY(dtype: "|u1", shape: layout == "nchw" ? [count, 4, 6, 3] : [count, 3, 4, 6], data: data)
                    let refused = try await send(wrong, to: id, on: server)
                    #expect(refused.status == 422, "\(layout): \(refused.text)")
                    let wanted = layout == "nchw" ? "(N, 3, 4, 6)" : "(N, 4, 6, 3)"
                    #expect(refused.json["supported"].array.contains(.string(wanted)), "\(refused.text)")
                    let response = try await send(NPY(dtype: "|u1", shape: shape, data: data), to: id, on: server)
                    #expect(response.status == 200, "\(layout): \(response.text)")
                    #expect(response.json["frames"] == 3)
                    try await server.finalize(id)
                    #expect(try server.output(layout + ".rgb") == packed, "\(layout)")
                }
            }
        }

        @Test func arrayThatIsNotTheStreamsIsRefusedWithTheReason() async throws {
            let data = Data(count: 400)
            let good = NPY(dtype: "<i2", shape: [100, 2], data: data)
            func changed(_ change: (inout NPY) -> Void) -> NPY {
                var array = good
                change(&array)
                return array
            }
            let cases: [(array: NPY, bytes: Data?, status: Int, says: [String])] = [
                (changed { $0.dtype = ">i2" }, nil, 422, [">i2", "<i2", "astype"]),
                (changed { $0.dtype = "<f4" }, nil, 422, ["<f4", "<i2"]),
                (changed { $0.dtype = "<i4" }, nil, 422, ["<i4", "<i2"]),
                (changed { $0.fortranOrder = true }, nil, 422, ["Fortran", "ascontiguousarray"]),
                (changed { $0.shape = [100, 3] }, nil, 422, ["(100, 3)", "(N, 2)"]),
                (changed { $0.shape = [2, 100] }, nil, 422, ["(2, 100)", "(N, 2)"]),
                (changed { $0.shape = [200] }, nil, 422, ["(200", "(N, 2)"]),
                (changed { $0.shape = [101, 2] }, nil, 400, ["404", "400"]),
                (changed { $0.version = 4 }, nil, 422, ["version 4"]),
                (good, good.file.dropLast(1), 400, ["400", "399"]),
                (good, good.file.prefix(50), 422, ["ends within its head"]),
                (good, Data("PK\u{3}\u{4} an npz file".utf8), 422, [".npy"]),
                (good, Data(), 422, ["head"]),
            ]
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "a.wav", "streams": [["type": "audio", "sample_rate": 8_000, "num_channels": 2, "format": "s16"]],
                    "open": true,
                ])
                for (array, bytes, status, says) in cases {
                    let response = try await send(array, to: id, on: server, bytes: bytes)
                    #expect(response.status == status, "\(says): \(response.text)")
                    for part in says { #expect(response.json["detail"].string?.contains(part) == true, "\(response.text)") }
                }
                let writer = try await server.writer(id)
                #expect(writer["state"] == "open", "the stream goes on")
                #expect(writer["streams"][0]["frames"] == 0, "nothing of them was taken")
                #expect(try await send(good, to: id, on: server).status == 200)
                try await server.finalize(id)
            }
        }

        @Test func chunkedArrayThatEndsEarlyKeepsItsWholeFramesAndSaysSo() async throws {
            let samples = Data((0..<400).map { UInt8($0 % 251) })
            let array = NPY(dtype: "<i2", shape: [100, 2], data: samples)
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "a.sw", "format": "s16le",
                    "streams": [["type": "audio", "sample_rate": 8_000, "num_channels": 2, "format": "s16"]], "open": true,
                ])
                let path = "/v1/writers/\(id)/streams/0/chunks"
                func sendChunked(_ bytes: Data, piece: Int) async throws -> Response {
                    let connection = try RawConnection(port: server.port)
                    try await connection.send(
                        RawConnection.head("POST", path, headers: ["Transfer-Encoding: chunked", "Content-Type: application/x-npy"]))
                    try await connection.sendChunked(bytes, piece: piece)
                    return try await connection.response()
                }
                for piece in [1, 7, 100_000] {
                    let whole = try await sendChunked(array.file, piece: piece)
                    #expect(whole.status == 200, "\(whole.text)")
                    #expect(whole.json["frames"] == 100)
                }
                let cut = try await sendChunked(array.file.dropLast(42), piece: 64)
                #expect(cut.status == 400, "\(cut.text)")
                #expect(cut.problem == "partial-frame")
                #expect(cut.json["frames"] == 89)
                #expect(cut.json["offset"] == 1_556)
                try await server.finalize(id)
                #expect(try server.output("a.sw") == samples + samples + samples + samples.prefix(356))
            }
        }
    }
}
