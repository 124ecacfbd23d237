"""quyhoach:servicearea through the registry: results, refusals, and QGIS's own service areas as the judge."""

from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from qgis.core import QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback, QgsProject, QgsVectorLayer
from quyhoach.processing_algorithms.common.crs import to_crs

METRIC = "EPSG:9214"
HANOI = Path(__file__).resolve().parents[3] / "shared" / "data" / "network" / "hanoi_centre.gpkg"


@pytest.fixture
def town(tmp_path):
    """A crossing near (500000, 2300000): main street of 400 m, side street from its middle, an unconnected street."""
    def at(*steps):
        return shapely.LineString([(500_000 + x, 2_300_000 + y) for x, y in steps])

    streets = geopandas.GeoDataFrame(
        {"v": [30.0, 12.0, None], "oneway": ["0", "1", None], "text": ["a", "b", "c"]},
        geometry=[at((0, 0), (200, 0), (400, 0)), at((200, 0), (200, 300)), at((0, 900), (50, 900))], crs=METRIC)
    points = geopandas.GeoDataFrame(
        {"ten": ["Trường Vĩnh Hà", "Trạm y tế"]}, crs=METRIC,
        geometry=[shapely.Point(500_100, 2_300_004), shapely.Point(500_020, 2_300_950)])
    pyogrio.write_dataframe(streets, tmp_path / "đường phố.gpkg", layer="streets")
    pyogrio.write_dataframe(points, tmp_path / "nơi đến.gpkg", layer="origins")
    return tmp_path


def inputs(folder, **more):
    return {"NETWORK": str(folder / "đường phố.gpkg"), "ORIGINS": str(folder / "nơi đến.gpkg"), "BREAKS": "100;250",
            "OUTPUT_LINES": str(folder / "đoạn đường.gpkg"), **more}


def test_lines_areas_and_origins(run, town):
    found = run("quyhoach:servicearea", inputs(
        town, OUTPUT_AREAS=str(town / "vùng.gpkg"), OUTPUT_ORIGINS=str(town / "gốc.gpkg"), ORIGIN_FIELD="ten"))
    lines = pyogrio.read_dataframe(found["OUTPUT_LINES"])
    # From 100 m on the main street: 100 m back and 100 m on; up to 250 m another 150 on and 150 up. The other: 50 m.
    assert lines.groupby(["origin_id", "break_value"])["length_m"].sum().round(6).to_dict() == {
        (1, 100): 200, (1, 250): 300, (2, 100): 50}
    assert set(lines["origin_name"]) == {"Trường Vĩnh Hà", "Trạm y tế"}
    assert lines.crs.to_epsg() == 9214
    assert found["ORIGINS_USED"] == 2 and found["ORIGINS_LEFT_OUT"] == 0 and found["NETWORK_PARTS"] == 2
    assert (found["SNAP_MEAN"], found["SNAP_MAX"]) == pytest.approx((27, 50))
    assert found["REACHED_LENGTH"] == pytest.approx(550)
    areas = pyogrio.read_dataframe(found["OUTPUT_AREAS"])
    assert areas[["origin_id", "break_value", "reached_m"]].values.tolist() == [
        [1, 250, 500], [1, 100, 200], [2, 250, 50], [2, 100, 50]]
    own = lines[lines["origin_id"] == 1]
    assert shapely.covers(areas.geometry[0], shapely.union_all(own.geometry.values))
    origins = pyogrio.read_dataframe(found["OUTPUT_ORIGINS"])
    assert origins["snap_m"].tolist() == pytest.approx([4, 50]) and origins["on_main_part"].tolist() == [True, False]


