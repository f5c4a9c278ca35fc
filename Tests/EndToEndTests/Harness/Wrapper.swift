/// Programs that run `penstock` on a system that lacks something.
enum Wrapper {
    /// System calls fail with an error, "ENOSYS".
    static func without(_ calls: String, failingWith error: String = "ENOSYS") -> [String] {
        ["python3", Repository.root + "/Tests/Tools/deny-calls.py", error, calls]
    }

    static let noLandlock = without("landlock_create_ruleset,landlock_add_rule,landlock_restrict_self")
    static let noSeccomp = without("seccomp")
}
