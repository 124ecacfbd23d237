"""Several offices on one hub, at random: a state machine any hub that keeps the contract can be put through.

Offices hold three datasets, all of them or a part that grows and shrinks. They edit (`exchange_rows`), pull, push, write
changes files and receive update files, which arrive late, twice or never; they settle disputes in every way there is, and
edit what is disputed before they do. Others edit the hub itself, and its keeper takes changesets back.

Whatever reaches the hub is also told to the hub in memory, which must give the same answer and hold the same rows. What
must hold for an office is in `exchange_checks`: what it has edited and not sent is still there after everything it receives,
and what it takes for the hub's rows are the hub's, no more and no less. At the end, when all have pushed and pulled, all are
equal, and the hub finds nothing wrong with itself.

The hub is backed up and put back now and then. What an office has that the backup lacks must be there after its next pull:
in its own rows, as edits, or in dispute.

With QUYHOACH_NIGHTLY=1 a run takes 10,000 steps, other ones each night.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from pathlib import Path

from exchange_checks import (
    disputes_in,
    edits_are_kept,
    edits_beyond,
    edits_by_the_person,
    edits_in,
    equal,
    knows_what_the_hub_has,
    nothing_is_lost,
    rows_in,
    settled_row,
    was_sent,
)
from exchange_rows import (
    COMMUNES,
    CRS,
    DATASETS,
    Edits,
    new_row,
    offices,
    picks,
    places,
    scopes_at_random,
    which,
    wkb,
    words,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from memory_hub import MemoryHub, within
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.progress import silent
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.merge import Clash, same_row
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.conflict_review import Rule, conflicts, resolve
from quyhoach.processing_algorithms.provincial_database.working_copies.exchange_file import (
    apply_changes,
    export_changes,
    export_update,
    import_update,
)
from quyhoach.processing_algorithms.provincial_database.working_copies.outgoing import freeze, pending
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push
from quyhoach.processing_algorithms.provincial_database.working_copies.working_copy_scope import change_scope

NIGHTLY = bool(os.environ.get("QUYHOACH_NIGHTLY"))
STEPS = 10_000 if NIGHTLY else 200
# Hypothesis keeps its first ten examples to a step or two: the steps taken are counted, not the examples.
SIZE = settings(max_examples=60, stateful_step_count=60, derandomize=False, print_blob=True) if NIGHTLY else settings(
    max_examples=20, stateful_step_count=25)
WHOLE = [Scope(dataset.name) for dataset in DATASETS]
#: What the offices hold at first.
PARTS = [WHOLE, [Scope("facility", frozenset(COMMUNES[:1])), Scope("hamlet", frozenset(COMMUNES[:2])), Scope("river")],
         [Scope("facility", frozenset(COMMUNES[1:])), Scope("hamlet")]]


def run(machine):
    """Put a hub's machine through all its steps."""
    machine.steps = 0
    while machine.steps < STEPS:
        run_state_machine_as_test(machine, settings=SIZE)
        print(f"{machine.__name__}: {machine.steps} steps", flush=True)
        if not NIGHTLY:
            break  # the same examples would come again
    assert machine.steps >= STEPS, "too few steps to tell anything"