def test_time_directions_and_memory_layers(run, town):
    found = run("quyhoach:servicearea", inputs(
        town, COST=1, BREAKS="0,2;1", SPEED_FIELD="v", DEFAULT_SPEED=6, DIRECTION_FIELD="oneway",
        OUTPUT_LINES="TEMPORARY_OUTPUT", OUTPUT_AREAS="TEMPORARY_OUTPUT"))
    layer = found["OUTPUT_LINES"]
    # 30 km/h is 500 m a minute, so all of the main street in a minute; 0.8 min at 200 m a minute on the side street.
    total = {}
    for feature in layer.getFeatures():
        key = (feature["origin_id"], feature["street_id"])
        total[key] = total.get(key, 0) + feature["length_m"]
    assert total == pytest.approx({(1, 1): 400, (1, 2): 160, (2, 3): 50})
    assert layer.isValid() and found["OUTPUT_AREAS"].featureCount() == 4


def test_breaks_as_a_list_from_a_script(run, town):
    found = run("quyhoach:servicearea", inputs(town, BREAKS=[100, 250]))
    assert found["REACHED_LENGTH"] == pytest.approx(550)


def test_merged_areas(run, town):
    for merge, count in ((0, 4), (1, 4), (2, 2)):
        found = run("quyhoach:servicearea", inputs(town, MERGE=merge, OUTPUT_AREAS="TEMPORARY_OUTPUT"))
        assert found["OUTPUT_AREAS"].featureCount() == count


def test_selection_and_own_direction_values(run, town):
    network = QgsVectorLayer(str(town / "đường phố.gpkg"), "Đường", "ogr")
    network.setSubsetString("text <> 'c'")
    found = run("quyhoach:servicearea", inputs(
        town, NETWORK=network, DIRECTION_FIELD="text", VALUE_FORWARD="b", VALUE_BACKWARD="a", VALUE_BOTH="c",
        MAX_SNAP=10))
    lines = pyogrio.read_dataframe(found["OUTPUT_LINES"])
    # The main street backwards only: what lies ahead is out of reach.
    assert lines["length_m"].sum() == pytest.approx(100)
    assert found["ORIGINS_LEFT_OUT"] == 1 and found["NETWORK_PARTS"] == 1


def refusal(run, parameters):
    """What the user is told when a run is refused, wherever Processing puts it."""
    feedback = QgsProcessingFeedback(False)
    with pytest.raises(QgsProcessingException) as failure:
        run("quyhoach:servicearea", parameters, feedback=feedback)
    assert "Traceback" not in feedback.textLog()
    return f"{feedback.textLog()}\n{failure.value}"


# refusals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "words"), [
    ({"BREAKS": "500;300"}, "tăng dần"),
    ({"BREAKS": "-100"}, "lớn hơn 0"),
    ({"BREAKS": "300,500"}, "một hoặc hai ngưỡng"),
    ({"BREAKS": "gần"}, "không phải là số"),
    ({"SPEED_FIELD": "toc_do"}, "không có trường \"toc_do\""),
    ({"DIRECTION_FIELD": "chieu"}, "không có trường \"chieu\""),
    ({"DEFAULT_SPEED": 0, "COST": 1}, "lớn hơn 0 km/h"),
    ({"MAX_SNAP": 1}, "cách mạng lưới đường hơn 1,0 m"),
    ({"VALUE_FORWARD": "x", "VALUE_BACKWARD": "X"}, "hai chiều khác nhau"),
    ({"WIDTH": 0, "OUTPUT_AREAS": "TEMPORARY_OUTPUT"}, "Bề rộng"),
    ({"OUTPUT_LINES": None}, "Chưa chọn kết quả"),
])
def test_wrong_settings_are_refused_in_one_sentence(run, town, change, words):
    assert words in refusal(run, inputs(town, **change))
    assert not (town / "đoạn đường.gpkg").exists()


def test_several_faults_are_told_together(run, town):
    told = refusal(run, inputs(town, BREAKS="5;5", SPEED_FIELD="a_", DIRECTION_FIELD="b_"))
    assert all(word in told for word in ("trùng nhau", "a_", "b_"))


def saved(folder, name, frame):
    pyogrio.write_dataframe(frame, folder / name)
    return str(folder / name)


