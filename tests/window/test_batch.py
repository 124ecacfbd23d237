"""Batches in their own dialog: every algorithm opens there, and several run from rows filled in by hand."""

import shutil
from pathlib import Path

import pyogrio
from walking import hands

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"


def test_every_algorithm_opens_in_batch_and_rows_are_run(window, artefacts, tmp_path):
    folder = tmp_path / "hàng loạt"
    folder.mkdir()
    # QGIS writes into a GeoPackage it merely opens.
    town = shutil.copy(SAMPLES / "town.gpkg", tmp_path / "đô thị.gpkg")
    result = window(hands(artefacts) + f"FOLDER, TOWN, SAMPLES = Path({str(folder)!r}), {str(town)!r}, Path({str(SAMPLES)!r})\n" + '''
from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog
start = child(QDialog, "quyhoach_start")
start.close()
registry = QgsApplication.processingRegistry()

def batch(identity):
    dialog = BatchAlgorithmDialog(registry.createAlgorithmById("quyhoach:" + identity))
    dialog.show()
    wait(0.1)
    return dialog

# Each opens, with a column for each parameter that is asked for, takes a second row, and reads its own widgets back.
result["opened"], result["broken"] = 0, []
for algorithm in registry.providerById("quyhoach").algorithms():
    try:
        dialog = batch(algorithm.name())
        panel = dialog.mainWidget()
        panel.addRow()
        rows = panel.batchRowCount()
        assert rows == 2, rows
        for row in range(rows):
            panel.parametersForRow(row, dialog.processingContext(), destinationProject=project, warnOnInvalid=False)
        result["opened"] += 1
        if algorithm.name() in ("parcelcertificate", "bulletin"):
            picture("batch_" + algorithm.name(), dialog)
        dialog.close()
    except BaseException:
        result["broken"].append([algorithm.name(), traceback.format_exc()])

def layer(name):
    return f"{TOWN}|layername={name}"

def two_rows(identity, rows):
    """Fill two rows of a batch through its widgets, run it by its button, return what was made."""
    dialog = batch(identity)
    panel = dialog.mainWidget()
    panel.addRow()
    for row, values in enumerate(rows):
        for name, value in values.items():
            wrapper = panel.wrappers[row][panel.parameter_to_column[name]]
            if wrapper is None:  # a destination: its file is typed
                column = panel.parameter_to_column[name]
                panel.tblParameters.cellWidget(row + 1, column).setValue(value)
            else:
                wrapper.setParameterValue(value, dialog.processingContext())
    wait(0.2)
    see("batch_filled_" + identity)
    click(dialog.runButton())
    wait(0.5)
    until(lambda: not dialog.cancelButton().isEnabled())
    told = dialog.messageBar().currentItem()
    assert told is None, told.text()
    see("batch_run_" + identity)
    dialog.showLog()
    text = [w.toPlainText() for w in dialog.findChildren(QWidget) if hasattr(w, "toPlainText")]
    dialog.close()
    return "\\n".join(text)

zone = f"{layer('zone')}|subset=plan_ref = 'QPK-TT-2035'"
result["zoning"] = two_rows("parcelzoning", [
    {"PARCELS": layer("parcel"), "ZONES": zone, "ZONE_FIELD": "function_code", "SCALE": scale, "OUTPUT": str(FOLDER / f"thửa {scale}.gpkg")} for scale in (2000, 500)])
result["land_use"] = two_rows("landusestatistics", [
    {"INPUT": layer(f"land_use_{year}"), "CODE_FIELD": "land_code", "OUTPUT": str(FOLDER / f"đất {year}.gpkg")} for year in (2020, 2025)])
result["bulletins"] = two_rows("bulletin", [
    {"FILE": str(SAMPLES / name), "STATIONS": layer("gauge"), "OUTPUT": str(FOLDER / f"{name}.gpkg")} for name in ("bulletin_alarm_3.txt", "bulletin_chat.txt")])
''', timeout=400)
    assert result["broken"] == [] and result["opened"] >= 55, result["broken"]
    made = {path.name for path in folder.glob("*.gpkg")}
    assert made == {"thửa 2000.gpkg", "thửa 500.gpkg", "đất 2020.gpkg", "đất 2025.gpkg", "bulletin_alarm_3.txt.gpkg", "bulletin_chat.txt.gpkg"}, \
        result["zoning"][-3000:]
    # The finer the map, the smaller what is taken for an error of it.
    coarse, fine = (len(pyogrio.read_dataframe(folder / f"thửa {scale}.gpkg")) for scale in (2000, 500))
    assert fine >= coarse > 100
    for year in (2020, 2025):
        assert len(pyogrio.read_dataframe(folder / f"đất {year}.gpkg")) > 5
    assert len(pyogrio.read_dataframe(folder / "bulletin_alarm_3.txt.gpkg")) == 6
