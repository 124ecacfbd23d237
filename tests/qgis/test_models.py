"""Algorithms as parts of models, and the three ready models: in the toolbox, in both languages, run from end to end.

The intake of a plan runs in `test_dossier_algorithms`, which makes a dossier.
"""

from pathlib import Path

import pyogrio
import pytest
from qgis.core import (
    QgsApplication,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
)
from quyhoach.processing_algorithms.common.language import speaking
from quyhoach.processing_algorithms.common.qgis_ready_models import FOLDER, ready_models
from quyhoach.processing_algorithms.provider import algorithms

ROOT = Path(__file__).resolve().parents[2]
TOWN = ROOT / "data_samples" / "town.gpkg"
READY = ("floodmorning", "planintake", "weeklyinventory")


def town(layer):
    return f"{TOWN}|layername={layer}"


@pytest.mark.parametrize("kind", algorithms(), ids=lambda kind: kind.ID)
def test_every_algorithm_goes_into_a_model(kind):
    """Its inputs become the model's, its results the model's results, and its values can be taken by a next step."""
    model = QgsProcessingModelAlgorithm("thử", "thử", "")
    child = QgsProcessingModelChildAlgorithm(f"quyhoach:{kind.ID}")
    child.setChildId("step")
    assert child.algorithm() is not None
    results = {}
    for parameter in child.algorithm().parameterDefinitions():
        assert QgsApplication.processingRegistry().parameterType(parameter.type()) is not None, parameter.name()
        assert parameter.asPythonString() and parameter.asScriptCode()
        if parameter.isDestination():
            results[parameter.name()] = output = QgsProcessingModelOutput(parameter.name())
            output.setChildId("step")
            output.setChildOutputName(parameter.name())
            output.setDescription(parameter.name())
        else:
            model.addModelParameter(parameter.clone(), QgsProcessingModelParameter(parameter.name()))
            child.addParameterSources(parameter.name(),
                                      [QgsProcessingModelChildParameterSource.fromModelParameter(parameter.name())])
    child.setModelOutputs(results)
    model.addChildAlgorithm(child)
    following = QgsProcessingModelChildAlgorithm("native:stringconcatenation")
    following.setChildId("next")
    model.addChildAlgorithm(following)
    model.updateDestinationParameters()
    again = QgsProcessingModelAlgorithm("", "", "")
    assert again.loadVariant(model.toVariant())
    for one in (model, again):
        valid, issues = one.validateChildAlgorithm("step")
        assert valid, issues
        asked = {p.name() for p in one.parameterDefinitions() if not p.isDestination()}
        assert asked == {p.name() for p in child.algorithm().parameterDefinitions() if not p.isDestination()}
        assert sum(p.isDestination() for p in one.parameterDefinitions()) == len(results)
        types = {output.type() for output in child.algorithm().outputDefinitions()}
        offered = {source.outputName() for source in one.availableSourcesForChild("next", [], sorted(types))
                   if source.outputChildId() == "step"}
        assert offered == {output.name() for output in child.algorithm().outputDefinitions()}


def test_ready_models_stand_in_the_toolbox_in_both_languages(provider):
    found = {algorithm.name(): algorithm for algorithm in provider.algorithms() if algorithm.groupId() == "models"}
    assert tuple(sorted(found)) == READY
    keys = {}
    for language in ("vi", "en"):
        with speaking(language):
            for model in ready_models():
                texts = [model.displayName(), model.group(), model.shortHelpString(),
                         *(p.description() for p in model.parameterDefinitions()),
                         *(p.help() for p in model.parameterDefinitions())]
                assert all(texts) and model.shortDescription().endswith(".")
                assert (language == "en") == model.displayName().isascii(), model.displayName()
                keys.setdefault(model.name(), []).append([p.name() for p in model.parameterDefinitions()])
    assert all(vi == en for vi, en in keys.values())
    for algorithm in found.values():
        ok, why = algorithm.create().canExecute()
        assert ok, why
        assert "<code>" in Path(algorithm.helpUrl().removeprefix("file://").replace("%20", " ")).read_text("utf-8")


def test_models_are_what_their_script_makes(tmp_path):
    import os
    import subprocess
    import sys

    subprocess.run([sys.executable, str(ROOT / "scripts" / "ready_models" / "make.py"), "--output", str(tmp_path)],
                   check=True,
                   capture_output=True, env={**os.environ, "QT_HASH_SEED": "0"})
    for path in FOLDER.glob("*.model3"):
        read, made = QgsProcessingModelAlgorithm(), QgsProcessingModelAlgorithm()
        assert read.fromFile(str(path)) and made.fromFile(str(tmp_path / path.name))
        assert read.toVariant() == made.toVariant(), path.name


def test_weekly_inventory(run, tmp_path):
    result = run("quyhoach:weeklyinventory", {
        "LAND_USE": town("land_use_2025"), "PREVIOUS": town("land_use_2020"), "UNITS": town("administrative_unit|subset=valid_to IS NULL"),
        "landusestatistics_output": str(tmp_path / "diện tích.gpkg"), "landusestatistics_xlsx": str(tmp_path / "diện tích.xlsx"),
        "landusechangematrix_output": str(tmp_path / "đổi.gpkg"), "landusechangematrix_matrix": "memory:", "landusechangematrix_xlsx": str(tmp_path / "đổi.xlsx")})
    assert {path.name for path in tmp_path.iterdir()} == {"diện tích.gpkg", "diện tích.xlsx", "đổi.gpkg", "đổi.xlsx"}
    assert len(pyogrio.read_dataframe(result["landusechangematrix_output"])) > 10


def test_flood_morning(run, tmp_path):
    result = run("quyhoach:floodmorning", {
        "BULLETIN": "Lam Trạch 4,78 m, Khe Mây 5,25 m, Trạch Đông 4,63 m lúc 4h ngày 2/11/2026", "STATIONS": town("gauge"), "TERRAIN": str(ROOT / "data_samples" / "terrain.tif"),
        "SOURCE": town("river|subset=kind = 'river'"), "BUILDINGS": town("building"), "UNITS": town("administrative_unit|subset=valid_to IS NULL"), "ROADS": town("road"),
        "bulletin_output": "memory:", "flooddepth_output": str(tmp_path / "sâu.tif"), "floodexposure_output": "memory:", "floodexposure_output_buildings": "memory:",
        "floodednetwork_output": "memory:", "floodednetwork_output_units": "memory:"})
    assert result["bulletin_output"].featureCount() == 3 and (tmp_path / "sâu.tif").exists()
    assert result["floodexposure_output_buildings"].featureCount() > 1000 and result["floodednetwork_output"].featureCount() > 100
