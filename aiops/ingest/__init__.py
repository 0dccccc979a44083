"""From telemetry to panels: named PromQL per source, and the grid its answers are laid on.

Pure: no network, disk, clock or logging. Label values are hostile text; what is dropped is
returned as data.
"""
