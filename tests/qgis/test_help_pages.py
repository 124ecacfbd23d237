"""Every algorithm has a page in both languages, made from its own help, reachable by its help button."""

import re
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from qgis.core import QgsApplication
from quyhoach.processing_algorithms.common.language import speaking
from quyhoach.processing_algorithms.common.qgis_help import HELP, index_page
from quyhoach.processing_algorithms.provider import algorithms


def path_of(url):
    return Path(unquote(urlparse(url).path))


@pytest.mark.parametrize("kind", algorithms(), ids=lambda kind: kind.ID)
def test_page_in_both_languages(kind):
    pages = {}
    for language in ("vi", "en"):
        with speaking(language):
            algorithm = kind().create()
            url = algorithm.helpUrl()
            text = pages[language] = path_of(url).read_text("utf-8")
            assert url.startswith("file://") and algorithm.displayName().split('"')[0] in text
            for parameter in algorithm.parameterDefinitions():
                assert f"<code>{parameter.name()}</code>" in text
        pictures = re.findall('<img class="map" src="([^"]+)"', text)
        assert pictures and all(path_of(picture).exists() for picture in pictures)
    assert pages["vi"] != pages["en"]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_start_page_leads_to_every_algorithm(language):
    with speaking(language):
        text = index_page().read_text("utf-8")
        links = [path_of(link) for link in re.findall('(?:href|src)="([^"]+)"', text)]
    assert all(link.is_absolute() and link.exists() for link in links)
    assert {link.stem for link in links} >= {kind.ID for kind in algorithms()}


def test_pictures_are_small_and_icons_can_be_told_apart():
    assert sum(path.stat().st_size for path in HELP.rglob("*.*")) < 1_000_000
    provider = QgsApplication.processingRegistry().providerById("quyhoach")
    icons = {path.stem: path.read_bytes() for path in (HELP.parent / "icons").glob("*.svg")}
    assert len(set(icons.values())) == len(icons) and {a.groupId() for a in provider.algorithms()} <= set(icons)
    assert all(not algorithm.icon().pixmap(24, 24).isNull() for algorithm in provider.algorithms())
