"""`aiops score`: anomaly scores for any wide table, seeing only the past."""

from __future__ import annotations

from pathlib import Path

from aiops import connect, terminal
from aiops.commands.run import failed
from aiops.detect import wide
from aiops.edges import model_store, table
from aiops.errors import AiopsError, ModelRefused


def score(
    file: Path,
    output: Path,
    *,
    model: Path | None,
    train_rows: int | None,
    columns: str | None,
    drop: str | None,
    as_json: bool,
) -> int:
    """Read a table, score every row, write a table of scores. Returns the exit code."""
    try:
        given = table.read(file, columns=_names(columns), drop=_names(drop))
        for notice in given.notices:
            terminal.say(f"note: {notice}", stderr=True)
        with terminal.progress() as tell:
            tell(f"scoring {given.values.shape[0]} rows x {given.values.shape[1]} columns")
            found = None
            try:
                found = model_store.load(model or connect.starter())
            except ModelRefused as error:
                terminal.line(f"warning: {error}; the isolation forest scores instead", stderr=True)
            scored = wide.score_table(given, train_rows, found)
        table.write(output, given, scored)
    except AiopsError as error:
        return failed(error, None, as_json=as_json)
    summary = {
        "schema": "aiops.score/1",
        "rows": len(given.timestamps),
        "train_rows": scored.train_rows,
        "columns": list(given.columns),
        "scorer": scored.scorer,
        "fallback_reason": scored.fallback_reason,
        "output": str(output),
    }
    if as_json:
        terminal.document(summary)
    else:
        terminal.say(
            f"{summary['rows']} rows x {len(given.columns)} columns by {scored.scorer}, "
            f"the first {scored.train_rows} as history, written to {output}"
        )
    return 0


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())
