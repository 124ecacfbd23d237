"""How much a pull would bring (cần nhận), without pulling: costs what has changed at the hub."""

from __future__ import annotations

from ...common.progress import Progress, silent
from ..changes import ExchangingHub
from .after_restore import delivered
from .incoming_rows import batches, sort_out, stored_bases, stored_rows
from .pull import asked_for
from .working_copy import WorkingCopy


def to_receive(copy: WorkingCopy, hub: ExchangingHub, *, progress: Progress = silent) -> dict[str, int] | None:
    """Count by dataset the features whose state at the hub is news to a working copy.

    What was sent from here is none. Nothing is written.

    Returns
    -------
    dict or None
        None: the hub was restored from a backup this copy is newer than, only a pull can tell.

    Raises
    ------
    InputError
        It is another hub.
    """
    news = dict.fromkeys(copy.datasets, 0)
    with delivered(hub, asked_for(copy), copy.position, copy.sent, progress=progress) as delivery:
        if delivery.whole or delivery.parting is not None:
            return None
        edited = {dataset.name: copy.edited_ids(dataset) for dataset in copy.datasets.values()}
        for batch in batches(delivery, copy.datasets, copy.srs_id):
            progress(0.5)
            dataset = copy.datasets[batch.dataset]
            ids = [*(str(row[0]) for row in batch.rows), *batch.gone]
            known = stored_bases(copy, dataset, batch.columns, [id for id in ids if id in edited[dataset.name]])
            found = sort_out(batch, stored_rows(copy, dataset, batch.columns, ids), edited[dataset.name], known,
                             trusted=True)
            news[dataset.name] += len(found.new) + len(found.changed) + len(found.gone) + len(found.merge)
    return news
