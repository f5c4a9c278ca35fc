import APICore
import Bytewise
import WriterModel

/// The folders of the output directory that belong to other names: a writer of a name without a folder of its own
/// writes everywhere but there.
package struct OthersFolders: Sendable {
    private let paths: [RelativePath]

    package init(_ folders: [String] = []) { paths = folders.compactMap { try? RelativePath($0) } }

    /// Whether a file there would lie in one of them, or in its place.
    package func hold(_ path: RelativePath) -> Bool {
        paths.contains { path.relative(to: $0) != nil || $0.relative(to: path) != nil }
    }

    func check(_ dst: String) throws(Problem) {
        guard let path = try? RelativePath(dst), hold(path) else { return }
        throw Problem(
            .forbiddenDestination, "\(dst) lies in, or leads to, a folder that is kept for other tokens. Choose another dst.",
            parameter: "dst")
    }
}
