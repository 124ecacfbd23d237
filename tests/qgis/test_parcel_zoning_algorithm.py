"""quyhoach:parcelzoning through the registry and qgis_process: good input, and every kind of bad one."""

import os
import subprocess
from pathlib import Path

import geopandas
import processing
import pytest
import shapely
from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)
from quyhoach.processing_algorithms.common.files import write_vector
from quyhoach.processing_algorithms.common.language import speaking

ROOT = Path(__file__).resolve().parents[2]
ID = "quyhoach:parcelzoning"
box = shapely.box


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "Nguyễn Văn Ân" / "tra cứu"
    place.mkdir(parents=True)
    return place


def save(folder, file, shapes, crs="EPSG:9214", **columns):
    path = folder / f"{file}.gpkg"
    write_vector(geopandas.GeoDataFrame(columns, geometry=geopandas.GeoSeries(shapes, dtype="geometry"), crs=crs),
                 path, "MultiPolygon")
    return str(path)


@pytest.fixture
def case(folder):
    # Parcel 1: 15 of 20 m housing, 5 m green. Parcel 2: 0.3 m pokes out of green into nothing (29.7 of 30).
    return {
        "PARCELS": save(folder, "thửa", [box(0, 0, 20, 10), box(30, 0, 60, 10)], so_thua=[1, 2]),
        "ZONES": save(folder, "ô quy hoạch", [box(0, 0, 15, 10), box(15, 0, 59.7, 10)], ma_cn=["NO", "CXCC"]),
        "ZONE_FIELD": "ma_cn", "SCALE": 2000, "OUTPUT": str(folder / "kết quả.gpkg")}


def fail(parameters, feedback=None):
    """Run what must fail; return its sentence. Nothing may be left behind."""
    output, feedback = Path(parameters["OUTPUT"]), feedback or QgsProcessingFeedback()
    was = output.exists()
    with pytest.raises(QgsProcessingException) as caught:
        processing.run(ID, parameters, feedback=feedback)
    assert output.exists() == was
    if output.parent.is_dir():
        assert not list(output.parent.glob(".quyhoach-*"))
    return f"{caught.value}\n{feedback.textLog()}"


def test_numbers_and_rows(case, run):
    result = run(ID, case)
    assert {key: value for key, value in result.items() if key != "OUTPUT"} == {
        "PIECES": 3, "AREA": pytest.approx(497.0), "SLIVERS": 0, "SPLIT_PARCELS": 1, "SPLIT_BEYOND_TOLERANCE": 1,
        "OUTSIDE_PARCELS": 0, "OUTSIDE_AREA": pytest.approx(3.0), "OVERLAP_AREA": 0, "WITHOUT_VALUE": 0}
    frame = geopandas.read_file(result["OUTPUT"])
    assert frame[["so_thua", "zone", "piece"]].values.tolist() == [[1, "NO", 1], [1, "CXCC", 2], [2, "CXCC", 1]]
    assert frame["share_pct"].tolist() == pytest.approx([75, 25, 99])
    assert frame["sliver"].dtype == bool and set(frame.geom_type) == {"MultiPolygon"} and frame.crs.to_epsg() == 9214


def test_outside_rows_and_memory_output(case, run):
    result = run(ID, {**case, "OUTSIDE": True, "OUTPUT": "memory:"})
    rows = [(f["so_thua"], f["zone"] or None, round(f["area_m2"], 6), f["sliver"])
            for f in result["OUTPUT"].getFeatures()]
    assert rows == [(1, "NO", 150, False), (1, "CXCC", 50, False), (2, "CXCC", 297, False), (2, None, 3, True)]
    assert result["PIECES"] == 3 and result["SLIVERS"] == 1


def test_selection_is_what_is_looked_up(case, run):
    layer = QgsVectorLayer(case["PARCELS"], "thửa", "ogr")
    QgsProject.instance().addMapLayer(layer)
    layer.selectByIds([2])
    result = run(ID, {**case, "PARCELS": QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True)})
    assert result["PIECES"] == 1 and geopandas.read_file(result["OUTPUT"])["parcel_fid"].tolist() == [2]
    QgsProject.instance().clear()


