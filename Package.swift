// swift-tools-version: 6.0
import PackageDescription

/// The tests of the programs, a fifth of a build, and what only they use; not where `make test-libraries` leaves them out.
let endToEnd: (packages: [Package.Dependency], targets: [Target]) =
    Context.environment["PENSTOCK_TESTS"] == "libraries"
    ? ([], [])
    : (
        [.package(url: "https://github.com/jpsim/Yams", from: "6.0.0")],
        [
            .testTarget(
                name: "EndToEndTests",
                // Not the programs: they are built with the tests anyhow, and to wait for them would be the last third of a build.
                dependencies: ["APICore", "ToolSessions", .crypto, .product(name: "Yams", package: "Yams")],
                swiftSettings: .quickToBuild)
        ]
    )

// The target list is the architecture: every arrow is here, and there are no others.
//
//   penstock ─────────► Gateway ───┐               ┌──► HTTPServer ──► HTTP1
//                                  ├──► APICore ───┤              └──► SystemIO ──► CLinux, CSeccomp
//   penstock-encoder ─► WriterAPI ─┘               └──► WriterModel
//                          ├──► StreamWriter ──► Libav ──► CLibav, CPixels
//                          ├──► Uploads ──► CCurl
//                          │       └──────► Stores
//                          └──► CHeaps
//   penstock ─────────► YAML ──► CLibYAML
//            └────────► Stores
//
// All of Swift's may use Bytewise: text by its bytes; and all but HTTP1 and WriterModel, which are values,
// Threading: locks, threads, deadlines. Neither uses anything.
//
// The gateway never reaches Libav, nor libcurl; HTTP1, WriterModel and StreamWriter never reach a socket. Uploads knows neither libav nor
// the HTTP server; of what it does, only carriers and the sender of webhooks do anything.
let package = Package(
    name: "penstock",
    products: [
        .executable(name: "penstock", targets: ["penstock"]),
        .executable(name: "penstock-encoder", targets: ["penstock-encoder"]),
        .library(name: "StreamWriter", targets: ["StreamWriter"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    ] + endToEnd.packages,
    targets: [
        // C at the edges.
        .systemLibrary(
            name: "CLibav",
            pkgConfig: "libavformat",
            providers: [
                .apt([
                    "libavformat-dev", "libavcodec-dev", "libavutil-dev", "libswresample-dev",
                    "libswscale-dev", "libavfilter-dev", "libavdevice-dev",
                ])
            ]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        // Without pkg-config: its flags are those of libraries that libcurl itself is linked with.
        .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "CHeaps"),
        .target(name: "CPixels"),

        // Text by its bytes, for every other.
        .target(name: "Bytewise"),

        // Locks, threads, deadlines: likewise.
        .target(name: "Threading"),

        // Files of settings: YAML as values, by libyaml.
        .target(name: "YAML", dependencies: ["CLibYAML", "Bytewise"]),

        // Media.
        .target(name: "Libav", dependencies: ["CLibav", "CPixels", "Threading", "Bytewise"]),
        .target(name: "StreamWriter", dependencies: ["Libav", "Threading", "Bytewise"]),

        // What makes an object store: settings, as values.
        .target(name: "Stores", dependencies: ["Bytewise"]),

        // Bytes to servers of others: HTTP and object storage, by libcurl.
        .target(name: "Uploads", dependencies: ["Stores", "CCurl", "Threading", "Bytewise", .crypto]),

        // HTTP.
        .target(name: "HTTP1"),
        .target(name: "SystemIO", dependencies: ["CLinux", "CSeccomp", "Threading", "Bytewise"]),
        .target(name: "HTTPServer", dependencies: ["HTTP1", "SystemIO", "Threading", .logging]),

        // The product.
        .target(name: "WriterModel", dependencies: ["Bytewise"]),
        .target(
            name: "APICore",
            dependencies: ["WriterModel", "HTTPServer", "HTTP1", "SystemIO", "Threading", "Bytewise", .logging, .crypto]),
        .target(name: "WriterAPI", dependencies: ["APICore", "StreamWriter", "Uploads", "Stores", "CHeaps", "Threading", "Bytewise", .logging]),
        .target(
            name: "Gateway", dependencies: ["APICore", "Threading", "Bytewise", .logging, .crypto],
            resources: [.embedInCode("openapi.yaml")]),
        .target(name: "ServiceLog", dependencies: ["SystemIO", "WriterModel", "Bytewise", .logging]),
        .executableTarget(
            name: "penstock",
            dependencies: [
                "Gateway", "ServiceLog", "APICore", "Stores", "YAML", "Bytewise",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "penstock-encoder", dependencies: ["WriterAPI", "ServiceLog"],
            linkerSettings: .staticRuntime + .interposition + .heaps),

        // Tests: one target a library, and the real binaries.
        .executableTarget(
            name: "unguarded-encoder", dependencies: ["WriterAPI", "ServiceLog"], path: "Tests/UnguardedEncoder",
            linkerSettings: .staticRuntime + .interposition + .heaps),
        .target(name: "PatternedMemory", path: "Tests/PatternedMemory"),
        .executableTarget(
            name: "fault-run", dependencies: ["StreamWriter", "Libav", "SystemIO", "PatternedMemory"], path: "Tests/FaultRun",
            linkerSettings: .ownAllocator),
        .testTarget(name: "FaultRunTests", dependencies: ["WriterAPI", "StreamWriter"], linkerSettings: .heaps),
        .testTarget(name: "BytewiseTests", dependencies: ["Bytewise"]),
        .testTarget(name: "ThreadingTests", dependencies: ["Threading"]),
        .testTarget(name: "LibavTests", dependencies: ["Libav", "CPixels"]),
        .testTarget(name: "StreamWriterTests", dependencies: ["StreamWriter"], swiftSettings: .quickToBuild),
        .testTarget(name: "YAMLTests", dependencies: ["YAML"]),
        .testTarget(name: "ServiceLogTests", dependencies: ["ServiceLog", "WriterModel", .logging]),
        .testTarget(name: "HTTP1Tests", dependencies: ["HTTP1"], swiftSettings: .quickToBuild),
        .systemLibrary(name: "CRawCall", path: "Tests/CRawCall"),
        .testTarget(name: "SystemIOTests", dependencies: ["SystemIO", "Threading", "Bytewise", "CRawCall"], swiftSettings: .quickToBuild),
        .testTarget(
            name: "HTTPServerTests", dependencies: ["HTTPServer", "HTTP1", "SystemIO", "Threading", .logging],
            swiftSettings: .quickToBuild),
        .target(name: "ToolSessions", path: "Tests/ToolSessions"),
        .testTarget(
            name: "UploadsTests", dependencies: ["Uploads", "Stores", "ToolSessions", .crypto], exclude: ["Vectors"],
            swiftSettings: .quickToBuild),
        .testTarget(name: "WriterModelTests", dependencies: ["WriterModel"], swiftSettings: .quickToBuild),
        .testTarget(
            name: "WriterAPITests",
            dependencies: ["WriterAPI", "APICore", "StreamWriter", "HTTPServer", "SystemIO", "WriterModel", "HTTP1", "Bytewise"],
            swiftSettings: .quickToBuild, linkerSettings: .interposition + .heaps),
        .testTarget(name: "CHeapsTests", dependencies: ["CHeaps"], linkerSettings: .heaps),
        .testTarget(
            name: "GatewayTests",
            dependencies: ["Gateway", "APICore", "HTTP1", "HTTPServer", "SystemIO", "Threading", "WriterModel", "Bytewise", .logging],
            swiftSettings: .quickToBuild),
    ] + endToEnd.targets,
    swiftLanguageModes: [.v6]
)

extension [SwiftSetting] {
    /// For tests that mostly wait for what they test: optimizing them takes most of a build.
    static let quickToBuild: Self = [.unsafeFlags(["-Onone"])]
}

extension [LinkerSetting] {
    /// Swift's runtime within the program: calls into it are direct and lie close together, which is a sixth
    /// of what a small request costs where many processes take turns.
    static let staticRuntime: Self = [
        .unsafeFlags(["-static-stdlib"]),
        // What FoundationEssentials, which Crypto uses, is made of: only a wholly static build names it by itself.
        .linkedLibrary("_FoundationCollections"), .linkedLibrary("_FoundationCShims"),
    ]

    /// PatternedMemory's functions stand before the C library's for every library of a program.
    static let ownAllocator: Self = [
        .unsafeFlags(
            ["malloc", "calloc", "realloc", "reallocarray", "free", "memalign", "posix_memalign", "aligned_alloc", "malloc_usable_size"]
                .flatMap { ["-Xlinker", "--export-dynamic-symbol=\($0)"] })
    ]

    /// The functions of WriterAPI's that stand before the C library's for every library of a program.
    static let interposition: Self = [
        .unsafeFlags(
            ["accept", "getaddrinfo", "open", "open64", "rename", "unlink", "rmdir", "mkdir"].flatMap {
                ["-Xlinker", "--export-dynamic-symbol=\($0)"]
            })
    ]

    /// CHeaps: the program's own calls go to one heap, every library's to the other.
    static let heaps: Self = [
        .unsafeFlags(
            (allocation.map { "--export-dynamic-symbol=\($0)" }
                + (allocation + ["reallocarray", "malloc_usable_size", "strdup", "strndup"]).map { "--wrap=\($0)" })
                .flatMap { ["-Xlinker", $0] })
    ]
    private static let allocation = [
        "malloc", "calloc", "realloc", "free", "posix_memalign", "memalign", "aligned_alloc", "valloc", "pvalloc",
    ]
}

extension Target.Dependency {
    static var logging: Target.Dependency { .product(name: "Logging", package: "swift-log") }
    static var crypto: Target.Dependency { .product(name: "Crypto", package: "swift-crypto") }
}
