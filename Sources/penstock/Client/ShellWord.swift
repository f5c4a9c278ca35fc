import Bytewise

/// A value in a command that is printed for a shell to take.
enum ShellWord {
    /// " --name value"
    static func option(_ name: String, _ value: String) -> String {
        // Behind a blank it would be taken for an option.
        " --\(name)\(value.begins(with: "-") ? "=" : " ")\(quoted(value))"
    }

    /// As it is where no shell sees more in it than its characters.
    static func quoted(_ value: String) -> String {
        // A ~ at the beginning is a home folder.
        let isPlain = !value.utf8.isEmpty && !value.begins(with: "~") && value.utf8.allSatisfy { byte in
            UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || "-_.,:/@%+=~".utf8.contains(byte)
        }
        return isPlain ? value : "'" + value.parts(at: "'").joined(separator: #"'\''"#) + "'"
    }
}
