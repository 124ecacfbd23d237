"""The answer about a parcel as it is read on the screen."""

from __future__ import annotations

from html import escape

from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.numbers_vi import format_date
from ..processing_algorithms.zoning.plans.parcel_brief import Brief, Line, Mark

_SIGNS = {
    Mark.BAD: ("#b3261e", "●"),
    Mark.OPEN: ("#8a5300", "●"),
    Mark.GOOD: ("#1b6e2d", "●"),
    Mark.ASIDE: ("#6b6b6b", ""),
    Mark.ANSWER: ("#174a7c", "▶"),
    Mark.PLAIN: ("", ""),
}


def answer_html(brief: Brief) -> str:
    """Return the whole answer; colours never stand alone, the words say the same."""
    parts = [
        f"<h3 style='margin:2px 0'>{escape(brief.title)}</h3>",
        "<p style='color:#6b6b6b;margin:0'>"
        + say("Ngày tra cứu: {d}", "Day: {d}").format(d=format_date(brief.date))
        + "</p>",
    ]
    for section in brief.sections:
        parts.append(f"<h4 style='margin:10px 0 2px 0;background:#e8eef5'>&nbsp;{escape(section.title)}</h4>")
        parts += [_line(line) for line in section.lines]
    return "".join(parts)


def _line(line: Line) -> str:
    colour, sign = _SIGNS[line.mark]
    text = escape(line.text)
    if line.mark is Mark.ANSWER:
        text = f"<b>{text}</b>"
    if colour:
        text = f"<span style='color:{colour}'>{sign + ' ' if sign else ''}{text}</span>"
    reason = f"<br><span style='color:#6b6b6b'>&nbsp;&nbsp;{escape(line.reason)}</span>" if line.reason else ""
    return f"<p style='margin:2px 0 2px 8px'>{text}{reason}</p>"
