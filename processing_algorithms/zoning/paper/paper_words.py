"""The words and tables of a planning-information paper, from its inputs and the office's settings.

All of it is Vietnamese, with the official words. A restriction, a doubt or a contradiction is said where an official
looks for it; what the data do not tell is said to be missing, never left blank.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...common.numbers_vi import format_date, format_number
from ...common.rounding import round_closed
from ...common.word_blocks import Block, Paragraph, Picture, Table

#: Placeholders of a template that take a text, with what stands there.
TEXT_PLACEHOLDERS = {
    "Cơ quan chủ quản": "tên cơ quan cấp trên, chữ hoa",
    "Cơ quan ban hành": "tên cơ quan cung cấp thông tin, chữ hoa",
    "Tên cơ quan": "tên cơ quan cung cấp thông tin, chữ thường",
    "Số văn bản": "số và ký hiệu; để trống khi còn là dự thảo",
    "Địa danh ngày": "địa danh, ngày tháng năm; ngày để trống khi còn là dự thảo",
    "Trích yếu": "thửa đất hoặc khu vực được cung cấp thông tin",
    "Mã hồ sơ": "mã hồ sơ đề nghị và ngày tiếp nhận",
    "Ngày tra cứu": "ngày của dữ liệu",
    "Hiệu lực": "câu về giá trị của thông tin",
    "Nơi nhận": "các dòng nơi nhận",
    "Thẩm quyền ký": "quyền hạn, chức vụ người ký",
    "Người ký": "họ tên người ký; thường để trống",
    "Mã đối chiếu": "mã ngắn để đối chiếu với sổ đăng ký",
}
#: Placeholders that must be paragraphs of their own; they take paragraphs and tables.
BLOCK_PLACEHOLDERS = {
    "Căn cứ": "các quyết định phê duyệt đồ án đã tra cứu",
    "Thông tin thửa đất": "số hiệu, diện tích theo giấy tờ và theo bản đồ, hệ tọa độ",
    "Thông tin quy hoạch": "từng cấp quy hoạch: đồ án, phần thửa, chức năng, chỉ tiêu và căn cứ",
    "Khu vực hạn chế": "khu vực hạn chế, khống chế xây dựng",
    "Lưu ý": "khác nhau giữa các cấp quy hoạch, hạn sai ghép bản đồ",
    "Bảng tọa độ": "tọa độ X (Bắc), Y (Đông) các góc thửa",
    "Mã QR": "mã QR của mã đối chiếu; không bắt buộc",
}
#: Without these a paper would not say what it is for.
NEEDED_PLACEHOLDERS = ("Số văn bản", "Thông tin thửa đất", "Thông tin quy hoạch", "Khu vực hạn chế", "Lưu ý",
                       "Mã đối chiếu")
VALIDITY = ("Thông tin nêu trên có giá trị tại thời điểm cung cấp; khi quy hoạch được điều chỉnh hoặc thay thế thì "
            "thực "
            "hiện theo quy hoạch được phê duyệt sau cùng.")
#: Corners from which the table in the paper has two columns of points.
_MANY_CORNERS = 30


@dataclass(frozen=True)
class Office:
    """What an office sets once: names, sign of its papers, place, validity note."""

    agency: str
    agency_above: str
    number_sign: str
    place: str
    authority: str
    signer: str = ""
    recipients: str = "- Như trên;\n- Lưu: VT, HS."
    validity: str = VALIDITY


@dataclass(frozen=True)
class Request:
    """What was asked: number and day of receipt as at the one-stop desk, where the land lies in words."""

    number: str = ""
    received: datetime.date | None = None
    location: str = ""


def texts_of(inputs: Mapping[str, Any], office: Office, request: Request) -> dict[str, str]:
    """Return the texts by placeholder; number, date and code are given when a paper is written."""
    asked = request.number or "…………………"
    received = f", tiếp nhận ngày {format_date(request.received)}" if request.received else ""
    return {
        "Cơ quan chủ quản": office.agency_above.upper(), "Cơ quan ban hành": office.agency.upper(),
        "Tên cơ quan": office.agency, "Trích yếu": subject(inputs, request), "Mã hồ sơ": asked + received,
        "Ngày tra cứu": _date(inputs["date"]), "Hiệu lực": office.validity, "Nơi nhận": office.recipients,
        "Thẩm quyền ký": office.authority.upper(), "Người ký": office.signer}


def subject(inputs: Mapping[str, Any], request: Request) -> str:
    """Name the land a paper is about.

    Examples
    --------
    >>> subject({"parcel": {"asked_by": "parcel", "sheet_no": "5", "parcel_no": "12", "old_commune_code": "99101",
    ...     "old_commune": None, "commune": None, "commune_code": None, "address": None}}, Request())
    'Thửa đất số 12, tờ bản đồ số 5, mã xã cũ 99101'
    """
    parcel = inputs["parcel"]
    words = []
    if parcel["parcel_no"]:
        words.append(f"Thửa đất số {parcel['parcel_no']}, tờ bản đồ số {parcel['sheet_no'] or '…'}")
    elif parcel["asked_by"] == "corners":
        words.append("Khu đất theo tọa độ các góc do người đề nghị cung cấp")
    else:
        words.append("Thửa đất chưa có số hiệu")
    if parcel["old_commune"]:
        words.append(f"{parcel['old_commune']} (cũ)")
    elif parcel["old_commune_code"]:
        words.append(f"mã xã cũ {parcel['old_commune_code']}")
    words += [word for word in (parcel["address"], request.location or parcel["commune"]) if word]
    return ", ".join(words)


def blocks_of(inputs: Mapping[str, Any], request: Request) -> dict[str, list[Block]]:
    """Return the blocks by placeholder."""
    return {"Căn cứ": _grounds(inputs), "Thông tin thửa đất": _parcel(inputs, request),
            "Thông tin quy hoạch": _planning(inputs), "Khu vực hạn chế": _restrictions(inputs),
            "Lưu ý": _remarks(inputs),
            "Bảng tọa độ": _corners(inputs)}


def plan_title(plan: Mapping[str, Any]) -> str:
    """Name a plan with its decision.

    Examples
    --------
    >>> plan_title({"name": "Trung tâm", "level_label": "Quy hoạch phân khu", "decision_number": "2046/QĐ-UBND",
    ...     "approval_date": "2025-10-14", "approving_agency": None})
    'Quy hoạch phân khu Trung tâm (Quyết định số 2046/QĐ-UBND ngày 14/10/2025)'
    """
    name = plan["name"] or ""
    title = name if name.lower().startswith("quy hoạch") else f"{plan['level_label']} {name}".strip()
    return f"{title} ({_decision(plan)})"


def _decision(plan: Mapping[str, Any]) -> str:
    if not plan["decision_number"]:
        return "chưa có số quyết định phê duyệt trong dữ liệu"
    words = f"Quyết định số {plan['decision_number']}"
    if plan["approval_date"]:
        words += f" ngày {_date(plan['approval_date'])}"
    return words + (f" của {plan['approving_agency']}" if plan.get("approving_agency") else "")


def _answering(inputs: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(piece["plan_ref"] for piece in inputs["pieces"] if piece["is_answer"]
                              and piece["plan_ref"]))


def _grounds(inputs: Mapping[str, Any]) -> list[Block]:
    """The decisions the paper stands on: plans in force that say something about the parcel."""
    refs = dict.fromkeys([*_answering(inputs), *(piece["plan_ref"] for piece in inputs["pieces"] if piece["plan_ref"])])
    found: list[Block] = []
    for ref in refs:
        plan = inputs["plans"].get(ref)
        if plan and plan["in_force"] and plan["decision_number"]:
            title = plan_title(plan)
            found.append(Paragraph(f"Căn cứ {_decision(plan)} phê duyệt {_lower(title.partition(' (')[0])};",
                                   italic=True))
    return found


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def _parcel(inputs: Mapping[str, Any], request: Request) -> list[Block]:
    parcel = inputs["parcel"]
    legal, measured = parcel["legal_area_m2"], parcel["map_area_m2"]
    lines: list[Block] = [Paragraph(f"{subject(inputs, request)}.", lead="-")]
    if parcel["land_code"]:
        known = f"{parcel['land_type']} ({parcel['land_code']})" if parcel["land_type"] else (
            f"mã {parcel['land_code']} (không có trong danh mục loại đất)")
        lines.append(Paragraph(f"{known}, theo hồ sơ địa chính.", lead="- Loại đất:"))
    lines.append(Paragraph(f"{_area(legal)} m²." if legal else "không có trong dữ liệu; lấy theo giấy tờ về đất.",
                           lead="- Diện tích theo giấy tờ:"))
    words = f"{_area(measured)} m² (trên mặt phẳng bản đồ)"
    if legal:
        difference = float(measured) - float(legal)
        words += (", bằng diện tích theo giấy tờ" if round(difference, 1) == 0 else
                  f", {'lớn' if difference > 0 else 'nhỏ'} hơn diện tích theo giấy tờ "
                  f"{_area(f'{abs(difference):.4f}')} m²; "
                  "diện tích theo giấy tờ không bị thay thế")
    lines.append(Paragraph(words + ".", lead="- Diện tích đo trên bản đồ:"))
    lines.append(Paragraph(f"{parcel['meridian']}.", lead="- Hệ tọa độ:"))
    if parcel["asked_by"] == "corners" and parcel["stated_crs"] != parcel["crs"]:
        lines.append(Paragraph(f"{parcel['stated_meridian']}; đã chuyển sang hệ tọa độ của bản đồ quy hoạch.",
                               lead="- Tọa độ do người đề nghị cung cấp ở:"))
    return lines


def _planning(inputs: Mapping[str, Any]) -> list[Block]:
    """One part for each plan, the answering ones first."""
    answering = _answering(inputs)
    others = [ref for ref in dict.fromkeys(piece["plan_ref"] for piece in inputs["pieces"] if piece["plan_ref"])
              if ref not in answering]
    blocks: list[Block] = []
    if not answering:
        blocks.append(Paragraph("Tại thời điểm tra cứu, không có đồ án quy hoạch đô thị và nông thôn được phê duyệt, "
                                "đang có "
                                "hiệu lực tại vị trí này trong cơ sở dữ liệu."))
    for number, ref in enumerate(answering, 1):
        pieces = [piece for piece in inputs["pieces"] if piece["plan_ref"] == ref and piece["is_answer"]]
        blocks += _plan_part(inputs, f"2.{number}.", ref, pieces, answers=True)
    unplanned = [piece for piece in inputs["pieces"] if piece["role"] == "no_plan" and not piece["within_tolerance"]]
    if unplanned and answering:
        area = sum(float(piece["area_m2"]) for piece in unplanned)
        blocks.append(Paragraph(f"{_area(f'{area:.4f}')} m² không thuộc đồ án nào đang có hiệu lực.",
                                lead="- Phần còn lại của thửa:"))
    also = [ref for ref in answering if any(piece["plan_ref"] == ref and not piece["is_answer"]
                                            for piece in inputs["pieces"])]
    if others or also:
        blocks.append(Paragraph("Các đồ án khác tại vị trí này (để tham khảo, không dùng để trả lời):", bold=True,
                                with_next=True))
    for ref in [*also, *others]:
        pieces = [piece for piece in inputs["pieces"] if piece["plan_ref"] == ref and not piece["is_answer"]]
        blocks += _plan_part(inputs, "-", ref, pieces, answers=False)
    return blocks


def _plan_part(inputs: Mapping[str, Any], lead: str, ref: str, pieces: Sequence[Mapping[str, Any]], *,
               answers: bool) -> list[Block]:
    plan = inputs["plans"].get(ref, {"name": ref, "level_label": "", "decision_number": None, "approval_date": None,
                                     "scale": None, "status_label": "", "in_force": True, "reason": None})
    title = plan_title(plan)
    if plan.get("scale") and f"1/{format_number(float(plan['scale']))}" not in title:
        title += f", bản đồ tỷ lệ 1/{format_number(float(plan['scale']))}"
    if not plan["in_force"]:
        title += f". Tình trạng: {_lower(plan['status_label'] or 'chưa rõ')}"
    blocks: list[Block] = [Paragraph(f"{title}.", lead=lead, bold=answers, with_next=True)]
    if not answers:
        reasons = [one for one in dict.fromkeys(piece["reason"] for piece in pieces) if one]
        if reasons:
            blocks.append(Paragraph("; ".join(reasons) + ".", italic=True, with_next=True))
    if answers or any(piece["zone_code"] for piece in pieces):
        blocks.append(_pieces(pieces))
    if answers:
        blocks += _figures(inputs, pieces)
    return blocks


def _pieces(pieces: Sequence[Mapping[str, Any]]) -> Table:
    areas = round_closed([float(piece["area_m2"]) for piece in pieces], 1)
    shares = round_closed([float(piece["share_pct"]) for piece in pieces], 1)
    rows = []
    for piece, area, share in zip(pieces, areas, shares):
        what = piece["function"] or piece["function_code"] or piece["reason"] or ""
        if piece["function"] and piece["function_code"]:
            what = f"{piece['function']} ({piece['function_code']})"
        if piece["within_tolerance"]:
            what += f". {piece['tolerance_note']}"
        rows.append((str(piece["piece"]), piece["zone_code"] or "-", what, format_number(area, 1), format_number(share,
                                                                                                                 1)))
    total = ("Cộng", "", "", format_number(float(np.sum(areas)), 1), format_number(float(np.sum(shares)), 1))
    return Table(("Phần", "Ô, lô quy hoạch", "Chức năng sử dụng đất", "Diện tích (m²)", "Tỷ lệ so với thửa (%)"),
                 [*rows, total] if len(rows) > 1 else rows, (14, 28, 77, 24, 22), frozenset({3, 4}),
                 total=len(rows) > 1, points=11.0)


def _figures(inputs: Mapping[str, Any], pieces: Sequence[Mapping[str, Any]]) -> list[Block]:
    numbers = {piece["piece"] for piece in pieces}
    rows = []
    for figure in inputs["figures"]:
        if figure["piece"] not in numbers:
            continue
        reason = "Theo đồ án" if figure["source"] == "plan" else figure["reason"]
        where = figure["zone_code"] or ""
        if not figure["whole"]:
            where += f" (trên {_area(figure['area_m2'])} m²)"
        rows.append((str(figure["piece"]), where.strip(), figure["label"], figure["value"] or "áp dụng", reason))
    if not rows:
        return [Paragraph("Đồ án không có chỉ tiêu sử dụng đất quy hoạch cho phần này trong cơ sở dữ liệu.",
                          italic=True)]
    return [Paragraph("Chỉ tiêu sử dụng đất quy hoạch:", with_next=True),
            Table(("Phần", "Ô, lô quy hoạch", "Chỉ tiêu", "Giá trị", "Căn cứ"), rows, (14, 28, 53, 22, 48), frozenset(),
                  points=11.0)]


def _restrictions(inputs: Mapping[str, Any]) -> list[Block]:
    applying = [one for one in inputs["restrictions"] if one["applies"]]
    if not applying:
        return [Paragraph("Không có khu vực hạn chế, khống chế xây dựng nào trong cơ sở dữ liệu tại vị trí này ở thời "
                          "điểm "
                          "tra cứu.")]
    rows = []
    for one in applying:
        effect = one["effect_label"] or ""
        if one["max_height_m"]:
            effect += f", tối đa {format_number(float(one['max_height_m']), 1)} m"
        basis = "; ".join(text for text in (one["legal_basis"],
                                            one["decision_number"]) if text) or "chưa ghi trong dữ liệu"
        if one["within_tolerance"]:
            basis += f". Trong hạn sai ghép bản đồ ({format_number(float(one['tolerance_m']), 2)} m), xác định tại thực địa"
        rows.append((one["name"] or "", effect, _area(one["area_m2"]), format_number(float(one["share_pct"]), 1),
                     basis))
    return [Table(("Khu vực", "Mức độ", "Diện tích (m²)", "Tỷ lệ (%)", "Căn cứ"), rows, (48, 33, 22, 17, 45),
                  frozenset({2, 3}), points=11.0)]


def _remarks(inputs: Mapping[str, Any]) -> list[Block]:
    remarks: list[Block] = []
    if inputs["contradictions"]:
        remarks.append(Paragraph("Giữa các cấp quy hoạch đang có hiệu lực có nội dung khác nhau, cơ quan quản lý cần "
                                 "xem xét:",
                                 lead="-", with_next=True))
        remarks += [Paragraph(f"{one}.", lead="+") for one in inputs["contradictions"]]
    for one in inputs["overrides"]:
        if one["applies"] and one.get("decision_number"):
            day = f" ngày {_date(one['decision_date'])}" if one.get("decision_date") else ""
            remarks.append(Paragraph(f"Thửa đất có chỉ tiêu riêng theo {one['decision_number']}{day}.", lead="-"))
    tolerances = sorted({(piece["plan_ref"], piece["tolerance_m"]) for piece in inputs["pieces"]
                         if piece["is_answer"] and piece["plan_ref"] and float(piece["tolerance_m"] or 0) > 0})
    if tolerances:
        metres = " và ".join(dict.fromkeys(format_number(float(value), 2) for _, value in tolerances))
        source = next((one["source"] for one in inputs["norms"] if one["norm_table"] == "tolerance"), "")
        source = re.sub(r", map_matching_tolerance, dòng \d+", "",
                        source)  # kept in the snapshot; a citizen has no such table
        remarks.append(Paragraph(
            f"Ranh giới trong hạn sai ghép bản đồ ({metres} m trên thực địa; {source}) không được coi là chia cắt "
            f"thửa đất "
            "mà xác định tại thực địa.", lead="-"))
    remarks.append(Paragraph("Văn bản này chỉ cung cấp thông tin từ quy hoạch đã được phê duyệt, không xác nhận quyền "
                             "sử dụng "
                             "đất và không thay cho quyết định của cơ quan có thẩm quyền.", lead="-"))
    return remarks


def corner_rows(corners: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Return number, X (north), Y (east) and length of the side to the next corner, as printed."""
    return [(one["name"], format_number(float(one["north"]), 2, group=False),
             format_number(float(one["east"]), 2, group=False), format_number(float(one["side_m"]), 2))
            for one in corners]


