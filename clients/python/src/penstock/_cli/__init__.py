"""The command line: `python -m penstock send|status|encoders|doctor`."""
