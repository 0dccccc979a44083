"""Where a field of a workload lives in the repository, and how its one scalar is replaced.

Pure: bytes in, places and bytes out. Nothing here runs git, a template engine or anything else
that the repository brings along. What cannot be known is refused with one line, never guessed.
"""
