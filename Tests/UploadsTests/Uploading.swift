import Testing

/// One after the other: each waits with a thread that the tests of other modules want as well.
@Suite(.serialized) enum Uploading {}
