"""All network and disk: Prometheus, recordings, git, GitHub, the local forge, model files.

Everything that comes in is untrusted: capped in size and time, checked in shape, and turned into
one of the errors of `aiops.errors` here, once. Heavy packages are imported where they are used.
"""
