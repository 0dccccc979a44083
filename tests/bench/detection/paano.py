"""PaAno (jinnnju/PaAno, ICLR 2026) on a sample, from a checkout that the user names: PAANO=folder.

Its code is imported where it lies and never copied. Settings of its script/run_{uni,mul}.sh; fitted
on the history rows. Where PaAno gives a row the mean of all patches around it, which end up to 63
rows later, a row here has the score of the patch that ends with it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
from bench.detection.measures import forward_filled
from numpy.typing import NDArray

NAME = "PaAno"
# One short series of each NAB domain: minutes each on one core.
SAMPLE = (
    "realAWSCloudwatch__ec2_cpu_utilization_24ae8d",
    "realKnownCause__rogue_agent_key_hold",
    "realTweets__Twitter_volume_AAPL",
    "realAdExchange__exchange-2_cpc_results",
)
_SEED = 2027


def score(values: NDArray[np.float64], train_len: int, step_s: int) -> NDArray[np.float64]:
    """Return the distance of the patch that ends at each row to the nearest patches of the history."""
    import torch

    sys.path.insert(0, os.environ["PAANO"])
    import main as theirs  # type: ignore[import-not-found]

    torch.set_num_threads(1)
    torch.manual_seed(_SEED)
    np.random.seed(_SEED)  # noqa: NPY002 - theirs draws from it
    filled = np.stack([forward_filled(column) for column in values.T], axis=1).astype(np.float32)
    patch = 64 if values.shape[1] == 1 else 96
    rows: Any = filled[:, 0] if values.shape[1] == 1 else filled
    history = rows[:train_len]
    creator = theirs.PatchCreator(L=patch, s=1, random_seed=_SEED)
    training, everything, _ = creator.create_dataloaders(history, rows, np.zeros(len(rows)), batch_size=512)
    device = torch.device("cpu")
    model = theirs.PatchEncoder(in_channels=values.shape[1], use_revin=True).to(device)
    patches = theirs.preprocess_to_patches(history, patch_size=patch, stride=1)
    theirs.train_model(model, training, patches, device, num_iter=200, pretext_step=patch, lr=1e-4)
    bank, _ = theirs.create_memory_bank(model, training, device, num_cores=0.1)
    found = theirs.calculate_anomaly_scores(model, everything, bank, top_k=3, device=device)
    return np.concatenate([np.full(patch - 1, found[0]), np.asarray(found, dtype=float)])
