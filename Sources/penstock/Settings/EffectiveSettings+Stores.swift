import Bytewise
import Stores
import SystemIO
import WriterModel

// Object stores, which are in the environment, in the configuration file, or some here and some there.
extension EffectiveSettings {
    /// Their settings, and what is wrong with them.
    static func stores(_ environment: SettingsEnvironment, _ file: ConfigurationFile?) -> (stores: [StoreSettings], flaws: [SettingsFlaw]) {
        var (stores, flaws) = (file?.stores?.stores ?? [], file?.stores?.flaws ?? [])
        do throws(StoreEnvironment.Flaw) {
            for (name, fields) in try StoreEnvironment.fields(in: environment.ofStores) {
                if stores.contains(where: { $0.name.isSame(as: name) }) {
                    flaws.append(SettingsFlaw(place: .variable, reason: "the store \(name) is in the environment and in the configuration file; leave one of them"))
                }
                if let store = try? StoreSettings(checking: name, fields) { stores.append(store) }
            }
        } catch {
            flaws.append(SettingsFlaw(place: .variable, reason: error.description))
        }
        stores.sort { ByteKey($0.name) < ByteKey($1.name) }
        return (stores, flaws)
    }

    func aboutStores(_ file: ConfigurationFile?) -> [SettingsFlaw] {
        guard let file, let stores = file.stores, stores.holdsKeys, File.isReadableByOthers(file.path) else { return [] }
        return [
            SettingsFlaw(severity: .warning, place: .file(file.path, stores.mark), reason: "keys of stores stand in a file that every user can read; chmod 640 keeps them")
        ]
    }

    var storeLines: String {
        if settings.stores.isEmpty { return "# stores:  # default, none\n" }
        return "# stores: \(settings.stores.map(\.name).joined(separator: ", "))  # not printed\n"
    }
}
