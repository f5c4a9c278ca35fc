enum StreamWriterPlaceholder {}
