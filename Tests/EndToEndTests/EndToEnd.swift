import Testing

/// Tests on the real programs. One at a time, so that what one measures or counts is its own; `scripts/test.sh` runs
/// three parts of them side by side.
@Suite(.serialized) enum EndToEnd {}
