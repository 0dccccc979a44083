"""From a decision to a pull request a person can judge in a minute: plan, text, picture, identity.

Comes in: the items of an analysis. Goes out: canonical plans and proposals, on which every name that
others chose is inert. Pure text and choices; what is sent is sent by `edges`.
"""
