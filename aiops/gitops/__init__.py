"""Where a field of a workload lives in the repository, and how it is changed there.

An edit replaces one scalar, writes one key or list entry, or takes one marker away, and leaves every
other byte alone. Pure: bytes in, places and bytes out. Nothing here runs git, a template engine or
anything else that the repository brings along. What cannot be known is refused with one line, never guessed.
"""