def ring_words(corners: Sequence[Mapping[str, Any]]) -> str:
    """Say which corners belong to which outline; nothing where there is one."""
    rings: dict[int, list[Mapping[str, Any]]] = {}
    for corner in corners:
        rings.setdefault(corner.get("ring", 1), []).append(corner)
    if len(rings) == 1:
        return ""
    told = [f"góc {ring[0]['name']} - {ring[-1]['name']}: {'ranh giới phần không thuộc thửa đất' if ring[0]['hole'] else 'ranh giới ngoài'}"
            for ring in rings.values()]
    return f"G{'; '.join(told)[1:]}."


def _corners(inputs: Mapping[str, Any]) -> list[Block]:
    parcel = inputs["parcel"]
    blocks = _corner_table(parcel["meridian"], corner_rows(parcel["corners"]), "", ring_words(parcel["corners"]))
    if parcel["asked_by"] == "corners" and parcel["stated_crs"] != parcel["crs"]:
        blocks += _corner_table(parcel["stated_meridian"], corner_rows(parcel["stated_corners"]),
                                "Tọa độ do người đề nghị cung cấp. ")
    return blocks


def _corner_table(system: str, rows: Sequence[tuple[str, str, str, str]], lead: str, rings: str = "") -> list[Block]:
    header = ("Góc", "X (Bắc, m)", "Y (Đông, m)", "Cạnh (m)")
    sides = f"cạnh tính tới góc liền sau{', góc cuối mỗi vòng tới góc đầu vòng. ' + rings if rings else '.'}"
    title = Paragraph(f"{lead}Hệ tọa độ {system}; {len(rows)} góc; {sides}", centred=True, italic=True, with_next=True)
    if len(rows) <= _MANY_CORNERS:
        return [title, Table(header, rows, (18, 36, 36, 26), frozenset({1, 2, 3}), points=11.0)]
    half = -(-len(rows) // 2)
    pairs = [(*first, *(rows[half + at] if half + at < len(rows) else ("", "", "", "")))
             for at, first in enumerate(rows[:half])]
    return [title, Table(header * 2, pairs, (13, 27, 26, 17) * 2, frozenset({1, 2, 3, 5, 6, 7}), points=10.0)]


def _area(text: str) -> str:
    return format_number(float(text), 1)


def _date(text: str) -> str:
    return format_date(datetime.date.fromisoformat(text))


def stored(blocks: Mapping[str, Sequence[Block]]) -> dict[str, list[dict[str, Any]]]:
    """Return blocks as plain data for a snapshot; pictures are made anew and not kept."""
    def one(block: Block) -> dict[str, Any]:
        if isinstance(block, Table):
            return {"kind": "table", "header": list(block.header), "rows": [list(row) for row in block.rows],
                    "widths_mm": [round(width) for width in block.widths_mm], "numbers": sorted(block.numbers),
                    "total": block.total, "half_points": round(2 * block.points)}
        assert isinstance(block, Paragraph)
        return {"kind": "paragraph", "text": block.text, "bold": block.bold, "italic": block.italic, "lead": block.lead,
                "centred": block.centred, "with_next": block.with_next}

    return {name: [one(block) for block in items if not isinstance(block, Picture)] for name, items in blocks.items()}


def read_blocks(kept: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[Block]]:
    """Return the blocks that `stored` kept."""
    def one(data: Mapping[str, Any]) -> Block:
        fields = {key: value for key, value in data.items() if key != "kind"}
        if data["kind"] == "paragraph":
            return Paragraph(**fields)
        points = fields.pop("half_points") / 2
        return Table(**{**fields, "numbers": frozenset(fields["numbers"]), "points": points})

    return {name: [one(block) for block in blocks] for name, blocks in kept.items()}
