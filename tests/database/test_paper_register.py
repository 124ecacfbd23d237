"""The register of papers on both hubs: drafts move, signed papers stay as they are, in a push as in another program."""

import datetime
import sqlite3
from contextlib import closing

import geopandas
import pyproj
import pytest
import shapely
from quyhoach.processing_algorithms.common.errors import InputError, OutputError
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.imports.hub_import import import_layer
from quyhoach.processing_algorithms.provincial_database.postgis.connection import transaction
from quyhoach.processing_algorithms.zoning.paper import paper_register
from quyhoach.processing_algorithms.zoning.paper.paper_register import (
    find_papers,
    local_register,
    register_drafts,
    shape_for,
    take_step,
)
from quyhoach.processing_algorithms.zoning.paper.paper_snapshot import digest, short_code
from quyhoach.processing_algorithms.zoning.plans.plan_answers import plan_answers
from quyhoach.processing_algorithms.zoning.plans.plan_sources import hub_parcels, hub_sources, parcel_now

CRS = pyproj.CRS.from_epsg(9214)
DAY = datetime.date(2026, 11, 25)


@pytest.fixture(params=["local", "geopackage", "postgis"])
def hub(request, tmp_path):
    if request.param == "postgis":
        yield request.getfixturevalue("postgis_hub")
        return
    made = (local_register(tmp_path, CRS) if request.param == "local" else
            create_hub(str(tmp_path / "hub.gpkg"), CRS, datasets=list(load_catalogue().values())))
    with made as hub:
        yield hub


def draft(hub, text="{}"):
    return {"status": "draft", "snapshot": text, "content_digest": digest(text), "paper_code": short_code(digest(text)),
            "geom": shape_for(hub, shapely.box(500000, 1800000, 500010, 1800010), CRS)}


def code_of(text):
    return short_code(digest(text))


def signed(hub, text="{}", number="12/TTQH"):
    register_drafts(hub, [draft(hub, text)], message="thử")
    return take_step(hub, find_papers(hub, code=code_of(text))[0], "signed", number=number, date=DAY)


def test_a_paper_goes_its_way(hub):
    assert register_drafts(hub, [draft(hub, "{}"), draft(hub, "[]"), draft(hub, "{}")], message="thử") == 2
    assert register_drafts(hub, [draft(hub, "{}")], message="thử") == 0  # the same content is the same paper
    entry = find_papers(hub, code=code_of("{}"))[0]
    entry = take_step(hub, take_step(hub, entry, "submitted"), "signed", number=" 12/TTQH ", date=DAY)
    again = find_papers(hub, number="12/TTQH")
    assert [one.code for one in again] == [code_of("{}")]
    assert (again[0].status, again[0].row["issued_date"], again[0].snapshot) == ("signed", "2026-11-25", "{}")
    assert take_step(hub, again[0], "replaced").status == "replaced"
    assert find_papers(hub, number="13/TTQH") == []


def test_steps_that_are_none_are_refused(hub):
    entry = signed(hub)
    with pytest.raises(InputError, match="không chuyển sang"):
        take_step(hub, entry, "draft")
    register_drafts(hub, [draft(hub, "[]")], message="thử")
    other = find_papers(hub, code=code_of("[]"))[0]
    with pytest.raises(InputError, match="phải có số và ngày"):
        take_step(hub, other, "signed", number="13")
    with pytest.raises(InputError, match="đã dùng cho văn bản khác"):
        take_step(hub, other, "signed", number="12/TTQH", date=DAY)
    with pytest.raises(InputError, match="Hãy cho số"):
        find_papers(hub)


def write(hub, statement):
    """Write as another program does."""
    if hasattr(hub, "path"):
        with closing(sqlite3.connect(hub.path, isolation_level=None)) as database:
            register_functions(database)
            database.execute(statement.format(table="planning_paper"))
    else:
        with transaction(hub.connection) as cursor:
            cursor.execute(statement.format(table="quyhoach_data.planning_paper"))


