import Testing

/// Tests on the real programs. One at a time, so that what one measures or counts is its own.
@Suite(.serialized) enum EndToEnd {}