def test_layers_that_cannot_be_used(run, town):
    streets = pyogrio.read_dataframe(town / "đường phố.gpkg")
    origins = pyogrio.read_dataframe(town / "nơi đến.gpkg")
    cases = [
        ({"NETWORK": saved(town, "a.gpkg", to_crs(streets, "EPSG:4326"))}, "hệ tọa độ độ"),
        ({"NETWORK": saved(town, "b.gpkg", streets.set_crs(None, allow_override=True))}, "không khai báo hệ tọa độ"),
        ({"NETWORK": saved(town, "c.gpkg", streets.iloc[:0])}, "không có đối tượng nào"),
        ({"ORIGINS": saved(town, "d.gpkg", origins.iloc[:0])}, "không có đối tượng nào"),
        ({"NETWORK": saved(town, "e.gpkg", streets.assign(v=[30, -5, -6])), "SPEED_FIELD": "v", "COST": 1},
         "fid: 2, 3"),
        ({"NETWORK": str(town / "không có.gpkg")}, "không có"),
        ({"OUTPUT_LINES": str(town / "thư mục thiếu" / "l.gpkg")}, "Không có thư mục"),
        ({"OUTPUT_LINES": str(town / "đường phố.gpkg")}, "không được ghi đè"),
    ]
    for change, words in cases:
        assert words in refusal(run, inputs(town, **change)), change
        assert not (town / "đoạn đường.gpkg").exists()


def test_origins_in_degrees_are_brought_over(run, town):
    origins = to_crs(pyogrio.read_dataframe(town / "nơi đến.gpkg"), "EPSG:4326")
    found = run("quyhoach:servicearea", inputs(town, ORIGINS=saved(town, "d.gpkg", origins)))
    assert found["SNAP_MAX"] == pytest.approx(50, abs=1e-3)  # heights are unknown: 0.4 mm


def test_cancelled_run_writes_nothing(run, town):
    feedback = QgsProcessingFeedback()
    feedback.progressChanged.connect(lambda done: feedback.cancel() if done >= 20 else None)
    with pytest.raises(QgsProcessingException, match="Đã dừng"):
        run("quyhoach:servicearea", inputs(town), feedback=feedback)
    assert not (town / "đoạn đường.gpkg").exists()


def test_styles_load_and_say_the_breaks(run, town):
    project = QgsProject()
    context = QgsProcessingContext()
    context.setProject(project)
    layers = {}
    for key, name in (("OUTPUT_LINES", "l.gpkg"), ("OUTPUT_AREAS", "a.gpkg"), ("OUTPUT_ORIGINS", "o.gpkg")):
        path = str(town / name)
        layers[key] = path
        context.addLayerToLoadOnCompletion(path, QgsProcessingContext.LayerDetails(key, project, key))
    run("quyhoach:servicearea", inputs(town, **layers), context=context)
    labels = {}
    for path, details in context.layersToLoadOnCompletion().items():
        layer = QgsVectorLayer(path, details.name, "ogr")
        details.postProcessor().postProcessLayer(layer, context, QgsProcessingFeedback())
        labels[details.name] = [item.label() for item in layer.renderer().legendSymbolItems()]
    assert labels["OUTPUT_LINES"] == labels["OUTPUT_AREAS"] == ["đến 100 m", "đến 250 m"]
    assert labels["OUTPUT_ORIGINS"]


# QGIS's own service areas -------------------------------------------------------------------------------------------


