import WriterModel

/// Pages of several nodes as one, the newest first.
package struct WriterMerge {
    package private(set) var texts: [ArraySlice<UInt8>] = []
    /// Of the page's last, when there are more.
    package private(set) var nextCursor: String?

    /// It ends at the limit, or where one node's page does that has another behind it: what comes then may be that node's.
    package init(_ pages: [WriterPage], limit: Int) {
        var starts = pages.map { _ in 0 }
        var last: WriterPage.Position?
        var hasMore = false
        while true {
            let open = pages.indices.filter { starts[$0] < pages[$0].entries.count }
            let next = open.max { Self.position(pages[$0], starts[$0]) < Self.position(pages[$1], starts[$1]) }
            let isCut = pages.indices.contains { pages[$0].hasMore && starts[$0] == pages[$0].entries.count }
            guard let next, texts.count < limit, !isCut else {
                hasMore = isCut || next != nil
                break
            }
            last = Self.position(pages[next], starts[next])
            texts.append(pages[next].entries[starts[next]].text)
            starts[next] += 1
        }
        nextCursor = hasMore ? last?.cursor : nil
    }

    private static func position(_ page: WriterPage, _ index: Int) -> WriterPage.Position {
        WriterPage.Position(ofNode: page.entries[index].position, node: page.node)
    }
}
