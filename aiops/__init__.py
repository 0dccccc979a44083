"""aiops: an anomaly detector that opens GitOps pull requests.

Floors: `domain`, `errors` (0); `ingest`, `detect`, `diagnose`, `decide`, `gitops`, `propose`,
`mesh` (1, pure); `edges` (2, all network and disk); `config`, `ports`, `pipeline`, `report` (3);
`cli`, `commands`, `connect`, `terminal` (4). Imports run to the same or a lower floor, never up.
"""

__version__ = "0.1.0"
