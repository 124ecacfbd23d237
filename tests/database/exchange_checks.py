"""What must hold for a working copy of `exchange_machine`, told from the rows of the hub and of the copy alone."""

from __future__ import annotations

from dataclasses import replace

from memory_hub import within
from quyhoach.processing_algorithms.provincial_database.changes import Change
from quyhoach.processing_algorithms.provincial_database.merge import Clash, same_row, same_value
from quyhoach.processing_algorithms.provincial_database.working_copies.conflict_review import Rule, conflicts


def rows_in(copy):
    """All rows of a working copy, by dataset and feature id."""
    found = {}
    for dataset in copy.datasets.values():
        ids = [id for (id,) in copy.database.execute(f'SELECT feature_id FROM "{dataset.name}"')]
        found |= {(dataset.name, id): row for id, row in copy.rows(dataset, ids).items()}
    return found


def edits_in(copy):
    """What an office has edited and the hub is not known to have, by dataset and feature id."""
    return {(change.dataset, change.feature_id): change for dataset in copy.datasets.values() for change in copy.edits(dataset)}


def edits_by_the_person(copy):
    """The same, but of a feature that was deleted here or there only what is other than before: should it come back, the rest
    may be theirs."""
    deleted = {key: dispute.base for key, dispute in disputes_in(copy).items() if dispute.base and (
        dispute.clash is Clash.DELETED_THEIRS or dispute.clash is Clash.DELETED_OURS and copy.row(copy.datasets[key[0]], key[1]))}
    return {key: replace(change, before=deleted.get(key, change.before)) for key, change in edits_in(copy).items()}


def edits_beyond(under_way, edits, rows):
    """What an office has edited beyond the changesets the hub has taken: those are history, whatever others make of them."""
    taken = {(change.dataset, change.feature_id): change.after for changeset in under_way for change in changeset.changes}
    beyond = {key: change for key, change in edits.items() if key not in taken}
    return beyond | {key: Change(*key, after, rows.get(key)) for key, after in taken.items() if not same_row(after, rows.get(key))}


def disputes_in(copy):
    return {(conflict.dataset, conflict.feature_id): conflict for conflict in conflicts(copy)}


def equal(first, second):
    return first.keys() == second.keys() and all(same_row(first[key], second[key]) for key in second)


def edits_are_kept(copy, edits_before, theirs):
    """What was edited before something was received is still there, settled by nobody but the person."""
    disputed, scopes = disputes_in(copy), {scope.dataset: scope for scope in copy.scopes()}
    for (name, id), change in edits_before.items():
        there = theirs.get((name, id))
        if has_arrived(change, there) and (name not in scopes or there is not None and not within(scopes[name], there)):
            continue  # the hub has the very same: nothing is left to keep it for
        present = copy.row(copy.datasets[name], id)
        if (name, id) in disputed:
            # In a dispute ours stays until somebody decides; a field only the hub has changed may come all the same.
            assert (present is None) == (change.after is None), "what is disputed came or went"
            for field in change.touched() if present is not None else ():
                assert same_value(present[field], change.after[field]), f"our disputed {field} was overwritten"
        elif change.after is None:
            assert present is None or not same_row(there, change.before), "a deleted feature came back"
        else:
            assert present is not None, "an edited feature disappeared"
            for field in change.touched():
                assert same_value(present[field], change.after[field]), f"our {field} was overwritten"


def knows_what_the_hub_has(copy, theirs, may_wait=(), *, restored=False):
    """After receiving: what the copy takes for the hub's rows are the hub's, all of its scope and nothing else.

    ``may_wait`` are features edited since the hub was asked: it was not asked for them by name. From a restored hub a copy
    of a part cannot tell what has left the part from what is gone: it disputes that, and asks for it by name the next time.
    """
    rows, disputed = rows_in(copy), disputes_in(copy)
    for scope in copy.scopes():
        dataset = copy.datasets[scope.dataset]
        touched = copy.edited_ids(dataset)
        ids = {id for name, id in {*rows, *theirs} if name == dataset.name} | touched
        for key in {(dataset.name, id) for id in ids} - set(may_wait):
            _, known = copy.base(dataset, key[1])
            there = theirs.get(key)
            if key in disputed and not (restored and there is not None and not within(scope, there) and disputed[key].theirs is None):
                assert same_row(disputed[key].theirs, there), "a dispute with what the hub has not"
            if there is not None and (within(scope, there) or known is not None):
                assert same_row(known, there), "what the hub has is missing, or is not what it has"
            else:
                assert known is None, "the hub has no such feature"
            if key[1] not in touched:
                assert known is None or within(scope, there), "neither edited nor in what the copy holds"


def nothing_is_lost(copy, before, theirs, parting):
    """After a comparison with a restored hub; ``parting`` is what it had where it parted from this copy's history: None if unknown."""
    disputed, scopes = disputes_in(copy), {scope.dataset: scope for scope in copy.scopes()}
    for key, had in before.items():
        now, there = copy.row(copy.datasets[key[0]], key[1]), theirs.get(key)
        if now is None:
            assert key not in disputed, "what is disputed disappeared"
            assert there is None or not within(scopes[key[0]], there), "what the hub has disappeared"
            assert there is not None and same_row(there, had) or parting is not None and same_row(parting.get(key), had), "lost with the backup"
            continue
        for name, value in had.items():
            taken = there is not None and same_value(now[name], there[name])
            taken = taken and parting is not None and (key not in disputed or name not in disputed[key].fields)
            assert same_value(now[name], value) or taken, f"{name} went back to the backup's"


def settled_row(conflict, present, rule, field):
    """The row a rule makes of a feature in dispute, and the fields that stay in dispute.

    Ours is what the person has in the layer now, edited since or not. Of the row before the dispute some fields may not be known.
    """
    side = {Rule.OURS: present, Rule.EDITED: present, Rule.THEIRS: conflict.theirs, Rule.BASE: conflict.base}[rule]
    chosen = conflict.fields if field is None else {field}
    unknown = {name for name in chosen if rule is Rule.BASE and side is not None and name not in side}
    if conflict.clash is Clash.FIELDS and present is not None and side is not None:
        return {**present, **{name: side[name] for name in chosen if name in side}}, conflict.fields - chosen | unknown
    return (present, conflict.fields) if unknown else (side, frozenset())


def was_sent(edits_before, disputed_before, theirs):
    """After a push that was taken: the hub has every edit that was not in dispute."""
    assert all(has_arrived(change, theirs.get(key)) for key, change in edits_before.items() if key not in disputed_before)


def has_arrived(change, there):
    """Whether the hub has what an edit makes of a row."""
    if there is None or change.after is None:
        return there is change.after
    return all(same_value(there[name], change.after[name]) for name in change.touched())
