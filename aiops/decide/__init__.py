"""Decides: how much, to which tag, or which rule holds it back.

Pure (floor 1). The order is gates, ownership, cause, action, caps; a gate that fails is a `Hold`
with its rule. `guardrails` is the fleet-wide part and is reviewed alone: everything in it fails closed.
"""
