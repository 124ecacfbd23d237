"""What holds for every algorithm of the provider, read through the registry."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from qgis.core import (
    Qgis,
    QgsApplication,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterVectorDestination,
    QgsProject,
)
from quyhoach.processing_algorithms.common.language import speaking
from quyhoach.processing_algorithms.common.qgis_algorithm import ROOMS
from quyhoach.processing_algorithms.provider import QuyHoachProvider, algorithms

ROOT = Path(__file__).resolve().parents[2]
ALGORITHMS = algorithms()


def each():
    return pytest.mark.parametrize("kind", ALGORITHMS, ids=lambda kind: kind.ID)


@each()
def test_identity(kind, provider):
    assert re.fullmatch(r"[a-z0-9]+", kind.ID) and kind.ROOM in ROOMS
    assert QgsApplication.processingRegistry().algorithmById(f"quyhoach:{kind.ID}") is not None
    assert type(kind().createInstance()) is kind
    assert not kind().icon().isNull()


@each()
def test_title_and_help_in_both_languages(kind):
    texts = {}
    for language in ("vi", "en"):
        with speaking(language):
            algorithm = kind()
            texts[language] = (algorithm.displayName(), algorithm.shortHelpString(), algorithm.group())
    for vi, en in zip(texts["vi"], texts["en"]):
        assert vi and en and vi != en
        assert not vi.isascii(), vi
        # A Vietnamese name inside English help is fine, a Vietnamese sentence is not.
        assert sum(ord(letter) > 0x2FF for letter in en) < 0.05 * len(en), en
    assert len(texts["vi"][1]) > 200, "help says method, source, units and what happens to odd geometry"


@each()
def test_the_short_description_is_a_whole_sentence(kind):
    for language in ("vi", "en"):
        with speaking(language):
            short = kind().shortDescription()
            assert short.endswith(".") and not kind().help()[len(short):].startswith(".."), short


@pytest.mark.parametrize(("language", "words"), [("en", "has no field"), ("vi", "không có trường")])
def test_qgis_process_speaks_the_language_asked_for(language, words):
    town = ROOT / "data_samples" / "town.gpkg"
    done = subprocess.run(
        [ROOT / "scripts" / "qgis_process", "run", "quyhoach:landusestatistics", "--", f"INPUT={town}|layername=parcel",
         "CODE_FIELD=khong_co", "OUTPUT=TEMPORARY_OUTPUT"],
        env={**os.environ, "LANGUAGE": language}, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 1 and re.search(words, done.stderr), done.stderr


@each()
def test_every_parameter_is_explained_in_both_languages(kind):
    described = {}
    for language in ("vi", "en"):
        with speaking(language):
            algorithm = kind().create()
            described[language] = {p.name(): (p.description(), p.help()) for p in algorithm.parameterDefinitions()}
    assert described["vi"].keys() == described["en"].keys()
    for key, (label, help) in described["vi"].items():
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*", key)
        english_label, english_help = described["en"][key]
        assert label and help and english_label and english_help, key
        assert help != english_help, key


@each()
def test_found_by_typing_without_diacritics(kind):
    algorithm = kind()
    with speaking("vi"):
        title = algorithm.displayName()
    assert title in algorithm.tags() and any(tag.isascii() and len(tag.split()) > 1 for tag in algorithm.tags())


@each()
def test_nothing_given_is_refused_without_a_traceback(kind, qgis_app):
    from qgis.core import QgsProcessingContext

    algorithm = kind().create()
    feedback, context = QgsProcessingFeedback(), QgsProcessingContext()
    ok, message = algorithm.checkParameterValues({}, context)
    if ok:
        _, ok = algorithm.run({}, context, feedback)
        message = feedback.textLog()
    assert not ok and message and "Traceback" not in message


def test_ids_are_unique_and_nothing_is_missing():
    ids = [kind.ID for kind in ALGORITHMS]
    assert len(ids) == len(set(ids))
    assert {"landusestatistics", "landusechangematrix", "parcelzoning", "servicearea", "flooddepth", "floodexposure",
            "hubcreate", "hubimport", "hublist", "hubexport"} <= set(ids)


def test_provider_names():
    provider = QuyHoachProvider()
    assert provider.id() == "quyhoach" and provider.name() and not provider.icon().isNull()


@each()
def test_a_result_left_empty_in_a_batch_is_one_nobody_asked_for(kind):
    """The dialog for batches gives such layers as a definition around an empty text, files as an empty text."""
    algorithm = kind().create()
    layers = (QgsProcessingParameterRasterDestination, QgsProcessingParameterVectorDestination, QgsProcessingParameterFeatureSink)
    empty = {one.name(): QgsProcessingOutputLayerDefinition("", QgsProject.instance()) if isinstance(one, layers) else ""
             for one in algorithm.destinationParameterDefinitions()}
    asked = {one.name() for one in algorithm.destinationParameterDefinitions() if not one.flags() & Qgis.ProcessingParameterFlag.Optional}
    assert set(algorithm._given(empty)) == asked
    named = {key: QgsProcessingOutputLayerDefinition("memory:", QgsProject.instance()) for key in empty}
    assert set(algorithm._given(named)) == set(empty)
