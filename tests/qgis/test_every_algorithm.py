"""What holds for every algorithm of the provider, read through the registry."""

import re

import pytest
from qgis.core import QgsApplication, QgsProcessingFeedback
from quyhoach.processing_algorithms.common.language import speaking
from quyhoach.processing_algorithms.common.qgis_algorithm import ROOMS
from quyhoach.processing_algorithms.provider import QuyHoachProvider, algorithms

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
