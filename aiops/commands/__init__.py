"""One module for each command: settings in, edges built, one stage function called, exit code out.

Imported only when its command runs, so that `--help` answers at once.
"""
