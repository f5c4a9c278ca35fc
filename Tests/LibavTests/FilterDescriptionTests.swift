import Libav
import Testing

/// What is read of a description is what libav makes of it.
@Suite struct FilterDescriptionTests {
    static let descriptions = [
        "hflip", " hflip ", "hflip,vflip", "hflip\n,\n\tvflip", "scale=32:24", "scale=32:24:flags=neighbor", "scale=w=32:h=24",
        "scale = 32 : 24", "scale='32':\"24\"", "scale=w = 32:h= 24", "scale='w=32:h=24'",
        "scale=w\\=32\\:h\\=24", "scale=w=iw/2:h=-2", "scale@left=32:24", "scale@=32:24", "crop=32:32:8:8,transpose=1",
        "crop=x=8:y=8:w=32:h=32", "crop=out_w=32:out_h=24", "crop=32:32:exact=1",

        "[in]hflip[out]", "[in] hflip [out]", "[a][b]overlay=x=4:y='main_h/2'[c]", "split[a][b];[a]negate[c];[b][c]vstack",
        "split[ a ][b]; [ a ]negate[c] ;[b][c]hstack", "['a b']hflip[\\]]", "split=3[a][b][c]", "movie_x=1,hflip",
        "drawbox=x=4:y=4:w=20:h=10:color=red:t=fill", "drawbox=4:4:20:10:red@0.5:fill", 
        "drawbox='4:4':20", "drawbox=x='min(4\\,5)':y=1", "drawbox=x=min(4\\,5)", "drawbox=x='a''b'", "drawbox=x=a\\'b",
        "drawbox=x=a\\\\\\'b", "drawbox=x=a\\\\:b", "drawbox=x=a\\\\\\:b", "drawbox=x=\\[1\\]", "drawbox=x=\\ 1\\ ",
        "drawbox=x=' 1 '", "drawbox=x=' 1 ':y=\\;", "drawbox=x=;hflip", "drawbox=x=,hflip", "drawbox=:::", "drawbox=",
        "drawbox=x", "drawbox==", "drawbox==4", "drawbox=x=1=2", "drawbox=x:y:", "drawbox=enable='between(t,0,1)':x=2",
        "drawbox=x=2:enable=gte(t\\,1)", "drawbox=x=1:x=2:x=3", "drawgrid=0:0:10:10:blue",
        "pad=80:60:8:6:blue", "metadata=print", "metadata=add:a:b", "metadata=mode=add:key=a:value='b:c'",
        "metadata=add:key=a:value=b", "metadata=print:a:b:same_str::/dev/null", "metadata=print:::::/dev/null",
        "metadata=print:key=a:file=/dev/null", "ametadata=print:file=/dev/null",
        "psnr=/dev/null", "psnr=f=/dev/null", "psnr=stats_file=/dev/null:stats_version=2",
        "volume=0.5", "volume=volume=0.5:precision=fixed", "volume=0.5:fixed", "atempo=2,volume=0.5", "aecho=0.8:0.9:40:0.3",
        "pan=mono|c0=c1", "pan=args='stereo|c0<c0+c1|c1=c1'", "aformat=sample_fmts=s16|flt:r=48000", "amix=inputs=3:weights=1 2 3",
        "sws_flags=neighbor;scale=32:24", "sws_flags=neighbor:in_range=pc;scale", "sws_flags=bicubic;hflip,scale=32:24:flags=area",
        "sws_flags=neighbor;scale=32,scale@b=w=9", "sws_flags='a;scale", "sws_flags=neighbor", "format=gray", "format=pix_fmts=gray|rgb24",
        "eq=contrast=1.2:brightness=0.1", "eq=1.2:0.1", "geq=lum='p(X,Y)'", "geq=p(X\\,Y)", "select='not(mod(n,3))'", "select=e=1:n=2",
        "setpts=PTS+0.2/TB", "fps=50", "fps=fps=30000/1001:round=near", "curves=preset=vintage", "curves=m='0/0 0.5/0.6 1/1'",
        "sendcmd=c='1 all enable 0'", "sendcmd=c='1.0 volume volume 0'", "hflip=1", "nosuch", "nosuch=1:2", "hflip,nosuch=a=b", "",
        ",", ";", "hflip,", "hflip;;vflip", "[", "[]hflip", "[a", "hflip[a", "hflip]", "hflip)", "'hflip'", "h\\flip", "hf'li'p", "hflip'",
        "scale=32:24'", "scale=32:24\\", "scale=nosuch=1", "scale=1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20:21:22:23:24:25:26:27:28:29:30:31",
        "crop@averyveryverylongnameindeed1=10:10", "averyveryveryverylongfiltername@x", "hflip@hflip@x", "hflip@é", "drawbox=x=é:y=\u{301}",
        "scale=w=32:h=24,[x]", "hflip #comment", "negate=negate_alpha=1:enable=1", "overlay=shortest=1:x=1", "overlay=1:2:shortest=1", "rotate=a=PI/6:ow=iw:c=black@0",
        "rotate=PI/6:c=black", "xstack=layout=0_0|w0_0", "hstack=inputs=3", "concat=n=2:v=1:a=0", "tpad=stop=3", "framestep=2", "trim=start_frame=2:end_frame=7",
    ]

