"""Dossiers of plans (TT 16/2025): one that is right has no findings; every planted fault is found by its rule, alone."""

import copy
import datetime
import shutil
import sqlite3

import pandas
import pytest
from dossier_faults import (
    CRS,
    DAY,
    FAULTS,
    FOLDER_FAULTS,
    FUNCTIONS,
    OPTIONS,
    ROADS,
    SCHEMA,
    ZONES,
    Table,
    at,
    box,
    content,
    found,
    project,
    wider,
)
from quyhoach.processing_algorithms.common.errors import InputError, OutputError
from quyhoach.processing_algorithms.zoning.dossier.check import check_dossier, check_read, error_layers
from quyhoach.processing_algorithms.zoning.dossier.create import create_dossier
from quyhoach.processing_algorithms.zoning.dossier.examined import CheckOptions
from quyhoach.processing_algorithms.zoning.dossier.reading import FieldInfo, read_dossier
from quyhoach.processing_algorithms.zoning.dossier.rules import GROUPS, RULES, Severity
from quyhoach.processing_algorithms.zoning.dossier.schema import load_schema


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = create_dossier(tmp_path_factory.mktemp("Nguyễn Văn Ân") , SCHEMA, CRS, content())
    project(made)
    return made


@pytest.fixture(scope="module")
def pristine(folder):
    return read_dossier(folder)


@pytest.fixture
def dossier(pristine):
    """A copy whose tables may be changed at will; their frames are replaced, never written to."""
    taken = copy.copy(pristine)
    taken.files = [copy.copy(file) for file in pristine.files]
    for file in taken.files:
        file.layers = [copy.copy(layer) for layer in file.layers]
        for layer in file.layers:
            layer.fields = dict(layer.fields)
    taken.projects = list(pristine.projects)
    return taken


def test_a_right_dossier_has_no_findings(folder):
    result = check_dossier(folder.parent, OPTIONS)
    assert not result.findings and result.passes
    assert (result.who.province, result.who.level, result.plan_name) == ("46", "QPK", "Quy hoạch phân khu Đông")
    assert len(result.features) == 149 and result.crs.to_epsg() == 9214
    # What depends on facts no dossier tells is said, not guessed: kind of housing lots, new or existing area of the school.
    assert any("Mật độ xây dựng thuần, 3 ô" in text for text in result.unassessed)


@pytest.mark.parametrize(("rule", "plant"), FAULTS, ids=[f"{rule}-{at}" for at, (rule, _) in enumerate(FAULTS)])
def test_a_planted_fault_is_found_by_its_rule_alone(dossier, rule, plant):
    plant(dossier)
    assert found(dossier) == {rule}


@pytest.mark.parametrize(("rule", "options"), [
    ("MA-10", CheckOptions(on=DAY, kind="2")), ("MA-06", CheckOptions(on=DAY, province="48")),
    ("MA-07", CheckOptions(on=DAY, level="QCT", scale=500)), ("TL-01", CheckOptions(on=DAY, scale=25_000)),
])
def test_what_was_stated_is_compared_with_the_codes(dossier, rule, options):
    # A stated province also decides the meridian, so its classes are in the wrong zone too.
    assert found(dossier, options) == ({rule, "HTD-03"} if options.province else {rule})


@pytest.mark.parametrize(("rule", "change"), FOLDER_FAULTS,
                         ids=[f"{rule}-{at}" for at, (rule, _) in enumerate(FOLDER_FAULTS)])
def test_a_fault_of_the_folder_is_found_by_its_rule_alone(folder, tmp_path, rule, change):
    place = tmp_path / "HoSoGIS"
    shutil.copytree(folder, place)
    change(place)
    result = check_dossier(next(path for path in tmp_path.iterdir()), OPTIONS)
    expected = {rule, "TEP-04"} if rule == "TEP-07" else {rule}  # the second file cannot have the right name, too
    assert set(result.by_rule()) == expected


def test_every_rule_has_a_planted_fault_and_a_group():
    planted = {rule for rule, _ in FAULTS + FOLDER_FAULTS} | {"MA-10"}
    assert planted == set(RULES) and len(RULES) >= 30
    assert {rule.split("-")[0] for rule in RULES} == set(GROUPS)


