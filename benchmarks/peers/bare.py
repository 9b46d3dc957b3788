"""The run that every other program here is compared with: the same command line with nothing behind it."""

import sys

from kitchen.bare import argparse_main

sys.exit(argparse_main())
