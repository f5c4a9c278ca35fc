"""What Penstock is measured beside. Each peer says why it is missing instead of failing the run."""
