import APICore
import HTTP1
import HTTPServer
import WriterModel

// A page of writers as a table.
extension Response {
    /// `page` is this node's own; the table is made of a writer at a time.
    static func table(of page: WriterList.Page, to target: RequestTarget) -> Response {
        var table = WriterTable(now: .now())
        let cursor = page.forEach { table.add($0) }
        return .table(table.text(more: cursor.map { more($0, target) }))
    }

    /// `list` is the JSON of all nodes' writers.
    static func table(of list: [UInt8], to target: RequestTarget) -> Response {
        let object = (try? JSONParser.parse(list))?.objectValue ?? [:]
        var table = WriterTable(now: .now())
        for writer in object["writers"]?.arrayValue ?? [] { if let writer = writer.objectValue { table.add(writer) } }
        let missing = object["partial"]?.arrayValue?.compactMap(\.objectValue) ?? []
        return .table(table.text(more: object["next_cursor"]?.stringValue.map { more($0, target) }, missing: missing))
    }

    private static func table(_ text: String) -> Response { Response(.ok, fields: ResponseForm.table.fields, body: .bytes(Array(text.utf8))) }

    /// Where the next page is: the same request, with the cursor.
    private static func more(_ cursor: String, _ target: RequestTarget) -> String {
        var items = target.query.filter { $0.name != "cursor" }  // ASCII
        items.append(QueryItem(name: "cursor", value: cursor))
        if !items.contains(where: { $0.name == "format" }) { items.append(QueryItem(name: "format", value: ResponseForm.table.rawValue)) }  // ASCII
        return "/v1/writers?" + QueryItem.text(of: items)
    }
}
