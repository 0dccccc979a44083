"""aiops: an anomaly detector that opens GitOps pull requests.

Floors: `domain`, `errors` (0); `ingest`, `detect`, `diagnose`, `decide`, `gitops`, `propose`,
`mesh` (1, pure); `edges` (2, all network and disk); `config`, `evaluate`, `pipeline` (3);
`cli` and what it prints (4). Imports run to the same or a lower floor, never up.
"""

__version__ = "0.1.0"
