import Foundation
import Testing

extension EndToEnd {
    /// What goes in comes out.
    @Suite struct ClipTests {
        @Test func clipUploadedWithCurlComesBackAsItWas() async throws {
            let clip = try await Clip.full()
            try await withServer { server in
                let id = try await server.createWriter([
                    "dst": "shows/clip.mp4", "metadata": ["title": "Big Buck Bunny"],
                    "streams": clip.streams(), "open": true,
                ])
                for second in 0..<6 {
                    let frames = second * Clip.frameRate..<(second + 1) * Clip.frameRate
                    try await server.sendChunk(clip.frames(frames), to: id, stream: 0)
                    let samples = second * Clip.sampleRate..<(second + 1) * Clip.sampleRate
                    let left = clip.samples(samples.clamped(to: 0..<clip.sampleCount))
                    if !left.isEmpty { try await server.sendChunk(left, to: id, stream: 1) }
                }
                let writer = try await server.finalize(id)
                let path = server.outputFolder + "/shows/clip.mp4"
                let bytes = try server.output("shows/clip.mp4")
                try expectCounters(of: writer, toMatch: clip, bytes: bytes.count)
                try await expectContents(of: path, toMatch: clip)
                let download = try await server.curl("GET", "/v1/writers/\(id)/output")
                #expect(download.body == bytes)
                let sameFrames = try await Tool.psnr(["-i", path], clip.ffmpegVideoInput, format: "yuv444p")
                #expect(sameFrames >= 35, "PSNR in dB")
            }
        }

        private func expectCounters(of writer: JSON, toMatch clip: Clip, bytes: Int) throws {
            let video = writer["streams"][0]
            #expect(video["encoder"] == "libx264")
            #expect(video["frames"].int == Clip.frameCount)
            #expect(video["frames_encoded"].int == Clip.frameCount)
            #expect(video["offset"].int == clip.video.count)
            let audio = writer["streams"][1]
            #expect(audio["encoder"] == "aac")
            #expect(audio["frames"].int == clip.sampleCount)
            #expect(audio["offset"].int == clip.audio.count)
            #expect(writer["result"]["bytes"].int == bytes)
            let duration = try #require(writer["result"]["duration"].double)
            #expect(abs(duration - Double(clip.sampleCount) / Double(Clip.sampleRate)) < 0.05)
        }

        private func expectContents(of path: String, toMatch clip: Clip) async throws {
            let probe = try await Tool.ffprobe(path)
            #expect(probe["format"]["tags"]["title"] == "Big Buck Bunny")
            let video = probe["streams"][0]
            #expect(video["codec_name"] == "h264")
            #expect(video["nb_read_frames"] == .string("\(Clip.frameCount)"))
            #expect(video["r_frame_rate"] == "25/1")
            #expect(video["width"] == 1280)
            #expect(video["height"] == 720)
            let audio = probe["streams"][1]
            #expect(audio["codec_name"] == "aac")
            #expect(audio["channels"] == 6)
            #expect(audio["sample_rate"] == "48000")
            let duration = try #require(audio["duration"].string.flatMap { Double($0) })
            let sent = Double(clip.sampleCount) / Double(Clip.sampleRate)
            #expect(abs(duration - sent) <= 1024.0 / Double(Clip.sampleRate), "one AAC frame at most")
        }

        @Test(arguments: ["pcm_f32le", "pcm_f64le"])
        func samplesComeBackExactlyFromALosslessEncoder(_ encoder: String) async throws {
            let clip = try await Clip.small()
            try await withServer { server in
                var audio = clip.streams()[1]
                audio["encoder"] = .string(encoder)
                let id = try await server.createWriter(["dst": "a.wav", "streams": [audio], "open": true])
                for range in ranges(of: clip.sampleCount, by: 30_000) {
                    try await server.sendChunk(clip.samples(range), to: id, stream: 0)
                }
                try await server.finalize(id)
                try await Tool.ffmpeg(
                    "-i", server.outputFolder + "/a.wav", "-f", "f32le", server.outputFolder + "/a.f32")
                #expect(try server.output("a.f32") == clip.audio)
            }
        }

        @Test(arguments: ["rawvideo", "ffv1"], ["packed", "nchw"])
        func framesComeBackExactlyFromALosslessEncoder(_ encoder: String, _ layout: String) async throws {
            let clip = try await Clip.small()
            let packed = clip.frames(0..<10)
            let sent = layout == "nchw" ? planar(packed, pixels: clip.width * clip.height) : packed
            try await withServer { server in
                var video = clip.streams(["encoder": .string(encoder), "layout": .string(layout)])[0]
                if encoder == "ffv1" { video["encoder_format"] = "bgr0" }
                let id = try await server.createWriter(["dst": "v.nut", "streams": [video], "open": true])
                try await server.sendChunk(sent, to: id, stream: 0)
                try await server.finalize(id)
                try await Tool.ffmpeg(
                    "-i", server.outputFolder + "/v.nut", "-f", "rawvideo", "-pix_fmt", "rgb24",
                    server.outputFolder + "/v.rgb24")
                #expect(try server.output("v.rgb24") == packed)
            }
        }

        /// Frames of packed RGB as frames of three planes.
        private func planar(_ packed: Data, pixels: Int) -> Data {
            var planar = [UInt8](repeating: 0, count: packed.count)
            for (index, byte) in packed.enumerated() {
                let (pixel, channel) = (index / 3, index % 3)
                planar[pixel / pixels * pixels * 3 + channel * pixels + pixel % pixels] = byte
            }
            return Data(planar)
        }
    }
}
