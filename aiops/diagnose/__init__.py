"""Finds out why: what to ask next, evidence for and against, and the cause, by ordered rules.

Pure (floor 1): answers of named queries come in, `Context` and `Diagnosis` go out. A root is a
state change (a version, a load, an instance), never a symptom; what nothing explains is `unknown`.
"""
