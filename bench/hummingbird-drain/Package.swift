// swift-tools-version: 6.2
import PackageDescription

// Hummingbird receiving a body and dropping it: what a good general-purpose server reaches.
let package = Package(
    name: "hummingbird-drain",
    dependencies: [.package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.0.0")],
    targets: [
        .executableTarget(
            name: "hummingbird-drain", dependencies: [.product(name: "Hummingbird", package: "hummingbird")])
    ]
)