class Exchange(Edits, RuleBasedStateMachine):
    """Subclasses give a fresh hub, how it is edited by other programs, backed up, restored, and what its health check finds."""

    #: Taken by all examples together.
    steps = 0

    def new_hub(self, folder):
        raise NotImplementedError

    def write_directly(self, rows):
        """Write rows (None: delete), by dataset and feature id, as another program does."""
        raise NotImplementedError

    def backed_up(self, hub):
        """A backup; None where it is somebody else's test."""
        return None

    def restored(self, backup):
        raise NotImplementedError

    def leave(self):
        """Nothing is wrong with the hub, which is then let go."""

    def rows_of(self, hub):
        with hub.deliver(WHOLE, None) as delivery:
            return {(name, feature_id): row for name, feature_id, row in delivery.rows}

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp())
        self.oracle = MemoryHub()
        self.hub = self.watched(self.new_hub(self.folder))
        rows = tuple(Change(dataset.name, str(uuid.UUID(int=100 * number + i)), None,
                            new_row(dataset, f"Số {i}", float(i), COMMUNES[i % 3]))
                     for number, dataset in enumerate(DATASETS) for i in range(1, 4))
        assert self.hub.submit(Changeset(str(uuid.uuid4()), "a", "", "đầu", "", "2026-11-22T00:00:00.000Z",
                                         rows)).outcome is Outcome.APPLIED
        self.copies = [checkout(self.folder / f"văn phòng {i}.gpkg", self.hub, location="hub", crs=CRS,
                                datasets=DATASETS, scopes=scopes) for i, scopes in enumerate(PARTS)]
        self.backup = None
        #: The rows of the hub at positions it goes on from, and at the backups other incarnations were restored from.
        self.at, self.partings = {self.hub.position(): self.rows_of(self.hub)}, {}
        self.requests, self.answers = [], []

    # the hub ------------------------------------------------------------------------------------------------------

    def watched(self, hub):
        """Let the hub in memory judge every answer of this one."""
        real = hub.submit

        def submit(changeset, progress=silent):
            receipt = real(changeset, progress)
            self.judge(receipt, self.oracle.submit(changeset))
            return receipt

        hub.submit = submit
        self.hub = hub
        return hub

    def judge(self, receipt, right):
        assert receipt.outcome is right.outcome, receipt
        if receipt.outcome is Outcome.APPLIED:
            self.oracle.applied[right.changeset_id] = receipt.number
        assert equal(self.rows_of(self.hub), self.oracle.rows)

    @rule(pick=picks, number=which, name=words, x=places, commune=st.sampled_from(COMMUNES),
          how=st.sampled_from(["rename", "move", "delete", "add", "back"]))
    def somebody_edits_the_hub(self, pick, number, name, x, commune, how):
        dataset, rows = DATASETS[number], self.rows_of(self.hub)
        present = sorted(key for key in rows if key[0] == dataset.name)
        edited = sorted({key for copy in self.copies for key in edits_in(copy) if key[0] == dataset.name})
        gone = [key for key in edited if key not in rows]
        if pick % 2:  # what offices have edited and not sent, half of the time
            present = [key for key in edited if key in rows] or present
        if how == "add" or how == "back" and gone:
            id = gone[pick % len(gone)][1] if how == "back" else str(uuid.uuid4())
            self.at_the_hub({(dataset.name, id): new_row(dataset, name, x, commune)})
        elif present and how != "back":
            key = present[pick % len(present)]
            moved = {"geom": wkb(dataset, x)} | ({"commune_code": commune} if dataset.commune_field else {})
            self.at_the_hub({key: None if how == "delete" else {**rows[key], **({"name": name} if how == "rename" else moved)}})

    @rule(number=which, name=words)
    def somebody_notes_many_at_the_hub(self, number, name):
        self.at_the_hub({key: {**row, "note": name} for key, row in self.rows_of(self.hub).items() if key[0] == DATASETS[number].name})

    def at_the_hub(self, rows):
        self.write_directly(rows)
        self.oracle.directly(rows)
        assert equal(self.rows_of(self.hub), self.oracle.rows)

    @rule(pick=picks)
    def a_changeset_is_taken_back(self, pick):
        numbers = sorted(self.oracle.applied.values())
        number = numbers[-1 - pick % len(numbers)]
        try:
            right = self.oracle.copied().revert(number)
        except InputError:
            right = None
        try:
            receipt = self.hub.revert(number, message="nhầm")
        except InputError:
            assert right is None
        else:
            assert right is not None
            self.judge(receipt, receipt if self.hub is self.oracle else self.oracle.revert(number))

    @rule()
    def back_up(self):
        made = self.backed_up(self.hub)
        if made is not None:
            partings = {**self.partings, self.hub.position().incarnation: self.rows_of(self.hub)}
            self.backup = made, partings, dict(self.at), self.oracle.copied()

    @precondition(lambda self: getattr(self, "backup", None))
    @rule()
    def put_the_backup_back(self):
        made, self.partings, at, oracle = self.backup
        self.at, self.oracle = dict(at), oracle.copied()
        self.watched(self.restored(made))

    # the offices --------------------------------------------------------------------------------------------------

    @rule(office=offices)
    def pull(self, office):
        self.received(office, lambda held: pull(held, self.hub), self.told, self.at, self.partings)
        self.at[self.hub.position()] = self.rows_of(self.hub)

    @rule(office=offices, wanted=scopes_at_random())
    def change_scope(self, office, wanted):
        """Refused where edits or disputes would leave; then it has pulled, and nothing else."""
        scopes = self.copies[office].scopes()

        def change(held):
            try:
                return change_scope(held, self.hub, wanted, crs=CRS).pulled
            except InputError:
                assert edits_in(held) or disputes_in(held), "refused without a reason"
                assert held.scopes() == scopes
                return pull(held, self.hub)

        self.received(office, change, self.told, self.at, self.partings)
        self.at[self.hub.position()] = self.rows_of(self.hub)

    @rule(office=offices)
    def write_changes_file(self, office):
        path = self.folder / f"thay đổi {len(self.requests)}.qhz"
        content = export_changes(self.copies[office], path, author="ân", message="qua thư")
        asked = {(scope.dataset, id) for scope in content.scopes for id in scope.features}
        self.requests.append((office, path, asked))

    @precondition(lambda self: getattr(self, "requests", None))
    @rule(pick=st.integers(0, 3))
    def changes_file_arrives(self, pick):
        """It stays where it is, so it may arrive again."""
        office, path, asked = self.requests[-1 - pick % len(self.requests)]
        answer = self.folder / f"cập nhật {len(self.answers)}.qhz"
        apply_changes(self.hub, path)
        export_update(self.hub, path, answer)
        rows, at = self.rows_of(self.hub), dict(self.at)
        self.at[self.hub.position()] = rows
        self.answers.append((office, answer, (rows, set(self.oracle.applied)), at, self.partings, asked))

    @precondition(lambda self: getattr(self, "answers", None))
    @rule(pick=st.integers(0, 3))
    def update_file_arrives(self, pick):
        office, answer, theirs, at, partings, asked = self.answers[-1 - pick % len(self.answers)]
        self.received(office, lambda held: import_update(held, answer), lambda: theirs, at, partings, asked)

    def told(self):
        """The rows the hub has, and the changesets."""
        return self.rows_of(self.hub), set(self.oracle.applied)

    def received(self, office, receive, told, at, partings, asked=None):
        """Receive, from a hub of which ``told`` tells; a file made for another state is refused, which changes nothing."""
        held = self.copies[office]
        rows_before, edits_before, position, under_way = rows_in(held), edits_by_the_person(held), held.position, pending(held)
        waiting = set() if asked is None else {(name, id) for name, dataset in held.datasets.items()
                                               for id in held.edited_ids(dataset)} - asked
        parting = at.get(position, partings.get(position.incarnation))
        try:
            report = receive(held)
        except InputError:
            assert edits_by_the_person(held) == edits_before and rows_in(held) == rows_before
            return
        theirs, taken = told()
        if report.restored:
            nothing_is_lost(held, {key: row for key, row in rows_before.items() if key[0] in held.datasets}, theirs, parting)
        arrived = [changeset for changeset in under_way if changeset.changeset_id in taken]
        edits_are_kept(held, edits_beyond(arrived, edits_before, rows_before), theirs)
        if held.position != position or asked is None:
            knows_what_the_hub_has(held, theirs, waiting, restored=report.restored)

    @rule(office=offices, only=st.one_of(st.none(), st.sampled_from([dataset.name for dataset in DATASETS])))
    def push(self, office, only):
        copy = self.copies[office]
        disputed, taken = disputes_in(copy), set(self.oracle.applied)
        arrived = [changeset for changeset in pending(copy) if changeset.changeset_id in taken]
        before = edits_beyond(arrived, edits_in(copy), rows_in(copy))
        report = push(copy, self.hub, author="ân", message="thử", datasets=only and [only])
        if report.outcome is Outcome.APPLIED:
            was_sent({key: change for key, change in before.items() if only in (None, key[0])}, disputed, self.rows_of(self.hub))

    @rule(office=offices)
    def freeze_and_lose_the_line(self, office):
        freeze(self.copies[office], author="ân", message="đứt mạng")

    @precondition(lambda self: any(any(conflicts(copy)) for copy in getattr(self, "copies", [])))
    @rule(office=offices, pick=picks, choice=st.sampled_from(Rule), how=st.sampled_from(["all", "dataset", "one", "one", "field"]))
    def settle(self, office, pick, choice, how):
        copy = self.copies[self._in_dispute(office)]
        disputed, before = disputes_in(copy), rows_in(copy)
        (name, id), picked = list(disputed.items())[pick % len(disputed)]
        field = min(picked.fields) if how == "field" and picked.clash is Clash.FIELDS else None
        chosen = {key: conflict for key, conflict in disputed.items() if how == "all" or key[0] == name and (how == "dataset" or key[1] == id)}
        resolve(copy, choice, dataset=None if how == "all" else name, feature_ids={id} if how in ("one", "field") else None, field=field)
        right = {key: settled_row(conflict, before.get(key), choice, field) for key, conflict in chosen.items()}
        after = {key: row for key, (row, _) in right.items() if row is not None}
        assert equal(rows_in(copy), {key: row for key, row in before.items() if key not in chosen} | after)
        left = {key: conflict.fields for key, conflict in disputes_in(copy).items()}
        assert left == {key: right[key][1] if key in chosen else conflict.fields for key, conflict in disputed.items()
                        if key not in chosen or right[key][1]}
        for key, conflict in chosen.items():
            _, known = copy.base(copy.datasets[key[0]], key[1])
            assert same_row(known, conflict.theirs), "what is settled is measured against what the hub has"

    @invariant()
    def identities_are_unique(self):
        type(self).steps += 1
        for copy in getattr(self, "copies", []):
            for name in copy.datasets:
                assert not copy.database.execute(f'SELECT 1 FROM "{name}" GROUP BY feature_id HAVING count(*) > 1 OR feature_id IS NULL').fetchone()

    @invariant()
    def status_counts_what_the_edits_are(self):
        for copy in getattr(self, "copies", [])[type(self).steps % 3:][:1]:
            for line in copy.status():
                ends = [(change.before is not None, change.after is not None) for change in copy.edits(line.dataset)]
                assert (line.added, line.changed, line.deleted) == tuple(
                    ends.count(kind) for kind in ((False, True), (True, True), (True, False)))

    def teardown(self):
        if not hasattr(self, "copies"):
            return
        for copy in self.copies:
            # Once is enough, but for what a copy of a part cannot tell after a restore: it asks for that by name the second time.
            for taken in (Outcome.STALE, None):
                pull(copy, self.hub)
                if list(conflicts(copy)):
                    resolve(copy, Rule.OURS)
                assert push(copy, self.hub, author="ân", message="cuối").outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED, None, taken)
        rows = self.rows_of(self.hub)
        for copy in self.copies:
            pull(copy, self.hub)
            assert not edits_in(copy) and not disputes_in(copy)
            scopes = {scope.dataset: scope for scope in copy.scopes()}
            assert equal(rows_in(copy), {key: row for key, row in rows.items() if key[0] in scopes and within(scopes[key[0]], row)})
            change_scope(copy, self.hub, WHOLE, crs=CRS)
            assert equal(rows_in(copy), rows) and not edits_in(copy), "grown to everything"
            copy.close()
        self.leave()
        shutil.rmtree(self.folder, ignore_errors=True)
