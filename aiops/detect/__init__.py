"""Score workloads and find out whether an anomaly is sustained.

Pure: arrays in, arrays out. A learned model scores, it never decides. Everything fitted at run
time belongs to one series and one UTC day, so schedule and shard never change a score (law 8).
"""
