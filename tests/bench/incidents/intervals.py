"""How sure a count is: Wilson's interval of a share, the exact Poisson interval of a rate."""

from __future__ import annotations

import math

from scipy.stats import chi2

Z = 1.959964  # 95 %, two-sided


def wilson(found: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927, https://doi.org/10.2307/2276774); NaN of none."""
    if not of:
        return math.nan, math.nan
    share, square = found / of, Z * Z / of
    middle = (share + square / 2) / (1 + square)
    reach = Z / (1 + square) * math.sqrt(share * (1 - share) / of + square / (4 * of))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def poisson(count: int, exposure: float) -> tuple[float, float]:
    """Return the exact 95 % interval of a rate (Garwood 1936, https://doi.org/10.1093/biomet/28.3-4.437)."""
    if exposure <= 0:
        return math.nan, math.nan
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return float(low) / exposure, float(chi2.ppf(0.975, 2 * count + 2)) / 2 / exposure
