import Logging
import ServiceLog
import SystemIO
import WriterAPI

// The fork server: `penstock serve` starts it, with a control socket as descriptor 3. It has
// one thread until it ends; every encoder is a fork of it.
let log = ProcessLog.make(arguments: CommandLine.arguments, label: "encoder")
if CommandLine.arguments.contains("--fork-server") {  // ASCII
    ChildProcess.exit(ForkServer(control: 3, clientPolicy: .enforced, arguments: CommandLine.arguments, log: log).run())
}
guard CommandLine.arguments.contains("--versions") else {  // ASCII
    StandardError.write(
        Array("penstock-encoder is started by \"penstock serve\"; it does nothing on its own.\n".utf8))
    ChildProcess.exit(64)
}
// `penstock check` asks: the gateway's program links no libav. Nothing else of this process is on standard output.
print(LibavVersions.line)
