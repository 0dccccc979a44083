"""The plant: a simulated service mesh for the demo, the tests and the closed loop.

Comes in: a call graph, faults, what the GitOps repository asks for, and a seed. Goes out: the
metrics that real exporters would write, and a matching repository. Pure and seeded: no network,
disk or clock. Nothing in here knows which answer aiops should give.
"""