def test_zones_in_another_system(case, folder, run):
    from quyhoach.processing_algorithms.common.crs import to_crs

    parcel = geopandas.GeoDataFrame({"ma_cn": ["NO"]}, geometry=[box(600_000, 1_200_000, 600_050, 1_200_030)],
                                    crs="EPSG:9214")
    there = to_crs(parcel, "EPSG:4326")
    result = run(ID, {**case, "PARCELS": save(folder, "a", parcel.geometry.tolist(), so=[1]),
                      "ZONES": save(folder, "b", there.geometry.tolist(), crs="EPSG:4326", ma_cn=["NO"])})
    assert result["AREA"] == pytest.approx(1500, abs=0.01)


def test_wrong_field_names_those_there_are(case):
    message = fail({**case, "ZONE_FIELD": "chức năng"})
    assert "chức năng" in message and "ma_cn" in message


def test_no_crs_empty_layer_and_wrong_field_are_told_together(case, folder):
    message = fail({**case, "PARCELS": save(folder, "rỗng", [], crs=None, so_thua=[]), "ZONE_FIELD": "x"})
    assert "không có đối tượng" in message and "hệ tọa độ" in message and "\"x\"" in message


def test_zones_without_crs(case, folder):
    assert "hệ tọa độ" in fail({**case, "ZONES": save(folder, "không hệ", [box(0, 0, 1, 1)], crs=None, ma_cn=["NO"])})


def test_degrees_on_the_plane_are_refused_and_on_the_ellipsoid_accepted(case, folder, run):
    square = box(107, 16, 107.001, 16.001)
    degrees = {**case, "PARCELS": save(folder, "độ", [square], crs="EPSG:4326", so=[1]),
               "ZONES": save(folder, "ô độ", [square], crs="EPSG:4326", ma_cn=["NO"])}
    assert "hệ tọa độ phẳng" in fail(degrees)
    assert run(ID, {**degrees, "AREA_SURFACE": 1})["AREA"] == pytest.approx(11_845, rel=1e-3)


def test_invalid_geometry_repaired_and_told_or_refused(case, folder, run):
    tie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    crossed = {**case, "PARCELS": save(folder, "tự cắt", [box(20, 0, 30, 10), tie, None], so=[1, 2, 3])}
    feedback = QgsProcessingFeedback()
    assert processing.run(ID, crossed, feedback=feedback)["PIECES"] == 2
    assert "đã sửa 1 hình" in feedback.textLog() and "1 không có hình" in feedback.textLog()
    assert "fid: 2" in fail({**crossed, "INVALID_GEOMETRY": 1, "OUTPUT": str(folder / "khác.gpkg")})


def test_unwritable_output(case, folder):
    assert "Không có thư mục" in fail({**case, "OUTPUT": str(folder / "không có" / "a.gpkg")})
    assert "đầu vào" in fail({**case, "OUTPUT": case["ZONES"]})


def test_missing_file_and_bad_numbers(case):
    assert fail({**case, "PARCELS": "/không/có.gpkg"})
    assert fail({**case, "SCALE": -5})
    assert fail({**case, "TOLERANCE_MM": -1})


def test_cancelled_run_leaves_nothing(case):
    class Impatient(QgsProcessingFeedback):
        def isCanceled(self):  # noqa: N802
            return True

    assert "Đã dừng" in fail(case, feedback=Impatient())


def test_failure_keeps_the_former_result(case, folder):
    processing.run(ID, case)
    before = Path(case["OUTPUT"]).read_bytes()
    fail({**case, "ZONE_FIELD": "x"})
    assert Path(case["OUTPUT"]).read_bytes() == before


