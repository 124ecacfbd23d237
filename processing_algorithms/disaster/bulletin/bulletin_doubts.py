"""What makes a figure of a bulletin doubtful: held against alarm levels, the record flood, and how people write."""

from __future__ import annotations

from ...common.language import say
from ...common.numbers_vi import format_number
from .bulletin_sentences import Statement
from .bulletin_words import AlarmRelation, AlarmSpan, Level
from .stations import Station

#: A stated level and the same level from an alarm level may differ by their rounding to centimetres, m.
_ROUNDING_M = 0.011
#: Amounts above an alarm level are often rounded to a decimetre, m.
_COARSE_M = 0.051
#: Above the record flood by more than this is more likely a slip of the pen, m; above alarm 3 where no record is known.
_ABOVE_RECORD_M, _ABOVE_ALARM_3_M = 3.0, 8.0
#: Rivers do not fall so far below alarm 1, nor below the sea, m.
_BELOW_ALARM_1_M, _LOWEST_M = 25.0, -5.0
#: "lên 0,5 m" below alarm 1 and not above this may be the rise, m; lower than minus this is rather a dash, m.
_MOVED_M, _DASH_M = 1.5, 1.0
#: "xấp xỉ BĐ3", "ở mức BĐ2-BĐ3" are said within this of the alarm level, m.
_ABOUT_M = 0.25


def why_unreadable(code: str) -> str:
    """Words for why a figure cannot be read, from `Unreadable.why`."""
    return {
        "reversed": say("khoảng giá trị viết ngược", "the range is written backwards"),
        "one-sided": say(
            "chỉ nêu cao hơn hoặc thấp hơn một mức, không nêu trị số", "only says above or below, not the level"
        ),
        "unit": say("số không có đơn vị, có thể là lưu lượng", "a number without a unit, maybe a discharge"),
        "slash": say("hai số cách nhau bằng dấu gạch chéo", "two numbers with a slash between"),
        "moved": say("không rõ là mực nước hay mức lên, xuống", "a level, or how far it rose or fell?"),
        "shared": say(
            "nêu các trạm liền nhau, không rõ trị số nào của trạm nào",
            "names stations one after another; which figure is whose?",
        ),
    }.get(code, code)


def doubt(level: Level, station: Station, quote: str) -> str:
    """A question where a figure may be something else: how far the water moved, a dash taken for a minus, a figure without unit."""
    low_alarm = station.alarm_m[0]
    why = ""
    if level.moved and level.high <= _MOVED_M and (low_alarm is None or level.high < low_alarm):
        why = why_unreadable("moved")
    elif level.low < 0 and (station.kind != "tide" and level.low < -_DASH_M or level.low < -3 * _DASH_M):
        why = say("dấu trừ hay gạch nối", "a minus or a dash")
    elif not level.unit and station.record_m is None and all(alarm is None for alarm in station.alarm_m):
        why = say("số không có đơn vị, trạm chưa có mực nước báo động để đối chiếu",
                  "a number without a unit, and no alarm levels of the station to hold it against")
    return why and say("\"{quote}\": {why}; mực nước trạm {name} là bao nhiêu mét?", "\"{quote}\": {why}; how many metres is the level at {name}?"
                       ).format(quote=quote, why=why, name=station.name)


def from_alarms(statement: Statement, station: Station, quote: str) -> tuple[tuple[float, float] | None, str]:
    """The level that relations to alarm levels give, as (low, high); or a question."""
    expected: tuple[float, float] | None = None
    for relation in statement.relations:
        needed = (relation.low_alarm, relation.high_alarm) if isinstance(relation, AlarmSpan) else (relation.alarm,)
        if any(station.alarm_m[a - 1] is None for a in needed):
            if statement.level is not None:
                continue
            return None, say("\"{quote}\": lớp trạm chưa có mực nước báo động {alarm} của trạm {name}.",
                             "\"{quote}\": the layer has no alarm level {alarm} of the station {name}."
                             ).format(quote=quote, alarm=", ".join(map(str, needed)), name=station.name)
        if isinstance(relation, AlarmSpan):
            found = (
                station.alarm_m[relation.low_alarm - 1] + relation.low_offset,
                station.alarm_m[relation.high_alarm - 1] + relation.high_offset,
            )
        elif relation.by_sign and relation.side < 0 and abs(relation.low - station.alarm_m[relation.alarm - 1]) < 0.02:
            continue  # "BĐ3 - 4,5m" tells the alarm level
        elif relation.low is not None:
            ends = sorted(
                station.alarm_m[relation.alarm - 1] + relation.side * amount for amount in (relation.low, relation.high)
            )
            found = (ends[0], ends[1])
        elif relation.side == 0:
            found = (station.alarm_m[relation.alarm - 1],) * 2
        else:
            continue
        if expected is None:
            expected = found
        elif max(expected[0], found[0]) > min(expected[1], found[1]) + _COARSE_M:
            return None, say("\"{quote}\": các cấp báo động nêu cho trạm {name} không khớp nhau ({one} m và {two} m).",
                             "\"{quote}\": the alarm levels told of {name} do not agree ({one} m and {two} m).").format(
                quote=quote, name=station.name, one=level_text(*expected), two=level_text(*found))
    return expected, ""


