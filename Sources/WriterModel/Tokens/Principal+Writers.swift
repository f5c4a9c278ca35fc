// Which writers a principal's requests are about.
extension Principal {
    /// The owner that a request names with `?name=`, which is the principal's own unless it sees all;
    /// nil: it names none. An empty name is that of the owners without one.
    public func namedOwner(_ name: String?) throws(Problem) -> String?? {
        guard let name else { return nil }
        guard name.isEmpty || WriterID.isName(name) else {
            throw Problem(.invalidParameter, "name is that of a token, or empty for tokens without one.", parameter: "name")
        }
        if seesAll || name == self.name { return .some(name.isEmpty ? nil : name) }
        throw Problem(
            .insufficientScope, "The token does not allow requests about the writers of other names.",
            parameter: "name", supported: self.name.map { [$0] })
    }
}

extension JSONObject {
    /// A writer's resource with its owner's name.
    public func naming(owner: String?) -> JSONObject {
        guard let owner else { return self }
        var object = self
        object["name"] = .string(owner)
        return object
    }
}
