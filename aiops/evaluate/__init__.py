"""Looks back: what the job would have proposed over a span of history, and what people did.

Floor 3: drives `pipeline` through its ports, with worlds that end at a given time.
"""
