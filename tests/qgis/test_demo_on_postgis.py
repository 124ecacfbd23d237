"""What scripts/demo --postgis adds: two wards and the Department of Construction on a real PostGIS that it starts itself."""

import os
import sqlite3
import zipfile
import zlib
from contextlib import closing
from pathlib import Path

from hub_rows import replayed, rows_of
from quyhoach.processing_algorithms.provincial_database.interface import check_hub, open_hub
from quyhoach.scripts.demonstration.offices import work_together
from quyhoach.scripts.demonstration.postgis import hub_with_parcels

TOWN = Path(__file__).resolve().parents[2] / "data_samples" / "town.gpkg"
WARDS = {"phuong_lam_trach": "99004", "phuong_bac_trach": "99019"}


def parcels(path):
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return {row["feature_id"]: row for row in database.execute("SELECT * FROM parcel")}


def contents(path):
    """All bytes of a file, of an archive those of its parts unpacked."""
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return b"".join(zlib.decompress(part) if name.endswith(".z") else part for name, part in parts.items())


def test_three_offices_agree_in_the_end(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "của người khác")
    folder = tmp_path / "các cơ quan"
    with hub_with_parcels(TOWN) as location:
        password = os.environ["PGPASSWORD"]
        assert password != "của người khác" and password not in location
        story = work_together(location, folder, TOWN)
        with open_hub(location) as hub:
            dataset, rows = hub.dataset("parcel"), rows_of(hub, "parcel")
            led_to, table = replayed(hub, dataset)
            assert led_to == table and table.keys() == rows.keys()
            assert [finding for finding in check_hub(hub) if finding.state.name == "BROKEN"] == []
            notes = [(note.message, note.department, note.decision_no, note.features) for note in hub.changesets()]
    assert os.environ["PGPASSWORD"] == "của người khác"

    # The Department first, then the ward that was told to pull, then the ward without a network.
    assert notes[:3] == [("Cập nhật quý IV", "Phường Bắc Trạch", "", {"parcel": 2}),
                         ("Cập nhật kết quả đo đạc", "Phường Lam Trạch", "", {"parcel": 3}),
                         ("Rà soát ranh giới đồ án", "Sở Xây dựng", "1203/QĐ-UBND", {"parcel": 2})]
    assert (story.conflicts, story.sent, story.by_file) == (1, 5, 2)
    whole = parcels(folder / "so_xay_dung.gpkg")
    assert whole.keys() == rows.keys()
    assert story.checked_out == len(rows) + sum(row["commune_code"] in WARDS.values() for row in rows.values())
    for name, commune in {**WARDS, "so_xay_dung": None}.items():
        held = parcels(folder / f"{name}.gpkg")
        assert held.keys() == {id for id, row in rows.items() if commune in (None, row["commune_code"])}
        assert all(held[id][field] == rows[id][field] for id in held for field in ("note", "address", "land_code"))
    surveyed = {id: row for id, row in rows.items() if row["note"] == "Đã đo đạc lại tháng 11/2026"}
    assert len(surveyed) == 3 and {row["commune_code"] for row in surveyed.values()} == {"99004"}, "the ward's side was taken"
    assert sum(row["address"] == "Đường Trung Tâm" for row in surveyed.values()) == 1, "the Department's other field has stayed"
    assert {row["commune_code"] for row in rows.values() if row["note"] == "Chuyển qua USB"} == {"99019"}

    printed = "".join(capfd.readouterr())
    assert "Traceback" not in printed and password not in printed
    for path in folder.iterdir():
        assert password.encode() not in contents(path), path
        assert path.suffix != ".qhz" or str(tmp_path).encode() not in contents(path)
    assert sorted(path.suffix for path in folder.iterdir()) == [".gpkg"] * 3 + [".qhz"] * 2