def test_one_millimetre_is_no_gap(dossier):
    # 0,9 mm is rounding; 2 mm is not (above); with a tolerance of 5 mm 2 mm is none either.
    Table(dossier, *FUNCTIONS).put(5, geometry=wider(5, east=-0.0009))
    assert not found(dossier)
    Table(dossier, *FUNCTIONS).put(5, geometry=wider(5, east=-0.002))
    assert found(dossier) == {"PV-02"} and not found(dossier, CheckOptions(on=DAY, tolerance_m=0.005))


def test_a_street_between_zones_is_no_gap_but_land_without_function_is(dossier):
    Table(dossier, *ZONES).drop(5)
    assert not found(dossier)
    Table(dossier, *FUNCTIONS).drop(5)
    assert found(dossier) == {"PV-02"}


def test_figures_are_found_under_other_usual_names(dossier):
    table = Table(dossier, *ZONES)
    table.layer.frame = table.layer.frame.rename(columns={"matDoXayDung": "Mật độ XD", "heSoSuDungDat": "HSSDD"})
    for old, new in (("matDoXayDung", "Mật độ XD"), ("heSoSuDungDat", "HSSDD")):
        table.layer.fields[new] = FieldInfo(new, "real", 0)
        del table.layer.fields[old]
    assert not found(dossier)
    frame = table.layer.frame.copy()
    frame.loc[1, "HSSDD"] = 9.0
    table.layer.frame = frame
    assert found(dossier) == {"CT-04"}


def test_the_regulation_is_that_of_the_appraisal(dossier):
    Table(dossier, *ZONES).put(7, matDoXayDung=61.0, heSoSuDungDat=1.8)
    later = datetime.date(2027, 3, 1)
    result = check_read(dossier, CheckOptions(on=later), SCHEMA)
    assert not result.findings and any("QCVN 01:2026/BXD" in text for text in result.unassessed)
    appraised = CheckOptions(on=later, appraised=datetime.date(2026, 11, 1))
    assert found(dossier, appraised) == {"CT-01"}


def test_findings_name_feature_place_measure_and_source(dossier):
    Table(dossier, *FUNCTIONS).put(5, geometry=wider(5, east=0.5))
    Table(dossier, *ZONES).put(7, matDoXayDung=61.0, heSoSuDungDat=1.8)
    Table(dossier, *ROADS).layer.fields.pop("ghiChu")
    result = check_read(dossier, OPTIONS, SCHEMA)
    overlap = next(finding for finding in result.findings if finding.rule.id == "PV-01")
    assert "5 và 6" in overlap.message and "50,00 m²" in overlap.message  # 0,5 x 100 m
    figure = next(finding for finding in result.findings if finding.rule.id == "CT-01")
    assert figure.fids == [7] and "61,0 > 60,0" in figure.message and "QCVN 01:2021/BXD, mục 2.7.7" in figure.message
    points, areas = error_layers(result)
    by_rule = points.set_index("rule")
    assert by_rule.loc["PV-01", "geometry"].within(at(box(200, 100, 200.5, 200)))
    assert by_rule.loc["CT-01", "source_fid"] == "7" and by_rule.loc["TRG-01", "geometry"] is None
    assert list(areas["rule"]) == ["PV-01"] and areas.area.iloc[0] == pytest.approx(50.0) and points.crs.to_epsg() == 9214


def test_only_errors_keep_a_dossier_from_passing(dossier):
    Table(dossier, *ROADS).field("ghiChu", length=0)
    result = check_read(dossier, OPTIONS, SCHEMA)
    assert result.passes and result.count(Severity.WARNING) == 1
    Table(dossier, *ROADS).put(1, maHoSoQH=None)
    assert not check_read(dossier, OPTIONS, SCHEMA).passes


def test_the_schema_says_what_it_is_and_how_sure():
    assert "TT 16/2025/TT-BXD" in SCHEMA.version and "59/VBHN-BXD" in SCHEMA.version
    assert SCHEMA.confidence == "secondary" and "cần đối chiếu" in SCHEMA.confidence_text
    counts = pandas.Series([item.database for item in SCHEMA.classes]).value_counts()
    assert counts.to_dict() == {"QuyHoach": 79, "HienTrang": 67, "MocGioi": 3}
    with pytest.raises(InputError, match="30/06/2025|TT 16"):
        load_schema(datetime.date(2025, 6, 30))


