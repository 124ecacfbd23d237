"""Help pages in the language spoken now, made from what the algorithms say of themselves; pictures are in ``plugin/help``.

Written when asked for, into the folder Processing clears when QGIS ends, so that a page never says less than its algorithm.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsProcessingAlgorithm,
    QgsProcessingDestinationParameter,
    QgsProcessingParameterDefinition,
    QgsProcessingUtils,
)

from .language import current_language, say

HELP = Path(__file__).resolve().parents[2] / "plugin" / "help"
_ICONS = HELP.parent / "icons"
_STYLE = """body{font-family:'Noto Sans','Segoe UI',Arial,sans-serif;max-width:56em;margin:1.5em auto;padding:0 1em;color:#222;line-height:1.45}
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:1.6em;border-bottom:1px solid #ddd}table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid #e3e3e3;padding:.35em .5em;text-align:left;vertical-align:top}code{background:#f3f3f3;padding:0 .25em}
img.map{max-width:100%;border:1px solid #bbb}h1 img{width:32px;vertical-align:middle}.small{color:#666;font-size:.9em}"""


def algorithm_page(algorithm: QgsProcessingAlgorithm) -> Path:
    """Write the page of an algorithm and return it."""
    defined = algorithm if algorithm.parameterDefinitions() else algorithm.create()
    name, index = algorithm.name(), _folder() / "index.html"
    icon = next(path for path in (_ICONS / f"{name}.svg", _ICONS / f"{algorithm.groupId()}.svg") if path.exists())
    parts = [f'<p class="small"><a href="{index.as_uri()}">{say("Hướng dẫn QuyHoạch", "QuyHoach help")}</a> › {_text(algorithm.group())}</p>',
             f'<h1><img src="{icon.as_uri()}"> {_text(algorithm.displayName())}</h1>', _paragraphs(algorithm.shortHelpString()), _picture(name, algorithm.groupId())]
    asked = [p for p in defined.parameterDefinitions() if not isinstance(p, QgsProcessingDestinationParameter)]
    written = [p for p in defined.parameterDefinitions() if isinstance(p, QgsProcessingDestinationParameter)]
    parts.append(_table(say("Đầu vào", "Inputs"), ((_parameter(p), p.name(), p.help()) for p in asked)))
    parts.append(_table(say("Kết quả", "Results"), ((_parameter(p), p.name(), p.help()) for p in written)))
    named = {p.name() for p in defined.parameterDefinitions()}
    parts.append(_table(say("Giá trị trả về", "Values returned"),
                        ((_text(o.description()), o.name(), "") for o in defined.outputDefinitions()
                         if o.name() not in named)))
    needed = [p.name() for p in defined.parameterDefinitions() if not p.flags() & Qgis.ProcessingParameterFlag.Optional
              and p.defaultValue() is None]
    call = " ".join([f"qgis_process run {algorithm.id() or 'quyhoach:' + name} --", *(f"{key}=…" for key in needed)])
    parts.append(f"<h2>{say('Chạy không cần cửa sổ', 'Without a window')}</h2><p><code>{_text(call)}</code></p><p class='small'>"
                 + say("Dùng được trong mô hình, chạy hàng loạt, qgis_process và Python (processing.run).",
                       "Works in models, in batch, in qgis_process and from Python (processing.run).") + "</p>")
    return _write(name, algorithm.displayName(), "".join(parts))


def index_page() -> Path:
    """Write the start page with the three stories, and the page of every algorithm; return the start page."""
    provider = QgsApplication.processingRegistry().providerById("quyhoach")
    groups: dict[str, list[str]] = {}
    for algorithm in provider.algorithms() if provider is not None else ():
        page = algorithm_page(algorithm)
        line = f'<tr><td><a href="{page.as_uri()}">{_text(algorithm.displayName())}</a></td><td>{_text(algorithm.shortDescription())}</td></tr>'
        groups.setdefault(algorithm.group(), []).append(line)
    stories = (
        (HELP / f"stories_{current_language()}.html").read_text("utf-8").replace("{images}", (HELP / "images").as_uri())
    )
    for algorithm in provider.algorithms() if provider is not None else ():
        stories = stories.replace(
            f'href="{algorithm.name()}"', f'href="{(_folder() / algorithm.name()).as_uri()}.html"'
        )
    lists = "".join(f"<h2>{_text(group)}</h2><table>{''.join(lines)}</table>" for group, lines in groups.items())
    return _write("index", say("Hướng dẫn QuyHoạch", "QuyHoach help"), stories + lists)


def _folder() -> Path:
    folder = Path(QgsProcessingUtils.tempFolder()) / "quyhoach_help" / current_language()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(name: str, title: str, body: str) -> Path:
    path = _folder() / f"{name}.html"
    path.write_text(f'<!DOCTYPE html><html lang="{current_language()}"><head><meta charset="utf-8"><title>{_text(title)}</title>'
                    f"<style>{_STYLE}</style></head><body>{body}</body></html>", "utf-8", newline="\n")
    return path


def _picture(*names: str) -> str:
    found = next((path for path in (HELP / "images" / f"{name}.png" for name in names) if path.exists()), None)
    if found is None:
        return ""
    return (f'<p><img class="map" src="{found.as_uri()}"></p><p class="small">'
            + say("Hình từ đô thị mẫu (dữ liệu giả định).", "Picture from the sample town (made-up data).") + "</p>")


def _parameter(parameter: QgsProcessingParameterDefinition) -> str:
    optional = parameter.flags() & Qgis.ProcessingParameterFlag.Optional
    return _text(parameter.description()) + (f' <span class="small">({say("không bắt buộc", "optional")})</span>' if optional else "")


def _table(title: str, rows: Iterable[tuple[str, str, str]]) -> str:
    lines = "".join(f"<tr><td>{label}</td><td><code>{key}</code></td><td>{_text(help)}</td></tr>" for label, key, help in rows)
    return f"<h2>{title}</h2><table>{lines}</table>" if lines else ""


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_text(part)}</p>" for part in text.split("\n\n"))


def _text(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")
