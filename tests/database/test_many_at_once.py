"""Twenty offices push at once: each lands or is told to pull, and the ledger replays to the table exactly. On both hubs.

Each office is a process with a working copy of its own. All edit the same parcels of a list, each its own field of text in
turn, and add one feature; whoever is told to pull pulls, settles what is disputed for itself, and pushes again.
"""

import concurrent.futures
import multiprocessing
import sqlite3

import pyproj
from exchange_rows import DATASETS, new_row
from hub_rows import replayed, rows_of
from postgis_rows import changeset
from quyhoach.processing_algorithms.common.errors import OutputError
from quyhoach.processing_algorithms.provincial_database.administration.administration import check_hub
from quyhoach.processing_algorithms.provincial_database.changes import Change, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.findings import State
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.hub import open_hub
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.conflict_review import Rule, conflicts, resolve
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push
from quyhoach.processing_algorithms.provincial_database.working_copies.working_copy import WorkingCopy

FACILITY = DATASETS[0]
OFFICES = 20
FEATURES = 12
ROUNDS = 20


def edit(path, office):
    """Sign some features, some of which others sign too, and add one."""
    database = sqlite3.connect(path, isolation_level=None)
    register_functions(database)
    database.execute("UPDATE facility SET note = coalesce(note, '') || ? WHERE (fid + ?) % 4 = 0", (f"{office:02} ", office))
    database.execute("INSERT INTO facility (name, kind, geom) SELECT ?, kind, geom FROM facility WHERE fid = 1", (f"Của {office}",))
    database.close()


def office_at_work(location, path, office):
    """Push until it lands; return how often it was told to pull, and how often another had the hub."""
    pulled = waited = 0
    edit(path, office)
    for _ in range(ROUNDS):
        try:
            with WorkingCopy(path) as copy, open_hub(location) as hub:
                outcome = push(copy, hub, author=str(office), message="cùng lúc").outcome
                if outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED):
                    return pulled, waited
                assert outcome is Outcome.STALE
                pull(copy, hub)
                pulled += 1
                if list(conflicts(copy)):
                    resolve(copy, Rule.OURS)
        except OutputError:
            waited += 1  # the file was taken for longer than one waits; nothing is lost, and it is tried again
    raise AssertionError(f"office {office} never landed")


def test_twenty_working_copies_push_at_once(hub_location, tmp_path):
    with open_hub(hub_location) as hub:
        first = [Change("facility", f"00000000-0000-0000-0000-{number:012}", None, new_row(FACILITY, f"Số {number}", number, None))
                 for number in range(1, FEATURES + 1)]
        assert hub.submit(changeset(*first)).outcome is Outcome.APPLIED
        paths = [tmp_path / f"văn phòng {office}.gpkg" for office in range(OFFICES)]
        for path in paths:
            checkout(path, hub, location="x", crs=pyproj.CRS(9214), datasets=[FACILITY],
                     scopes=[Scope("facility")]).close()
    with concurrent.futures.ProcessPoolExecutor(OFFICES, mp_context=multiprocessing.get_context("fork")) as pool:
        done = list(pool.map(office_at_work, [hub_location] * OFFICES, paths, range(OFFICES)))
    assert sum(pulled for pulled, _ in done) > 0, "nobody was in anybody's way"
    with open_hub(hub_location) as hub:
        rows = rows_of(hub)
        assert sorted(row["name"] for row in rows.values()) == sorted(
            [f"Số {number}" for number in range(1, FEATURES + 1)] + [f"Của {office}" for office in range(OFFICES)])
        notes = [note for note in hub.changesets() if note.message == "cùng lúc"]
        assert sorted(int(note.author) for note in notes) == list(range(OFFICES)), "each landed once"
        # The newest is the one committed last, which on PostGIS need not have the highest number.
        assert dict(hub.rows_as_of(FACILITY, notes[0].number)) == rows
        led_to, table = replayed(hub, FACILITY)
        assert led_to == table and table.keys() == rows.keys()
        # Each office's changeset has the three it has signed and the one it has added.
        assert {note.author: note.features for note in notes} == {str(office): {"facility": 4} for office in range(OFFICES)}
        assert [finding for finding in check_hub(hub) if finding.state is State.BROKEN] == []
    with open_hub(hub_location) as hub:
        for path in paths:
            with WorkingCopy(path) as copy:
                pull(copy, hub)
                held = {id: copy.row(FACILITY, id)
                        for (id,) in copy.database.execute("SELECT feature_id FROM facility")}
                assert held == rows and not list(copy.edits(FACILITY))
