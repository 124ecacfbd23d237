"""How well a flood map fits what people saw: flood marks, field reports, places that stayed dry.

Levels: bias (mean of map minus mark) and mean absolute error, m. Wet or dry: hits (wet in both), misses (wet in truth only), false alarms (wet in
the map only); hit rate = hits / (hits + misses), false-alarm ratio = false alarms / (hits + false alarms), critical success index =
hits / (hits + misses + false alarms) (Schaefer 1990).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...common.language import say
from ...common.numbers_vi import format_number

#: Reported less than this is a wet foot, not a flood, m; ours.
WET_M = 0.05


@dataclass(frozen=True)
class DepthFit:
    """Figures of fit; None where nothing can be said.

    Attributes
    ----------
    marks : int
        Marks with a depth where the map is known.
    unknown : int
        Marks where the map is unknown.
    bias_m, mean_absolute_error_m : float or None
        Over marks wet in truth or in the map; a mark the map leaves dry counts with depth 0 there.
    hits, misses, false_alarms : int
    """

    marks: int
    unknown: int
    bias_m: float | None
    mean_absolute_error_m: float | None
    hits: int
    misses: int
    false_alarms: int

    @property
    def hit_rate(self) -> float | None:
        """Share of wet marks the map shows wet."""
        return _share(self.hits, self.hits + self.misses)

    @property
    def false_alarm_ratio(self) -> float | None:
        """Share of marks wet in the map that were dry; only as good as the number of dry marks."""
        return _share(self.false_alarms, self.hits + self.false_alarms)

    @property
    def critical_success_index(self) -> float | None:
        """Hits among all marks wet in truth or in the map."""
        return _share(self.hits, self.hits + self.misses + self.false_alarms)

    def sentence(self) -> str:
        """The figures as one sentence."""
        if not self.marks:
            return say(
                "Không có vết lũ, tin báo nào nằm trong vùng có độ sâu.", "No mark lies where the depth is known."
            )

        def figure(value: float | None, decimals: int) -> str:
            return "-" if value is None else format_number(value, decimals)

        return say("Đối chiếu {n} vết lũ, tin báo: sai số hệ thống {bias} m, tuyệt đối trung bình {mae} m; tỷ lệ phát hiện đúng {hit} %, tỷ lệ báo sai {far} %, "
                   "chỉ số thành công (CSI) {csi} %; {unknown} điểm không rõ độ sâu.",
                   "Against {n} marks: bias {bias} m, mean absolute error {mae} m; hit rate {hit} %, false-alarm ratio {far} %, critical success index "
                   "{csi} %; {unknown} marks where the depth is unknown.").format(
            n=self.marks, bias=figure(self.bias_m, 2), mae=figure(self.mean_absolute_error_m, 2), unknown=self.unknown,
            hit=figure(_percent(self.hit_rate), 0), far=figure(_percent(self.false_alarm_ratio), 0), csi=figure(_percent(self.critical_success_index), 0))


def depth_fit(map_depth_m: NDArray[np.floating], mark_depth_m: NDArray[np.floating]) -> DepthFit:
    """Compare depths of a map with depths people measured at the same places.

    Parameters
    ----------
    map_depth_m : array of float, shape (n,)
        0 = dry, nan = unknown.
    mark_depth_m : array of float, shape (n,)
        0 = stayed dry; nan is left out.

    Examples
    --------
    >>> fit = depth_fit(np.array([1.0, 0.0, 0.4]), np.array([1.2, 0.3, 0.0]))
    >>> fit.hits, fit.misses, fit.false_alarms, round(fit.bias_m, 2)
    (1, 1, 1, -0.03)
    """
    map_depth, truth = np.asarray(map_depth_m, float), np.asarray(mark_depth_m, float)
    told = ~np.isnan(truth)
    known = told & ~np.isnan(map_depth)
    wet_map, wet = map_depth[known] > WET_M, truth[known] > WET_M
    error = (map_depth - truth)[known][wet_map | wet]
    return DepthFit(
        int(known.sum()),
        int((told & ~known).sum()),
        float(error.mean()) if error.size else None,
        float(np.abs(error).mean()) if error.size else None,
        int((wet_map & wet).sum()),
        int((~wet_map & wet).sum()),
        int((wet_map & ~wet).sum()),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