def contradiction(
    statement: Statement, station: Station, low: float, high: float, expected: tuple[float, float] | None, quote: str
) -> str:
    """A question where a stated level and the alarm levels told of it do not agree."""
    for relation in statement.relations:
        alarm = station.alarm_m[relation.alarm - 1] if isinstance(relation, AlarmRelation) else None
        if (
            alarm is not None
            and relation.low is None
            and relation.side
            and (high if relation.side > 0 else -low) < relation.side * alarm - _ROUNDING_M
        ):
            return say("\"{quote}\": {level} m không {side} báo động {k} của trạm {name} ({alarm} m); kiểm tra số liệu.",
                       "\"{quote}\": {level} m is not {side} alarm {k} of {name} ({alarm} m); check the figures.").format(
                quote=quote, level=level_text(low, high), k=relation.alarm, name=station.name, alarm=format_number(alarm, 2),
                side=say("trên", "above") if relation.side > 0 else say("dưới", "below"))
    exact = [r for r in statement.relations if isinstance(r, AlarmRelation) and r.low is not None]
    if expected is None:
        return ""
    coarse = all(round(v * 10, 6) == round(v * 10) for r in exact for v in (r.low, r.high))
    tolerance = (_COARSE_M if coarse else _ROUNDING_M) if exact else _ABOUT_M
    if expected[0] - tolerance <= low + 1e-9 and high - 1e-9 <= expected[1] + tolerance:
        return ""
    if expected[0] == expected[1] and low - tolerance <= expected[0] <= high + tolerance:
        return ""  # "1,58-1,63 m, trên BĐ3 0,02 m" tells how high its upper end is
    return say("\"{quote}\": mực nước {level} m không khớp với báo động của trạm {name} ({alarms} m), theo đó phải là {expected} m; "
               "kiểm tra số liệu, mực nước báo động và số \"0\" của trạm.",
               "\"{quote}\": the level {level} m does not agree with the alarm levels of {name} ({alarms} m), which give "
               "{expected} m; check the figures, the alarm levels and the gauge zero.").format(
        quote=quote, level=level_text(low, high), name=station.name, expected=level_text(*expected),
        alarms=" / ".join(format_number(a, 2) or "-" for a in station.alarm_m))


def impossible(station: Station, low: float, high: float, quote: str) -> str:
    """A question where a level is hardly possible at its station."""
    limits = [limit for limit in (
        None if station.record_m is None else station.record_m + _ABOVE_RECORD_M,
        None if station.alarm_m[2] is None or station.record_m is not None else station.alarm_m[2] + _ABOVE_ALARM_3_M) if limit is not None]
    lowest = _LOWEST_M if station.alarm_m[0] is None else max(_LOWEST_M, station.alarm_m[0] - _BELOW_ALARM_1_M)
    if not (limits and high > min(limits)) and low >= lowest:
        return ""
    known = "; ".join(part for part in (
        say("báo động 3: {m} m", "alarm 3: {m} m").format(m=format_number(station.alarm_m[2], 2)) if station.alarm_m[2] is not None else "",
        say("lũ lịch sử: {m} m", "record flood: {m} m").format(m=format_number(station.record_m, 2)) if station.record_m is not None else "",
    ) if part)
    return say("\"{quote}\": {level} m là mực nước khó có thật ở trạm {name} ({known}); có phải số đọc bằng xăng-ti-mét hoặc thiếu dấu phẩy?",
               "\"{quote}\": {level} m is hardly possible at {name} ({known}); is it in centimetres, or is a comma missing?"
               ).format(quote=quote, level=level_text(low, high), name=station.name, known=known)


def level_text(low: float, high: float) -> str:
    """A level, or a range of levels, as it is written."""
    return format_number(low, 2) if low == high else f"{format_number(low, 2)}-{format_number(high, 2)}"
