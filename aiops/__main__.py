"""`python -m aiops` is the same as `aiops`."""

from aiops.cli import main

main()
