import Glibc
import PatternedMemory
import StreamWriter

// Runs filters, encoders and muxers over inputs that few send: one line of standard input names one of
// them, and a line of standard output says what came of each case. Every case runs in a fork, so that one
// that dies is a line as well. What is not written by anybody holds a pattern that the command line
// chooses: where two runs with different patterns give different lines, somebody read it.
//
// Usage: fault-run BLOCK TAILS GUARD: the byte that new blocks hold, 1 where some bytes behind them hold it
// too, and the byte beyond those and on the stack.
let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
guard numbers.count == 3, let block = UInt8(exactly: numbers[0]), let guardByte = UInt8(exactly: numbers[2]) else {
    fatalError("usage: fault-run BLOCK TAILS GUARD")
}
// Others measure how long something takes.
setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
StreamWriter.warmUp()
patterned_memory_fill(block, Int32(numbers[1]), guardByte)
Unwritten.byte = guardByte
while let line = readLine() {
    let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    ForkedBatch(name: fields[0..<2].joined(separator: " "), cases: Subject(fields).cases).run()
}
