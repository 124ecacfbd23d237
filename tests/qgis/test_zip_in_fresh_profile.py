"""The zip as a user installs it: unpacked in a fresh profile, with and without the optional Python packages."""

import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def zips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zip")
    made = {}
    for name, options in (("bundled", []), ("plain", ["--plain"])):
        printed = subprocess.run([str(ROOT / "scripts" / "package"), *options, "--output", str(folder)],
                                 check=True, capture_output=True, text=True).stdout
        made[name] = Path(printed.strip().splitlines()[-1].rsplit(" (", 1)[0])
    return made


def install(archive, profiles):
    """Unpack into a profile whose path has spaces and diacritics, and enable the plugin there."""
    home = profiles / "profiles" / "default"
    (home / "python" / "plugins").mkdir(parents=True)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(home / "python" / "plugins")
    (home / "QGIS").mkdir()
    (home / "QGIS" / "QGIS3.ini").write_text("[PythonPlugins]\nquyhoach=true\n\n[locale]\noverrideFlag=true\nuserLocale=vi\n", "utf-8")


def qgis_process(profiles, *arguments, lacking=()):
    """Run qgis_process in the profile; ``lacking`` packages are hidden behind a module that cannot be imported."""
    environment = {**os.environ, "QGIS_CUSTOM_CONFIG_PATH": str(profiles), "QT_QPA_PLATFORM": "offscreen"}
    del environment["QGIS_PLUGINPATH"]
    parts = [part for part in environment["PYTHONPATH"].split(os.pathsep) if not part.endswith("plugins")]
    if lacking:
        hidden = profiles / "hidden"
        for name in lacking:
            (hidden / name).mkdir(parents=True, exist_ok=True)
            (hidden / name / "__init__.py").write_text(f"raise ModuleNotFoundError('hidden by the test', name={name!r})\n", "utf-8")
        parts.insert(0, str(hidden))
    environment["PYTHONPATH"] = os.pathsep.join(parts)
    return subprocess.run(["qgis_process", *arguments], env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture
def layers(tmp_path):
    import geopandas
    import shapely
    from quyhoach.processing_algorithms.common.files import write_vector

    parcels = geopandas.GeoDataFrame({"số": ["1", "2"]}, geometry=[shapely.box(0, 0, 2, 1), shapely.box(5, 0, 6, 1)],
                                     crs=9214)
    zones = geopandas.GeoDataFrame({"zone": ["NO", "CX"]},
                                   geometry=[shapely.box(-1, -1, 1, 2), shapely.box(1, -1, 9, 2)], crs=9214)
    for name, frame in (("thửa", parcels), ("ô", zones)):
        write_vector(frame, tmp_path / f"{name}.gpkg", "MultiPolygon")
    return [f"PARCELS={tmp_path / 'thửa.gpkg'}", f"ZONES={tmp_path / 'ô.gpkg'}", "ZONE_FIELD=zone", "SCALE=500"]


@pytest.mark.parametrize("kind", ["bundled", "plain"])
def test_installed_zip_runs_an_algorithm(zips, kind, tmp_path, layers):
    profiles = tmp_path / "Nguyễn Văn Ân"
    install(zips[kind], profiles)
    target = tmp_path / "kết quả.gpkg"
    done = qgis_process(profiles, "--json", "run", "quyhoach:parcelzoning", "--", *layers, f"OUTPUT={target}")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)["results"]
    # Parcel 1 is cut at x = 1 into 1 + 1 m2, parcel 2 lies whole in the second zone.
    assert answer["PIECES"] == 3 and answer["AREA"] == pytest.approx(3.0)
    assert target.exists()


def test_missing_packages_are_told_in_one_sentence(zips, tmp_path, layers):
    profiles = tmp_path / "hồ sơ"
    install(zips["plain"], profiles)
    listed = qgis_process(profiles, "list", lacking=("geopandas", "pandas", "shapely"))
    assert "quyhoach:parcelzoning" in listed.stdout, listed.stderr
    done = qgis_process(profiles, "run", "quyhoach:parcelzoning", "--", *layers, f"OUTPUT={tmp_path / 'a.gpkg'}",
                        lacking=("geopandas", "shapely"))
    told = done.stdout + done.stderr
    assert done.returncode != 0 and "geopandas >= 1.0, shapely >= 2.1" in told and "Traceback" not in told
    assert not (tmp_path / "a.gpkg").exists()


def test_bundled_packages_serve_where_the_machine_has_none(zips, tmp_path):
    """Hidden from the machine's folders, geopandas and openpyxl come from the zip; shapely (compiled) stays the machine's."""
    profiles = tmp_path / "hồ sơ"
    install(zips["bundled"], profiles)
    plugin = profiles / "profiles" / "default" / "python" / "plugins" / "quyhoach"
    code = (f"import importlib.util, sys\n"
            f"from pathlib import Path\n"
            f"spec = importlib.util.spec_from_file_location('b', {str(plugin / 'processing_algorithms' / 'common' / 'bundled.py')!r})\n"
            f"module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
            f"module.offer_bundled_packages()\n"
            f"import segno\n"
            f"assert str(module.FOLDER) in segno.__file__, segno.__file__\n"
            f"import openpyxl\n"
            f"assert str(module.FOLDER) not in openpyxl.__file__, 'the machine\\'s own package wins'\n")
    subprocess.run(["/usr/bin/python3", "-c", code], check=True, env={**os.environ, "PYTHONPATH": ""})


def test_zip_holds_only_what_a_user_needs(zips):
    with zipfile.ZipFile(zips["bundled"]) as packed:
        names = packed.namelist()
    assert all(name.startswith("quyhoach/") for name in names)
    assert not [name for name in names if "/tests/" in name or "__pycache__" in name
                or name.endswith((".so", ".dll", ".exe", ".pyd"))]
    assert {"quyhoach/metadata.txt", "quyhoach/LICENSE", "quyhoach/__init__.py", "quyhoach/README.md"} <= set(names)
    assert zips["bundled"].stat().st_size < 20e6
