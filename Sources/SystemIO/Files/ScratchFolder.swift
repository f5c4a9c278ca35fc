/// A folder of this process's own, which goes, with all that is in it, with this value.
package struct ScratchFolder: ~Copyable {
    package let directory: Directory
    private let parent: Directory
    private let name: String

    package var path: String { directory.path }

    /// What is there under the name, left by a process that was killed, goes first.
    package init(_ name: String, in path: String) throws(SystemError) {
        let parent = try Directory(path: path)
        try parent.removeSubdirectory(name)
        try parent.makeSubdirectory(name)
        let directory = try parent.subdirectory(name)
        (self.parent, self.name, self.directory) = (parent, name, directory)
    }

    deinit { try? parent.removeSubdirectory(name) }
}
