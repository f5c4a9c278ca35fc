import Bytewise
import StreamWriter
import WriterModel

/// Decides what a writer's muxer may open: its destination, and the files and URLs it opens by
/// itself.
package struct DestinationGuard: OutputOpener {
    let plan: DestinationPlan
    let policy: OutputPolicy
    let clientPolicy: ClientPolicy
    /// Where a muxer's own files lie.
    let folder: MuxerFolder?

    package init(plan: DestinationPlan, policy: OutputPolicy, clientPolicy: ClientPolicy, folder: MuxerFolder?) {
        self.plan = plan
        self.policy = policy
        self.clientPolicy = clientPolicy
        self.folder = folder
    }

    package func permission(toOpen name: String) -> OutputPermission {
        if clientPolicy == .absent {
            if URLParts(name) == nil { folder?.note(opened: name) }
            return .granted(protocols: nil)
        }
        do throws(Problem) {
            return .granted(protocols: try judge(name))
        } catch {
            return .refused(reason: error.detail)
        }
    }

    /// Where a muxer's own files lie, from the output directory; nil: it has none there.
    var place: RelativePath? {
        if case .files(let dst) = plan { try? MuxerFolder.place(of: dst) } else { nil }
    }

    /// One output has one store.
    private func judge(_ place: ObjectPlace) throws(Problem) {
        try place.check(policy)
        if case .url(let url) = plan, let own = ObjectPlace(url), own.store.isSame(as: place.store) { return }
        throw Problem(.forbiddenDestination, "The files of an output lie where its dst does: s3://\(place.store) is another place.", parameter: "dst")
    }

    /// The protocols it may be opened by.
    func judge(_ name: String) throws(Problem) -> [String] {
        if let place = ObjectPlace(name) {
            try judge(place)
            return []
        }
        if URLParts(name) != nil {
            let permit = try DestinationPlan.permit(name, policy)
            AddressGate.shared.admit(permit)
            return permit.protocols
        }
        if plan == .nowhere { return [] }
        // How hls encrypts its segments.
        let encrypted = name.without(prefix: "crypto:")
        let path = encrypted ?? name
        try DestinationPlan.checkPath(path, "The name of a file that the muxer opens")
        guard let place, MuxerFolder.holds(path, at: place) else {
            throw Problem(
                .forbiddenDestination,
                "The muxer opens only files in the folder of dst and beneath; \(path) is none (it is a path from the output directory, as dst is)."
            )
        }
        return encrypted != nil ? ["crypto", "file"] : ["file"]
    }
}
