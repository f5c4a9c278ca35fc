/// What a request asks for, by who responds to it. The names within are the operationIds of openapi.yaml, by
/// which the metrics count too.
public enum Operation: Hashable, Sendable {
    /// The gateway, to those who run the server.
    case server(ServerOperation)
    /// The gateway, of every writer that the caller may see.
    case listWriters
    /// An encoder that is started for the writer; its own encoder, or the gateway, when it is there already.
    case creation(CreationOperation)
    /// The writer's encoder; once it has ended, the gateway.
    case writer(WriterOperation)
    /// An encoder that is started for the request.
    case encode
    /// The process that is asked what libav can do.
    case catalog(CatalogOperation)

    public var id: String {
        switch self {
        case .server(let operation): operation.rawValue
        case .listWriters: "listWriters"
        case .creation(let operation): operation.rawValue
        case .writer(let operation): operation.rawValue
        case .encode: "encode"
        case .catalog(let operation): operation.rawValue
        }
    }
}

public enum ServerOperation: String, Sendable, CaseIterable {
    case livez, readyz, getMetrics, getContract
}

public enum CreationOperation: String, Sendable, CaseIterable {
    case createWriter, putWriter
}

public enum WriterOperation: String, Sendable, CaseIterable {
    case getWriter, deleteWriter
    case addStream, setMetadata, openWriter, flushWriter, finalizeWriter
    case writeChunk, getUploadOffset
    case requestKeyFrame, changeStream
    case getOutput, getNamedOutput
    case addOutput, removeOutput, retryOutput
}

public enum CatalogOperation: String, Sendable, CaseIterable {
    case listMuxers, getMuxer, listOutputDevices, listAudioEncoders, listVideoEncoders, getEncoder
    case listFilters, getFilter, listOutputProtocols
    case getVersion
}
