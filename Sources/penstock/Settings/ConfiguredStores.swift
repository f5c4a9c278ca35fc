import Bytewise
import Stores
import WriterModel
import YAML

/// The `stores` of a configuration file: a mapping of names to fields, which are those of the variables
/// (`PENSTOCK_STORE_NAME_ENDPOINT` is `endpoint`).
struct ConfiguredStores {
    let mark: YAMLMark
    private(set) var stores: [StoreSettings] = []
    private(set) var flaws: [SettingsFlaw] = []
    private let path: String

    init(_ mapping: YAMLNode, at mark: YAMLMark, path: String) {
        self.mark = mark
        self.path = path
        guard case .mapping(let members) = mapping.content else {
            note(mapping.mark, "stores is a mapping, a name for each with endpoint: and the others, and this is \(mapping.kind)")
            return
        }
        for member in members {
            guard case .scalar(let name) = member.key.content else {
                note(member.key.mark, "a store's name is one word, and this is \(member.key.kind)")
                continue
            }
            if let fields = fields(member.value, of: name) { add(name, fields, member.key.mark) }
        }
    }

    /// Of keys, too: one in a file that others can read is told of.
    var holdsKeys: Bool { stores.contains { store in Store.secretFields.contains { store.fields[$0] != nil } } }

    private mutating func note(_ mark: YAMLMark, _ reason: String) {
        flaws.append(SettingsFlaw(place: .file(path, mark), reason: reason))
    }

    /// nil: something is wrong with them. No value is repeated.
    private mutating func fields(_ node: YAMLNode, of name: String) -> [String: String]? {
        guard case .mapping(let members) = node.content else {
            note(node.mark, "the store \(name) is a mapping of its fields, \(Store.fieldNames.joined(separator: ", ")), and this is \(node.kind)")
            return nil
        }
        let before = flaws.count
        var fields: [String: String] = [:]
        for member in members {
            guard case .scalar(let field) = member.key.content, Store.fieldNames.contains(where: { $0.isSame(as: field) }) else {
                note(member.key.mark, "this is no field of a store; there are \(Store.fieldNames.joined(separator: ", "))")
                continue
            }
            guard case .scalar(let value) = member.value.content else {
                note(member.value.mark, "\(field) takes one value, and this is \(member.value.kind)")
                continue
            }
            if fields[field] != nil { note(member.key.mark, "\(field) is there twice") }
            fields[field] = value
        }
        return flaws.count == before ? fields : nil
    }

    private mutating func add(_ name: String, _ fields: [String: String], _ mark: YAMLMark) {
        if stores.contains(where: { $0.name.isSame(as: name) }) { return note(mark, "the store \(name) is there twice") }
        do throws(StoreFlaw) {
            stores.append(try StoreSettings(checking: name, fields))
        } catch {
            note(mark, "the store \(name): \(error.field.rawValue): \(error.reason)")
        }
    }
}

extension StoreSettings {
    /// Makes the store of them once.
    init(checking name: String, _ fields: [String: String]) throws(StoreFlaw) {
        let store = try Store(name: name, fields: fields)
        self.init(name: name, fields: fields, endpoint: "\(store.endpoint.scheme)://\(store.authority)")
    }
}
