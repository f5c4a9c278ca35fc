"""`python -m penstock`: send media to a server, and look at what it does and can do."""

import sys

from ._cli.main import main

if __name__ == "__main__":
    sys.exit(main())