def test_overlaps_and_collisions_are_told(case, folder):
    feedback = QgsProcessingFeedback()
    result = processing.run(ID, {
        **case, "PARCELS": save(folder, "trùng tên", [box(0, 0, 10, 10)], zone=["cũ"]),
        "ZONES": save(folder, "chồng", [box(0, 0, 8, 10), box(5, 0, 10, 10)], ma_cn=["A", None])}, feedback=feedback)
    assert (result["OVERLAP_AREA"], result["WITHOUT_VALUE"]) == (pytest.approx(30), 1)
    log = feedback.textLog()
    assert "1/2" in log and "zone_2" in log and "không có giá trị" in log
    assert geopandas.read_file(result["OUTPUT"])["zone_2"].tolist() == ["A", None]


def test_nothing_in_common_warns(case, folder):
    feedback = QgsProcessingFeedback()
    result = processing.run(ID, {**case, "ZONES": save(folder, "xa", [box(900, 900, 901, 901)], ma_cn=["A"])},
                            feedback=feedback)
    assert result["PIECES"] == 0 and result["OUTSIDE_PARCELS"] == 2 and "Không thửa đất nào" in feedback.textLog()
    assert QgsVectorLayer(result["OUTPUT"], "", "ogr").isValid()


def test_style_is_given_when_the_result_is_loaded(case):
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(ID)
    context.addLayerToLoadOnCompletion(
        case["OUTPUT"], QgsProcessingContext.LayerDetails("kết quả", QgsProject.instance(), "OUTPUT"))
    results, ok = algorithm.run(case, context, QgsProcessingFeedback())
    assert ok
    layer = QgsVectorLayer(results["OUTPUT"], "kết quả", "ogr")
    processor = context.layerToLoadOnCompletionDetails(results["OUTPUT"]).postProcessor()
    processor.postProcessLayer(layer, context, QgsProcessingFeedback())
    assert layer.renderer().type() == "RuleRenderer"


def test_both_languages_are_complete():
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(ID)
    assert algorithm.displayName() == "Tra cứu quy hoạch theo thửa đất"
    with speaking("en"):
        fresh = algorithm.create()
        assert fresh.displayName() == "Zones by parcel"
        assert not [p.name() for p in fresh.parameterDefinitions() if not p.help()]


@pytest.mark.skipif(os.name == "nt", reason="scripts/qgis_process is a shell script")
def test_exit_code_of_qgis_process(case):
    arguments = [f"{key}={value}" for key, value in {**case, "ZONE_FIELD": "x"}.items()]
    done = subprocess.run([str(ROOT / "scripts" / "qgis_process"), "run", ID, "--", *arguments], capture_output=True,
                          text=True)
    told = done.stdout + done.stderr
    assert done.returncode != 0 and "không có trường" in told and "Traceback" not in told
    assert not Path(case["OUTPUT"]).exists()


@pytest.fixture
def plans_case(folder):
    # A general plan 0-100 x 0-50, a sub-area plan on its west half (approved later), a draft detailed one inside.
    west, corner = box(0, 0, 50, 50), box(0, 0, 20, 20)
    return {
        "PARCELS": save(folder, "thửa", [box(10, 10, 30, 20), box(40, 30, 60, 40), box(95, 0, 115, 10)],
                        so_thua=[1, 2, 3], scale=["a", "b", "c"]),
        "ZONES": save(folder, "ô", [box(0, 0, 100, 50), west, corner], plan_ref=["QHC", "QPK", "QCT"],
                      zone_code=["I", "P1", "L1"], function_code=["NO", "CN", "CXCC"], max_storeys=[5, 7, 1]),
        "PLANS": save(folder, "đồ án", [box(0, 0, 100, 50), west, corner], plan_ref=["QHC", "QPK", "QCT"],
                      level=["general", "sub_area", "detailed"], status=["approved", "approved", "draft"],
                      scale=[10000, 2000, 500], approval_date=["2024-06-20", "2025-10-14", None],
                      decision_number=["1/QĐ-UBND", "2/QĐ-UBND", None]),
        "OVERLAYS": save(folder, "hành lang", [box(0, 10, 100, 12)], name=["Hành lang điện"],
                         constraint_type=["power_line"], effect=["height_limit"], max_height_m=[4.0]),
        "OVERRIDES": save(folder, "riêng", [box(10, 10, 30, 20)], decision_number=["9/UBND"], status=["approved"],
                          decision_date=["2026-01-01"], max_storeys=[6]),
        "ZONE_FIELD": "function_code", "DATE": "25/11/2026", "OUTSIDE": True,
        **{key: str(folder / f"{key} kết quả.gpkg") for key in ("OUTPUT", "RESTRICTIONS", "FIGURES", "CONTRADICTIONS")}}


