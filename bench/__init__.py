"""The benchmark of Penstock beside its peers. README.md says how each figure is made."""