    @Test(arguments: descriptions)
    func filtersAndOptionsAreThoseLibavMakes(description: String) throws {
        guard let made = LibavGraph(parsing: description) else { return }
        let read = try FilterDescription(description)
        #expect(try LibavGraph(read) == made)
    }

    /// libav takes them, and versions of it differ in how.
    @Test(arguments: [
        "scale=w=32:24", "scale=h=24:32", "crop=x=1:20:30", "crop=keep_aspect=1:20", "drawbox=4:4:w=20:9", "drawbox=thread_type=0:x=1:2", "pad=w=80:x=8:60", "drawbox=enable=1:5",
        "psnr=stats_version=2:/dev/null", "metadata=file=/dev/null:print", "overlay=shortest=1:1",
    ])
    func valueBehindANamedOptionIsRefused(description: String) throws {
        let use = try FilterDescription(description).uses[0]
        #expect(throws: LibavError.self) { try use.options() }
    }

    /// Otherwise the test above says nothing.
    @Test func mostOfTheseAreDescriptionsForLibav() {
        #expect(Self.descriptions.filter { LibavGraph(parsing: $0) != nil }.count > 100)
    }

    /// Descriptions put together at random from what means something in them. Filters that keep what
    /// they are told as text, so that libav rarely refuses them for their values.
    @Test func madeUpDescriptionsAreReadAsLibavReadsThem() throws {
        let pieces = [
            "drawbox", "drawgrid", "crop", "pad", "hflip", "scale", "split", "=", "=", "=", ":", ":", ":", ",", ";", "[a]", "[b]", "[", "]", "'", "'", "\\", "\\",
            " ", "\n", "x", "y", "w", "h", "out_w", "color", "t", "enable", "@", "red", "1", "20", "sws_flags=", "flags", "/", "é", "-", "|",
        ]
        var state: UInt64 = 7
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let bare = pieces.prefix(7)
        var made = 0
        for _ in 0..<15_000 {
            var description = bare[next(bare.count)]
            if next(3) > 0 { description += "=" }
            for _ in 0..<next(9) { description += pieces[next(pieces.count)] }
            guard let graph = LibavGraph(parsing: description) else { continue }
            let read = try FilterDescription(description)
            guard let twin = try? LibavGraph(read) else {
                // A value behind a named option: the test above.
                #expect(description.contains("="))
                continue
            }
            made += 1
            #expect(twin == graph, "\(description.debugDescription)")
        }
        #expect(made > 1_500)
    }

    @Test func optionsWithoutNamesAreNamed() throws {
        for description in ["metadata=print:::::/etc/passwd", "metadata@x=print:a:b:same_str::'/etc/passwd'"] {
            let last = try #require(try FilterDescription(description).uses[0].options().last)
            #expect(last.name == "file" && last.value == "/etc/passwd")
        }
    }

    @Test func unreadableDescriptionIsRefused() {
        for description in ["[a", "[]hflip", "hflip[a]x", "hflip[a", "sws_flags=a", "scale=1[a]b"] {
            #expect(throws: LibavError.self, "\(description)") { try FilterDescription(description) }
        }
    }

    /// What stands between the judgement and libav's own reading of a description.
    @Test func graphHoldsTheFiltersThatWereRead() throws {
        let shape = MediaFormat.video(VideoShape(format: PixelFormat(name: "rgb24")!, width: 64, height: 48, frameRate: Fraction(25, 1)))
        for description in ["hflip", "split[a][b];[a]negate[c];[b][c]vstack", "sws_flags=neighbor;scale=32:24,hflip@x"] {
            _ = try FilterGraph(shape, description: description, stages: [.pixelFormat(PixelFormat(name: "yuv420p")!)])
        }
    }

    @Test func commandsAreThoseOfSendcmd() throws {
        func commands(_ text: String) throws -> [[String]] {
            try FilterCommands(text).commands.map { [$0.target, $0.command, $0.argument] }
        }
        #expect(
            try commands("# why\n1.0-2.5 [enter|leave] drawtext reinit 'text=a:x=1', all enable 0 ;\n 3 curves plot /tmp/x") == [
                ["drawtext", "reinit", "text=a:x=1"], ["all", "enable", "0"], ["curves", "plot", "/tmp/x"],
            ])
        #expect(try commands("0 'cu'rves pl\\ot /x;") == [["curves", "plot", "/x"]])
        #expect(try commands("") == [])
        for text in ["0 curves", "0 curves plot /x extra", "; curves plot /x"] {
            #expect(throws: LibavError.self, "\(text)") { try FilterCommands(text) }
        }
    }
}
