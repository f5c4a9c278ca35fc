import Logging
import ServiceLog
import SystemIO
import WriterAPI

// penstock-encoder without its policy: what clients ask for reaches libav unjudged, so that tests
// see what the sandbox holds back by itself. Never installed.
let log = ProcessLog.make(arguments: CommandLine.arguments, label: "encoder")
ChildProcess.exit(ForkServer(control: 3, clientPolicy: .absent, arguments: CommandLine.arguments, log: log).run())