def compare_with_native(run, folder, streets, points, limits, **columns):
    """Same ground within 0.1 mm, origin by origin. QGIS draws both directions, so lengths are those of the union."""
    pyogrio.write_dataframe(streets, folder / "streets.gpkg")
    pyogrio.write_dataframe(points, folder / "points.gpkg")
    ours = run("quyhoach:servicearea", {
        "NETWORK": str(folder / "streets.gpkg"), "ORIGINS": str(folder / "points.gpkg"),
        "BREAKS": ";".join(map(str, limits)), "OUTPUT_LINES": str(folder / "ours.gpkg"), **columns})
    lines = pyogrio.read_dataframe(ours["OUTPUT_LINES"])
    compared = 0.0
    for limit in limits:
        cost = limit / 60 if columns.get("COST") else limit  # QGIS counts hours
        run("native:serviceareafromlayer", {
            "INPUT": str(folder / "streets.gpkg"), "START_POINTS": str(folder / "points.gpkg"),
            "STRATEGY": columns.get("COST", 0), "TRAVEL_COST2": cost,
            "VALUE_FORWARD": "1", "VALUE_BACKWARD": "-1", "VALUE_BOTH": "0", "DEFAULT_DIRECTION": 2,
            **{key: columns[key] for key in ("SPEED_FIELD", "DEFAULT_SPEED", "DIRECTION_FIELD") if key in columns},
            "OUTPUT_LINES": str(folder / f"native_{limit}.gpkg")})
        native = pyogrio.read_dataframe(folder / f"native_{limit}.gpkg")
        for number, shape in enumerate(native.geometry):
            own = lines[(lines["origin_id"] == number + 1) & (lines["break_value"] <= limit)]
            mine, theirs = shapely.union_all(own.geometry.values), shapely.union_all(shapely.get_parts(shape))
            assert shapely.difference(theirs, shapely.buffer(mine, 1e-4)).length < 1e-3
            assert shapely.difference(mine, shapely.buffer(theirs, 1e-4)).length < 1e-3
            compared += mine.length
    return compared


def test_same_streets_as_native_on_a_grid(run, tmp_path):
    random = np.random.default_rng(8)
    shapes = []
    for x in range(9):
        for y in range(9):
            a = np.array([500_000.0 + 90 * x, 2_300_000.0 + 110 * y])
            for step in ((90, 0), (0, 110)):
                if random.random() < 0.85:
                    b = a + step
                    bend = (a + b) / 2 + random.uniform(-15, 15, 2)
                    shapes.append(shapely.LineString([a, bend, b][::random.choice([1, -1])]))
    streets = geopandas.GeoDataFrame(
        {"oneway": random.choice(["1", "-1", "0", "0", "0"], len(shapes)),
         "v": random.choice([15.0, 30.0, 50.0], len(shapes))},
        geometry=shapes, crs=METRIC)
    places = random.uniform(0, 700, (6, 2)) + [500_000, 2_300_000]
    points = geopandas.GeoDataFrame(geometry=shapely.points(places), crs=METRIC)
    assert compare_with_native(run, tmp_path, streets, points, [150, 400], DIRECTION_FIELD="oneway") > 5_000
    assert compare_with_native(run, tmp_path, streets, points, [0.3, 1.5], DIRECTION_FIELD="oneway", COST=1,
                               SPEED_FIELD="v", DEFAULT_SPEED=20) > 5_000


@pytest.mark.skipif(not HANOI.exists(), reason="the folder with real data is not here")
def test_central_hanoi_from_ten_buildings(run, tmp_path):
    streets = to_crs(pyogrio.read_dataframe(HANOI, layer="roads", columns=["oneway", "maxspeed"]), "EPSG:9211")
    buildings = pyogrio.read_dataframe(HANOI, layer="buildings", columns=[], max_features=5000).iloc[::500]
    buildings = buildings.reset_index(drop=True)
    points = to_crs(buildings, "EPSG:9211")
    shapes = shapely.force_2d(np.asarray(points.geometry.array, dtype=object))
    centre = shapely.centroid(shapes)
    points.geometry = np.where(shapely.intersects(shapes, centre), centre, shapely.point_on_surface(shapes))
    assert compare_with_native(run, tmp_path, streets, points, [300, 1000], DIRECTION_FIELD="oneway") > 200_000
    # Straight from the polygons, which are in another system.
    pyogrio.write_dataframe(buildings, tmp_path / "buildings.gpkg")
    found = run("quyhoach:servicearea", {
        "NETWORK": str(tmp_path / "streets.gpkg"), "ORIGINS": str(tmp_path / "buildings.gpkg"), "BREAKS": "300;1000",
        "DIRECTION_FIELD": "oneway", "OUTPUT_AREAS": str(tmp_path / "areas.gpkg")})
    assert found["ORIGINS_USED"] == 10 and found["REACHED_LENGTH"] == pytest.approx(
        pyogrio.read_dataframe(tmp_path / "ours.gpkg")["length_m"].sum(), abs=1.0)
