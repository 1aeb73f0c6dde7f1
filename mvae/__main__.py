"""`python -m mvae`: the program `mvae` where it is not on the PATH."""

import sys

from mvae.commands import main

if __name__ == '__main__':
    sys.exit(main())
