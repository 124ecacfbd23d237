"""quyhoach:planconflicts through the registry: the sample town, and bad input."""

from pathlib import Path

import geopandas
import openpyxl
import processing
import pytest
from qgis.core import QgsProcessingException, QgsProcessingFeedback

ID = "quyhoach:planconflicts"
TOWN = Path(__file__).resolve().parents[2] / "data_samples" / "town.gpkg"


@pytest.fixture
def case(tmp_path):
    place = tmp_path / "Nguyễn Văn Ân" / "rà soát"
    place.mkdir(parents=True)
    return {"PLANS": f"{TOWN}|layername=plan", "ZONES": f"{TOWN}|layername=zone", "DATE": "25/11/2026",
            "OUTPUT": str(place / "mâu thuẫn.gpkg"), "SUMMARY": str(place / "cặp.gpkg"), "XLSX": str(place / "rà soát.xlsx")}


def test_the_sample_town(case):
    result = processing.run(ID, case)
    places = geopandas.read_file(result["OUTPUT"])
    assert result["PLACES"] == len(places) > 20 and result["PAIRS"] == 1
    # The sub-area plan differs from the general one; its amendment, whose block stays within mixed use of 9 storeys, does
    # not, and it does not contradict what it amends.
    assert set(zip(places["answer_ref"], places["other_ref"])) == {("QPK-TT-2035", "QHC-LT-2040")}
    assert places.geometry.area.to_numpy() == pytest.approx(places["area_m2"].to_numpy())
    summary = geopandas.read_file(result["SUMMARY"])
    assert summary["area_m2"].sum() == pytest.approx(places["area_m2"].sum())
    book = openpyxl.load_workbook(result["XLSX"])
    assert book["Theo cặp đồ án"]["A1"].value == "RÀ SOÁT CHỒNG LẤN, MÂU THUẪN GIỮA CÁC QUY HOẠCH"


@pytest.mark.parametrize(("change", "told"), [
    ({"DATE": "hôm qua"}, "không phải là ngày"), ({"DATE": "01/01/2000"}, "Không đồ án nào"),
    ({"ZONES": f"{TOWN}|layername=parcel"}, "thiếu trường plan_ref, zone_code, function_code"),
    ({"PLANS": f"{TOWN}|layername=zone"}, "thiếu trường level, status")])
def test_bad_input_is_told(case, change, told):
    feedback = QgsProcessingFeedback()
    with pytest.raises(QgsProcessingException) as caught:
        processing.run(ID, {**case, **change}, feedback=feedback)
    assert told in f"{caught.value}\n{feedback.textLog()}" and not Path(case["OUTPUT"]).exists()