REFUSED = {
    "another snapshot": "UPDATE {table} SET snapshot = 'x'",
    "another number": "UPDATE {table} SET paper_number = '1'",
    "back to draft": "UPDATE {table} SET status = 'draft'",
    "replaced with other figures": "UPDATE {table} SET status = 'replaced', content_digest = '" + "0" * 64 + "'",
    "deleted": "DELETE FROM {table}",
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("state", ["signed", "replaced"])
def test_a_signed_paper_stays_as_it_is_whoever_writes(hub, statement, state):
    entry = signed(hub)
    if state == "replaced":
        entry = take_step(hub, entry, "replaced")
    with pytest.raises(Exception, match="không được sửa, xóa"):
        write(hub, statement)
    found = find_papers(hub, code=entry.code)
    assert [one.row for one in found] == [entry.row]


def test_a_signed_paper_cannot_be_replaced_under_its_own_row(tmp_path):
    with local_register(tmp_path, CRS) as hub:
        entry = signed(hub)
        columns = "fid, geom, feature_id, status, snapshot"
        with pytest.raises(sqlite3.IntegrityError, match="không được sửa, xóa"):
            write(hub, f"REPLACE INTO {{table}} ({columns}) SELECT fid, geom, feature_id, 'draft', 'x' FROM {{table}}")
        assert find_papers(hub, code=entry.code)[0].row == entry.row


def test_a_paper_is_not_signed_without_number_date_and_snapshot(hub):
    register_drafts(hub, [draft(hub)], message="thử")
    for missing in ("paper_number", "issued_date", "snapshot"):
        given = {"paper_number": "'1'", "issued_date": "'2026-11-25'", "snapshot": "'x'"} | {missing: "NULL"}
        with pytest.raises(Exception, match="phải có số, ngày"):
            write(hub, "UPDATE {table} SET status = 'signed', " + ", ".join(f"{k} = {v}" for k, v in given.items()))
    write(hub, "UPDATE {table} SET note = 'bản nháp sửa được'")
    write(hub, "DELETE FROM {table}")
    assert find_papers(hub, code=code_of("{}")) == []


def test_a_push_cannot_change_a_signed_paper_either(hub):
    entry = signed(hub)
    with pytest.raises(OutputError, match="không được sửa, xóa"):
        paper_register._submit(hub, [Change("planning_paper", entry.feature_id, entry.row, entry.row | {"note": "x"})],
                               "")


def test_a_hub_gives_the_plans_around_a_parcel(hub):
    if len(hub.datasets) == 1:
        with pytest.raises(InputError, match="không có đồ án"):
            hub_sources(hub, (0, 0, 1, 1))
        return
    here, far = shapely.box(500000, 1800000, 500010, 1800010), shapely.box(540000, 1800000, 540010, 1800010)

    def put(dataset, **columns):
        count = len(next(iter(columns.values())))
        import_layer(hub, dataset, geopandas.GeoDataFrame(columns, geometry=[here, far][:count], crs=CRS))

    put("administrative_unit", unit_code=["99004"], name=["Phường Lam Trạch"], unit_type=["ward"], province_code=["99"],
        province_name=["Tỉnh mẫu"], valid_from=["2025-07-01"])
    put("parcel", old_commune_code=["99101"] * 2, commune_code=["99004"] * 2, sheet_no=["5"] * 2, parcel_no=[12, 13],
        land_code=["ODT"] * 2, legal_area_m2=[100.0, 90.0], certificate_no=["AB 123", None])
    put("plan", plan_ref=["PK"], name=["Phân khu"], level=["sub_area"], scale=[2000], status=["draft"])
    put("zone", plan_ref=["PK", "PK"], zone_code=["A", "B"], function_code=["NO", "NO"])
    found = hub_parcels(hub, "old_commune_code = '99101' AND sheet_no = '5' AND parcel_no = 12")
    assert found["legal_area_m2"].tolist() == [100.0] and "certificate_no" not in found
    sources = hub_sources(hub, tuple(found.total_bounds))
    assert sources.zones["zone_code"].tolist() == ["A"] and sources.communes == {"99004": "Phường Lam Trạch"}
    # A parcel outside every plan, with no zone for kilometres: that is the answer, and no mistake.
    lonely = geopandas.GeoDataFrame(geometry=[shapely.box(520000, 1800000, 520010, 1800010)], crs=CRS)
    around = hub_sources(hub, tuple(lonely.total_bounds))
    answers = plan_answers(lonely, around.plans, around.zones, date=datetime.date(2026, 11, 25))
    assert not len(around.zones) and answers.pieces[["role", "area_m2"]].values.tolist() == [["no_plan", 100.0]]
    assert parcel_now({"sheet_no": "5", "parcel_no": "12", "old_commune_code": "99101"},
                      hub)["legal_area_m2"].tolist() == [100.0]
    with pytest.raises(InputError, match="thỏa điều kiện"):
        hub_parcels(hub, "parcel_no = 99")
