"""aiops: an anomaly detector that opens GitOps pull requests.

Floors: `domain`, `errors` (0); `limits`, `ports`, `ingest`, `detect`, `diagnose`, `decide`, `gitops`,
`propose`, `mesh` (1, pure); `edges` (2, all network and disk); `config`, `job`, `pipeline`,
`reading`, `report` (3); `cli`, `commands`, `connect`, `terminal` (4). Imports run to the same or a lower
floor, never up; tests/test_floors.py holds it.
"""

__version__ = "0.1.0"