def test_a_dossier_is_complete_and_never_overwritten(folder):
    with sqlite3.connect(folder / "QuyHoach.gpkg") as database:
        tables = {name for name, in database.execute("SELECT table_name FROM gpkg_contents")}
        columns = {row[1]: row[2] for row in database.execute("PRAGMA table_info('PhanOQuyHoach_A')")}
        srs, = database.execute("SELECT DISTINCT srs_id FROM gpkg_geometry_columns").fetchone()
    assert len(tables) == 79 and srs == 9214
    assert columns["maHoSoQH"] == "TEXT(15)" and columns["phanLoai"] == "TEXT(250)" and columns["matDoXayDung"] == "REAL"
    with pytest.raises(OutputError, match="không ghi đè"):
        create_dossier(folder.parent, SCHEMA, CRS)


@pytest.fixture(scope="module")
def geodatabases(folder, tmp_path_factory):
    """The same dossier as file geodatabases."""
    from osgeo import gdal

    place = tmp_path_factory.mktemp("Lê Thị Bé") / "HoSoGIS"
    place.mkdir()
    for file in folder.glob("*.gpkg"):
        new = str(place / f"{file.stem}.gdb")
        if file.stem == "NenDiaHinh":  # without a table GDAL opens no GeoPackage
            gdal.GetDriverByName("OpenFileGDB").Create(new, 0, 0, 0, gdal.GDT_Unknown)
        else:
            gdal.VectorTranslate(new, str(file), format="OpenFileGDB")
    project(place, "./QuyHoach.gdb")
    return place


def test_file_geodatabases_are_checked_like_geopackages(folder, geodatabases):
    from osgeo import gdal

    right = check_dossier(geodatabases, OPTIONS)
    assert not right.findings and right.features == check_dossier(folder, OPTIONS).features
    source = gdal.OpenEx(str(geodatabases / "QuyHoach.gdb"), gdal.OF_UPDATE)
    zones = source.GetLayerByName("PhanOQuyHoach_A")
    second = zones.GetFeature(2)
    second.SetField("kyHieuO", "A-1")
    zones.SetFeature(second)
    second = zones = source = None
    assert set(check_dossier(geodatabases, OPTIONS).by_rule()) == {"PV-09"}


def test_a_file_geodatabase_that_is_not_whole_packed_or_chosen_itself_is_told_so(geodatabases, folder, tmp_path):
    place = tmp_path / "HoSoGIS"
    shutil.copytree(folder, place)
    (place / "MocGioi.gpkg").unlink()
    shutil.copytree(geodatabases / "MocGioi.gdb", place / "MocGioi.gdb")
    assert not check_dossier(place, OPTIONS).findings
    (place / "MocGioi.gdb" / "a00000001.gdbtable").unlink()
    findings = {finding.rule.id: finding.message for finding in check_dossier(place, OPTIONS).findings}
    assert findings == {"TEP-02": "Không đọc được MocGioi.gdb: thư mục .gdb thiếu tệp hoặc hỏng, hãy sao chép lại trọn thư mục."}
    shutil.rmtree(place / "MocGioi.gdb")
    shutil.make_archive(str(place / "MocGioi.gdb"), "zip", geodatabases / "MocGioi.gdb")
    findings = {finding.rule.id: finding.message for finding in check_dossier(place, OPTIONS).findings}
    assert set(findings) == {"TEP-01", "TEP-05"} and "giải nén" in findings["TEP-05"]
    with pytest.raises(InputError, match="là một cơ sở dữ liệu"):
        check_dossier(geodatabases / "QuyHoach.gdb", OPTIONS)


def test_no_dossier_is_said_plainly(tmp_path):
    with pytest.raises(InputError, match="Không có thư mục"):
        check_dossier(tmp_path / "không có", OPTIONS)
    with pytest.raises(InputError, match="không có cơ sở dữ liệu nào"):
        check_dossier(tmp_path, OPTIONS)
