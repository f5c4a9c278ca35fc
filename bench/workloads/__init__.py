"""One file a workload. Each has run(settings), which yields its cases as they are done."""