def test_answers_of_all_plans(plans_case):
    result = processing.run(ID, plans_case)
    pieces = geopandas.read_file(result["OUTPUT"])
    # The parcels' own column "scale" stays; ours is scale_2.
    assert pieces["scale"].tolist()[0] == "a" and pieces["scale_2"].tolist()[0] == 2000
    told = pieces[["so_thua", "plan_ref", "zone", "role", "area_m2"]].astype(object)
    assert told.where(told.notna(), None).values.tolist() == [
        [1, "QPK", "CN", "answer", 200.0], [1, "QHC", "NO", "detailed", 200.0], [1, "QCT", "CXCC", "not_in_force", 100.0],
        [2, "QPK", "CN", "answer", 100.0], [2, "QHC", "NO", "answer", 100.0], [2, "QHC", "NO", "detailed", 100.0],
        [3, "QHC", "NO", "answer", 50.0], [3, None, None, "no_plan", 150.0]]
    assert str(pieces["approval_date"].iloc[0])[:10] == "2025-10-14"
    assert {key: result[key] for key in ("PIECES", "AREA", "SPLIT_BEYOND_TOLERANCE", "OUTSIDE_PARCELS", "OUTSIDE_AREA",
                                         "OVERLAP_AREA", "RESTRICTED_PARCELS", "CONTRADICTORY_PARCELS")} == {
        "PIECES": 4, "AREA": 450.0, "SPLIT_BEYOND_TOLERANCE": 1, "OUTSIDE_PARCELS": 0, "OUTSIDE_AREA": 150.0,
        "OVERLAP_AREA": 0.0, "RESTRICTED_PARCELS": 1, "CONTRADICTORY_PARCELS": 2}
    figures = geopandas.read_file(result["FIGURES"])
    assert figures[["parcel_fid", "figure", "value", "source", "area_m2"]].values.tolist() == [
        [1, "max_storeys", 6.0, "override", 200.0], [1, "max_height_m", 4.0, "restriction", 40.0],
        [2, "max_storeys", 7.0, "plan", 100.0], [2, "max_storeys", 5.0, "plan", 100.0],
        [3, "max_storeys", 5.0, "plan", 50.0]]
    assert "9/UBND" in figures["reason"][0] and "2/QĐ-UBND ngày 14/10/2025" in figures["reason"][2]
    assert set(geopandas.read_file(result["CONTRADICTIONS"])["kind"]) == {"function", "figure"}
    assert geopandas.read_file(result["RESTRICTIONS"])["area_m2"].tolist() == [40.0]


def test_faults_of_plans_are_told(plans_case, folder):
    alone = {key: value for key, value in plans_case.items() if key != "PLANS"}
    assert "cần lớp đồ án quy hoạch" in fail({**alone, "DATE": "hôm qua"})
    said = fail({**plans_case, "PLANS": save(folder, "sai", [box(0, 0, 1, 1)], plan_ref=["QHC"])})
    assert "thiếu trường level, status" in said
    said = fail({**plans_case, "ZONES": save(folder, "ô sai", [box(0, 0, 1, 1)], function_code=["NO"])})
    assert "thiếu trường plan_ref, zone_code" in said
    said = fail({**plans_case, "PLANS": save(folder, "sai hệ", [box(0, 0, 1, 1)], crs=None, plan_ref=["QHC"])})
    assert "không khai báo hệ tọa độ" in said
