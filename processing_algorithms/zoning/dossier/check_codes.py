"""Rules on dossier code, plan information code and object codes (MA)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...common.errors import name_some
from ...common.language import say
from .examined import Examined, ExaminedClass
from .rules import RULES, Finding
from .schema import DOSSIER_CODE, OBJECT_CODE, PLAN_CODE


@dataclass(frozen=True)
class Identity:
    """What the dossier is, by its codes or by what the check was told; blank where neither says."""

    dossier_code: str
    plan_code: str
    province: str
    level: str


def check_codes(examined: Examined) -> Iterator[Finding]:
    """Yield findings on the codes, in every class and against one another."""
    for name, rule, several in ((DOSSIER_CODE, "MA-01", "MA-03"), (PLAN_CODE, "MA-02", "MA-04")):
        yield from _pattern(examined, name, rule)
        counts = examined.codes(name)
        if len(counts) > 1:
            usual = counts.most_common(1)[0][0]
            for found in examined.filled():
                values = found.text(name)
                other = (values.isin(list(counts)) & (values != usual)).to_numpy()
                if other.any():
                    yield found.finding(several, say("{n} đối tượng có {name} là {values}, khác mã chung của hồ sơ {usual}.",
                                                     "{n} features have {name} {values}, others of the dossier {usual}.")
                                        .format(n=int(other.sum()), name=name, usual=usual,
                                                values=name_some(sorted(set(values[other])), 3)), other)
    yield from _parts(examined)
    code = identity(examined).dossier_code
    for found in examined.filled():
        yield from _object_codes(found, code)


def identity(examined: Examined) -> Identity:
    """Read province and level from the options, else from the codes most features carry."""
    usual = {name: next(iter(dict(examined.codes(name).most_common(1))), "") for name in (DOSSIER_CODE, PLAN_CODE)}
    schema, options = examined.schema, examined.options
    dossier = schema.pattern(DOSSIER_CODE).fullmatch(usual[DOSSIER_CODE])
    plan = schema.pattern(PLAN_CODE).fullmatch(usual[PLAN_CODE])
    province = options.province or (dossier["province"] if dossier else plan["province"] if plan else "")
    level = options.level or (dossier["level"] if dossier else "")
    if not level and plan:
        level = next((code for code, digits in _levels(examined).items() if plan["level"] in digits), "")
    return Identity(usual[DOSSIER_CODE], usual[PLAN_CODE], province, level)


def _pattern(examined: Examined, name: str, rule: str) -> Iterator[Finding]:
    pattern = examined.schema.pattern(name)
    shape = " + ".join(f"{part.label} ({part.length})" for part in examined.schema.codes[name])
    for found in examined.filled():
        values = found.text(name)
        wrong = values.isin([value for value in values.unique() if value and not pattern.fullmatch(value)]).to_numpy()
        if wrong.any():
            yield found.finding(rule, say("{n} đối tượng có {name} sai mẫu ({values}); mẫu: {shape}.",
                                          "{n} features have a {name} against the pattern ({values}); pattern: {shape}.")
                                .format(n=int(wrong.sum()), name=name, shape=shape,
                                        values=name_some(sorted(set(values[wrong])), 3)), wrong)


def _levels(examined: Examined) -> dict[str, list[str]]:
    part = next(part for part in examined.schema.codes[DOSSIER_CODE] if part.name == "level")
    return {code: digits.split() for code, digits in part.values.items()}


def _parts(examined: Examined) -> Iterator[Finding]:
    """The two codes of the dossier against one another, the list of provinces, the day and what was stated."""
    schema, options = examined.schema, examined.options
    who = identity(examined)
    dossier = schema.pattern(DOSSIER_CODE).fullmatch(who.dossier_code)
    plan = schema.pattern(PLAN_CODE).fullmatch(who.plan_code)
    meanings = {part.name: part.values for part in schema.codes[PLAN_CODE]}
    both = {DOSSIER_CODE: dossier, PLAN_CODE: plan}
    if dossier and plan and dossier["province"] != plan["province"]:
        yield Finding(
            RULES["MA-05"],
            say("{a} ghi mã tỉnh {x}, {b} ghi mã tỉnh {y}.", "{a} says province {x}, {b} says {y}.").format(
                a=DOSSIER_CODE, x=dossier["province"], b=PLAN_CODE, y=plan["province"]
            ),
        )
    elif dossier or plan:
        name, code = next((name, found["province"]) for name, found in both.items() if found)
        if code not in schema.provinces:
            yield Finding(
                RULES["MA-06"],
                say(
                    "{name} ghi mã tỉnh {code}, không có trong danh mục 34 tỉnh, thành phố.",
                    "{name} says province {code}, which there is not.",
                ).format(name=name, code=code),
            )
        elif options.province and code != options.province:
            yield Finding(RULES["MA-06"], say("{name} ghi mã tỉnh {code} ({a}), tỉnh đã nêu là {right} ({b}).",
                                              "{name} says province {code} ({a}), stated was {right} ({b}).")
                          .format(name=name, code=code, a=schema.provinces[code][0], right=options.province,
                                  b=schema.provinces.get(options.province, ("",))[0]))
    levels = _levels(examined)
    if dossier and plan and plan["level"] not in levels[dossier["level"]]:
        yield Finding(RULES["MA-07"], say("{a} là {x}, {b} ghi cấp độ {y} ({told}).", "{a} is {x}, {b} says level {y} ({told}).")
                      .format(a=DOSSIER_CODE, x=dossier["level"], b=PLAN_CODE, y=plan["level"],
                              told=meanings["level"].get(plan["level"], "")))
    elif dossier and options.level and dossier["level"] != options.level:
        yield Finding(RULES["MA-07"], say("{a} là {x}, cấp độ đã nêu là {y}.", "{a} is {x}, the level stated is {y}.")
                      .format(a=DOSSIER_CODE, x=dossier["level"], y=options.level))
    if dossier and plan:
        wanted = "1" if int(dossier["overall"]) else ""
        local = "2" if int(dossier["local"]) else ""
        allowed = {digit for digit in (wanted, local) if digit} or {"0"}
        if plan["adjustment"] not in allowed:
            yield Finding(RULES["MA-08"], say(
                "{a} ghi {x} lần điều chỉnh tổng thể, {z} lần điều chỉnh cục bộ; {b} ghi \"{told}\".",
                "{a} says {x} overall and {z} local amendments; {b} says \"{told}\".").format(
                    a=DOSSIER_CODE, x=int(dossier["overall"]), z=int(dossier["local"]), b=PLAN_CODE,
                    told=meanings["adjustment"].get(plan["adjustment"], plan["adjustment"])))
    if plan:
        year = 2000 + int(plan["year"])
        if not 2024 <= year <= options.on.year:
            yield Finding(RULES["MA-09"], say("{b} ghi năm {year}; mã thông tin có từ năm 2024 và năm nay là {now}.",
                                              "{b} says {year}; such codes exist since 2024 and this year is {now}.")
                          .format(b=PLAN_CODE, year=year, now=options.on.year))
        if options.kind and plan["kind"] != options.kind:
            yield Finding(RULES["MA-10"], say("{b} ghi loại {x} ({told}), loại đã nêu là {y}.",
                                              "{b} says kind {x} ({told}), stated was {y}.")
                          .format(b=PLAN_CODE, x=plan["kind"], told=meanings["kind"].get(plan["kind"], ""),
                                  y=options.kind))


def _object_codes(found: ExaminedClass, dossier_code: str) -> Iterator[Finding]:
    codes = found.text(OBJECT_CODE)
    head = f"{dossier_code}-{found.item.name}-"
    # Compared with the dossier's usual code: a row whose own code is wrong is told by that rule alone.
    wrong = np.array([bool(code) and bool(dossier_code) and not (code.startswith(head) and code[len(head):].isdigit())
                      for code in codes], dtype=bool)
    if wrong.any():
        yield found.finding("MA-11", say("{n} đối tượng có {name} không theo mẫu {head}<số>, như {values}.",
                                         "{n} features have a {name} not like {head}<number>, such as {values}.")
                            .format(n=int(wrong.sum()), name=OBJECT_CODE, head=head, values=name_some(codes[wrong], 3)),
                            wrong)
    twice = ((codes != "") & codes.duplicated(keep=False)).to_numpy()
    if twice.any():
        yield found.finding(
            "MA-12",
            say("{n} đối tượng trùng {name}: {values}.", "{n} features share a {name}: {values}.").format(
                n=int(twice.sum()), name=OBJECT_CODE, values=name_some(dict.fromkeys(codes[twice]), 3)
            ),
            twice,
        )
