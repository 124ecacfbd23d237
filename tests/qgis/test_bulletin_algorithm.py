"""quyhoach:bulletin through the registry: the sample town's bulletin goes straight into flooddepth; questions stop the run."""

from pathlib import Path

import geopandas
import processing
import pytest
from qgis.core import QgsProcessingException, QgsProcessingFeedback

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"
GAUGES = f"{SAMPLES / 'town.gpkg'}|layername=gauge"


def run(tmp_path, **parameters):
    feedback = QgsProcessingFeedback(False)
    result = processing.run("quyhoach:bulletin", {"STATIONS": GAUGES, "OUTPUT": str(tmp_path / "mực nước.gpkg"), **parameters},
                            feedback=feedback)
    return result, geopandas.read_file(result["OUTPUT"]), feedback.textLog()


def test_the_highest_levels_feed_the_flood_map(tmp_path):
    result, levels, log = run(tmp_path, FILE=str(SAMPLES / "bulletin_alarm_3.txt"), READINGS=2)
    assert result["READ"] == 3 and result["QUESTIONS"] == 0 and "cho cả sông" in log
    assert levels.reading.tolist() == ["forecast"] * 3
    # the middle of 0,4 and 0,6 m above alarm 3 (4,90; 4,50; 4,32 above the zero of Trạch Đông)
    assert levels.level_m.tolist() == [5.4, 5.0, 4.82]
    assert levels.height_m[2] == pytest.approx(4.82 + levels.gauge_zero_m[2])
    depth = processing.run("quyhoach:flooddepth", {
        "TERRAIN": str(SAMPLES / "terrain.tif"), "LEVELS": result["OUTPUT"], "LEVEL_FIELD": "height_m",
        "SOURCE": f"{SAMPLES / 'town.gpkg'}|layername=river", "VERTICAL_DATUM": "Hòn Dấu", "OUTPUT": str(tmp_path / "d.tif")})
    assert depth["LEVELS_USED"] == 3 and depth["WET_AREA"] > 0


def test_questions_stop_the_run_or_are_left_out(tmp_path):
    text = "Lam Trạch 4,78m; Trạch Đông 46,3m"
    with pytest.raises(QgsProcessingException, match="46,3.*khó có thật"):
        run(tmp_path, TEXT=text)
    assert not (tmp_path / "mực nước.gpkg").exists()
    result, levels, log = run(tmp_path, TEXT=text, ON_QUESTION=1)
    assert levels.name.tolist() == ["Lam Trạch"] and result["QUESTIONS"] == 1 and "khó có thật" in result["QUESTION_TEXT"]


@pytest.mark.parametrize("change, words", [
    ({"TEXT": "", "FILE": ""}, "dán bản tin"),
    ({"TEXT": "", "FILE": "/không/có.txt"}, "Không có tệp"),
    ({"REFERENCE_DATE": "hôm qua"}, "không phải là ngày"),
    ({"STATIONS": f"{SAMPLES / 'town.gpkg'}|layername=facility|subset=fid < 0"}, "không có đối tượng"),
    ({"STATIONS": f"{SAMPLES / 'town.gpkg'}|layername=field_report"}, "không có trường name"),
])
def test_bad_input_is_one_sentence(tmp_path, change, words):
    with pytest.raises(QgsProcessingException, match=words):
        run(tmp_path, **{"TEXT": "Lam Trạch 4,78m", **change})
