import Foundation

/// NumPy's file format, written by hand from numpy.lib.format's description.
struct NPY {
    var version: UInt8 = 1
    var dtype: String
    var fortranOrder = false
    var shape: [Int]
    var data: Data

    var file: Data {
        let lengths = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
        var head =
            "{'descr': '\(dtype)', 'fortran_order': \(fortranOrder ? "True" : "False"), 'shape': (\(lengths)), }"
        let lengthBytes = version == 1 ? 2 : 4
        head += String(repeating: " ", count: 63 - (8 + lengthBytes + head.utf8.count) % 64) + "\n"
        var file = Data([0x93]) + Data("NUMPY".utf8) + Data([version, 0])
        for index in 0..<lengthBytes { file.append(UInt8(truncatingIfNeeded: head.utf8.count >> (8 * index))) }
        return file + Data(head.utf8) + data
    }
}
