"""The list of a hub's datasets, as a table."""

from __future__ import annotations

import pandas

from ..common.language import say
from .hub import DatasetSummary, Hub, chosen_datasets
from .imports.incoming_values import VIETNAM

_SECRECY = {"public": ("Công khai", "Public"), "internal": ("Nội bộ", "Internal"),
            "restricted": ("Hạn chế", "Restricted")}


def list_datasets(hub: Hub, names: str = "") -> pandas.DataFrame:
    """Describe datasets, one row each.

    Parameters
    ----------
    hub : Hub
    names : str
        Names, ids or labels separated by commas; blank is all.

    Returns
    -------
    DataFrame
        dataset_id, dataset, label, geometry, crs, features, x_min, y_min, x_max, y_max (whole metres, outwards; null if
        empty), changed_at (Vietnamese time), imports, rejected (rows kept aside by imports), secrecy.

    Raises
    ------
    InputError
        A name is no dataset of the hub.
    """
    summaries = hub.summaries([dataset.name for dataset in chosen_datasets(hub.datasets, names)])
    table = pandas.DataFrame([_row(summary, hub.info.crs.to_string()) for summary in summaries])
    for name in ("x_min", "y_min", "x_max", "y_max"):
        table[name] = table[name].astype(float)
    return table


def _row(summary: DatasetSummary, crs: str) -> dict[str, object]:
    extent = summary.extent or (None,) * 4
    return {
        "dataset_id": summary.dataset.id, "dataset": summary.dataset.name, "label": str(summary.dataset.label),
        "geometry": summary.dataset.geometry or "", "crs": crs if summary.dataset.geometry else "",
        "features": summary.count,
        **dict(zip(("x_min", "y_min", "x_max", "y_max"), extent)),
        "changed_at": f"{summary.changed_at.astimezone(VIETNAM):%Y-%m-%d %H:%M:%S}" if summary.changed_at else None,
        "imports": summary.imports, "rejected": summary.rejected, "secrecy": say(*_SECRECY[summary.dataset.secrecy]),
    }
