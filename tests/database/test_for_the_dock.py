"""What the dock of the shared database asks of the engines: what a pull would bring, one's own rights, the communes."""

import geopandas
import pytest
import shapely
from quyhoach.processing_algorithms.provincial_database.administration.own_rights import OwnRight, own_rights
from quyhoach.processing_algorithms.provincial_database.communes import communes_of
from quyhoach.processing_algorithms.provincial_database.interface import (
    Access,
    Scope,
    WorkingCopy,
    back_up,
    checkout,
    create_hub,
    import_layer,
    open_hub,
    pull,
    push,
    restore,
    set_department,
)
from quyhoach.processing_algorithms.provincial_database.working_copies.to_receive import to_receive


def parcels(communes):
    return geopandas.GeoDataFrame(
        {"old_commune_code": communes, "commune_code": communes, "sheet_no": "1", "parcel_no": range(1, len(communes) + 1), "land_code": "ODT"},
        geometry=[shapely.box(500000 + 20 * i, 1800000, 500020 + 20 * i, 1800030) for i in range(len(communes))],
        crs=9214)


@pytest.fixture
def place(tmp_path):
    with create_hub(str(tmp_path / "tỉnh.gpkg"), "EPSG:9214") as hub:
        import_layer(hub, "parcel", parcels(["19801"] * 4 + ["19804"] * 2))
        for name in ("lan", "ân"):
            checkout(tmp_path / f"{name}.gpkg", hub, location="tỉnh.gpkg", crs=hub.info.crs,
                     datasets=[hub.dataset("parcel")],
                     scopes=[Scope("parcel", frozenset({"19801"}))]).close()
    return tmp_path


def edit(place, name, sql):
    with WorkingCopy(place / f"{name}.gpkg") as copy:
        copy.database.execute(sql)


def exchange(place, name, what):
    with WorkingCopy(place / f"{name}.gpkg") as copy, open_hub(str(place / "tỉnh.gpkg")) as hub:
        return what(copy, hub)


def send(copy, hub):
    assert push(copy, hub, author="a", message="thử").outcome.name == "APPLIED"


def test_counts_what_a_pull_then_brings_and_nothing_of_ones_own(place):
    assert exchange(place, "ân", to_receive) == {"parcel": 0}
    edit(place, "lan", "UPDATE parcel SET note = 'x' WHERE parcel_no <= 2")
    edit(place, "lan", "DELETE FROM parcel WHERE parcel_no = 3")
    edit(place, "ân", "UPDATE parcel SET address = 'y' WHERE parcel_no IN (2, 4)")
    exchange(place, "lan", send)
    assert exchange(place, "lan", to_receive) == {"parcel": 0}  # its own
    # Parcels 1 and 3 are news, 2 is edited on both sides; 4 is only edited here.
    assert exchange(place, "ân", to_receive) == {"parcel": 3}
    assert exchange(place, "ân", to_receive) == {"parcel": 3}, "asking takes nothing"
    report = exchange(place, "ân", pull)
    assert report.received + report.removed + report.merged == 3
    assert exchange(place, "ân", to_receive) == {"parcel": 0}


def test_what_is_out_of_scope_is_no_news(place):
    with open_hub(str(place / "tỉnh.gpkg")) as hub:
        checkout(place / "xa.gpkg", hub, location="tỉnh.gpkg", crs=hub.info.crs, datasets=[hub.dataset("parcel")],
                 scopes=[Scope("parcel", frozenset({"19804"}))]).close()
    edit(place, "xa", "UPDATE parcel SET note = 'x'")
    exchange(place, "xa", send)
    assert exchange(place, "ân", to_receive) == {"parcel": 0}


def test_a_restored_hub_is_for_a_pull_to_tell(place):
    back_up(str(place / "tỉnh.gpkg"), str(place / "sao.gpkg"))
    edit(place, "ân", "UPDATE parcel SET note = 'x'")
    exchange(place, "ân", send)
    (place / "tỉnh.gpkg").rename(place / "hỏng.gpkg")
    restore(str(place / "sao.gpkg"), str(place / "tỉnh.gpkg"))
    assert exchange(place, "ân", to_receive) is None


def test_own_rights_in_a_file_go_by_the_department(place):
    with open_hub(str(place / "tỉnh.gpkg")) as hub:
        assert set(own_rights(hub).values()) == {OwnRight(None, None)}, "without departments everybody writes"
        set_department(hub, "hoabinh", label="Phường Hòa Bình", kind="commune", communes=["19801"], access=Access.WRITE)
        assert own_rights(hub, "phường hòa bình")["parcel"] == OwnRight(None, frozenset({"19801"}))
        assert own_rights(hub, "Sở Không Có")["parcel"] == OwnRight(None, frozenset())


def test_communes_are_those_in_force_by_name_else_the_codes_in_use(place):
    with open_hub(str(place / "tỉnh.gpkg")) as hub:
        assert [(one.code, one.shape) for one in communes_of(hub)] == [("19801", None), ("19804", None)]
        units = geopandas.GeoDataFrame(
            {"unit_code": ["19801", "19804", "19700"], "name": ["Phường Hòa Bình", "Phường An Cựu", "Xã Cũ"], "unit_type": ["ward", "ward", "old_commune"],
             "province_code": "46", "valid_from": ["2025-07-01", "2025-07-01", "2010-01-01"], "valid_to": [None, None, "2025-06-30"]},
            geometry=[shapely.box(500000 + 100 * i, 1800000, 500100 + 100 * i, 1800100) for i in range(3)], crs=9214)
        report = import_layer(hub, "administrative_unit", units)
        assert report.added == 3, report.rejections
        assert [one.name for one in communes_of(hub)] == ["Phường An Cựu", "Phường Hòa Bình"]
        assert shapely.from_wkb(communes_of(hub)[1].shape).area == pytest.approx(10_000)


@pytest.mark.parametrize("kind", ["GeoPackage", "PostGIS"])
def test_brief_lists_say_the_same_of_what_they_say(place, postgis_parameters, kind):
    with open_hub(str(place / "tỉnh.gpkg") if kind == "GeoPackage" else postgis_parameters) as hub:
        if kind == "PostGIS":
            import_layer(hub, "parcel", parcels(["19801"] * 4 + ["19804"] * 2))
        full = {summary.dataset.name: summary for summary in hub.summaries()}
        brief = {summary.dataset.name: summary for summary in hub.summaries(brief=True)}
        assert brief.keys() == full.keys() and {name: one.count for name, one in brief.items()} == {name: one.count for name, one in full.items()}
        assert brief["parcel"].changed_at == full["parcel"].changed_at is not None and brief["parcel"].extent is None
        notes, counted = hub.changesets(counted=False), hub.changesets()
        assert [note.number for note in notes] == [note.number for note in counted] and all(not note.features for note in notes)
        assert [hub.features_of(note.number) for note in notes] == [note.features for note in counted] == [{"parcel": 6}]


def test_codes_of_a_file_are_counted_with_the_empty_ones(place):
    from quyhoach.processing_algorithms.provincial_database.stored_tables import count_codes

    edit(place, "lan", "UPDATE parcel SET land_code = 'LUC', sheet_no = '2' WHERE fid = 1")
    path = str(place / "lan.gpkg")
    assert count_codes(path, {"parcel": "land_code"}) == {"parcel": {"LUC": 1, "ODT": 3}}
    assert count_codes(path, {"parcel": "address"}) == {"parcel": {"": 4}}
