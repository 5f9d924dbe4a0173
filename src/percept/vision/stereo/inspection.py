"""A look at two views before time is spent on them: rectified? the right way round? how far apart do things lie?

Two looks at shrunken pictures. A sparse one, ORB features that choose each other, asks how rows and sides agree. A
dense one, census bits summed in a window, best in both views, finds the range of disparities: thin things that are near
have few features, and a range that misses them cannot be mended later.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from percept.core.errors import InputError
from percept.core.kernels import kernel
from percept.vision.stereo.grey import grey_bytes

SPARSE, FEATURES = 250_000, 500  # pixels of the picture that features are sought in, and how many
FEWEST, AGREE = 12, 0.2  # matches that share one vertical offset: so many, and of all this share, or nothing is said
BITS = 64  # of 256, in which two features may differ
TOLERANCE = 1.5  # pixels of the shrunken picture that a match may lie off the common offset
OFF = 2.0  # pixels that rows may be apart in a corner: good rectified pairs have up to 1.1
DOUBT = 2.0  # standard errors of that, which are allowed for

DENSE, WIDEST = 36_000, 512  # pixels of the picture that the range is sought in, and most columns
SHARE = 0.4  # of the width: the largest disparity in the first try
WINDOW = 2  # radius of the window that bits are summed in
UNIQUE, ABOVE = 1.1, 5  # how much worse the second best place must be: factor, and bits of a window
ISLAND = 50  # pixels; smaller patches of like disparity are chance. Of DENSE, in proportion
TAIL = 0.002  # share of the pixels found that may lie beyond the range
FACTOR, MARGIN = 1.2, 4.0  # what is added for things that were not seen: share, and pixels
FOUND = 0.005  # share of the pixels that must be found, or the range is not known
STEP = 16  # ``max_disp`` is a multiple
NOWHERE, UNSEEN = -999, 65535  # no disparity, and its cost


@dataclass(frozen=True)
class Inspection:
    """What a first look at two views says. Pixels are those of the whole picture.

    Attributes:
        matches: features of both views that agree on how far rows are apart; 0 where too few to say.
        vertical: median of how far rows are apart at the matches, by a plane fitted to them; NaN if unknown.
        corner: the same in the corner where it is largest; NaN if unknown.
        limit: how far ``corner`` may be in rectified views: 2, and more where few or poor matches leave doubt.
        rightward: share, 0..1, of the matches that lie further right in the right view; NaN if unknown.
        swapped: whether left and right are exchanged.
        identical: whether both are the same picture.
        range: (lowest, largest) disparity to be expected, with margins; None if nothing was found. The lowest is a
            guess: far things that are small may lie below it. Nothing here is left out for it.
        width: of the views.
    """

    matches: int
    vertical: float
    corner: float
    limit: float
    rightward: float
    swapped: bool
    identical: bool
    range: tuple[int, int] | None
    width: int

    @property
    def rectified(self) -> bool:
        """Whether rows agree, as far as can be told."""
        return not self.corner > self.limit  # of NaN, True

    @property
    def max_disp(self) -> int:
        """How many disparities, from 0, to look for: a multiple of 16; a quarter of the width if nothing was found."""
        largest = self.width // 4 if self.range is None else self.range[1]
        return STEP * math.ceil((largest + 1) / STEP)

    def problems(self) -> list[str]:
        """What is wrong with the views, each a sentence for the person who gave them; none if nothing is."""
        if self.identical:
            return ["left and right are the same picture: there is no depth in it"]
        found = []
        if self.swapped:
            found.append(
                f"left and right are swapped: {100 * self.rightward:.0f} % of {self.matches} matches lie further right "
                "in the right view; exchange them"
            )
        if not self.rectified:
            found.append(
                f"the views are not rectified: matches lie {self.vertical:.1f} px apart vertically (median of "
                f"{self.matches}; up to {self.corner:.1f} px in a corner); give --rectify CALIB"
            )
        return found


def inspect(left: np.ndarray, right: np.ndarray) -> Inspection:
    """Look at two views, (H, W, 3) uint8 RGB each.

    Raises:
        InputError: they differ in size.
    """
    if left.shape != right.shape:
        (height, width), (h, w) = left.shape[:2], right.shape[:2]
        raise InputError(f"left is {width} x {height} pixels, right {w} x {h}: views of one size are needed")
    width = left.shape[1]
    if np.array_equal(left, right):
        return Inspection(0, math.nan, math.nan, OFF, math.nan, False, True, (0, 0), width)
    greys = [grey_bytes(view) for view in (left, right)]
    points, scale = _matches(*greys)
    plane = _plane(points, greys[0].shape[1] / scale, greys[0].shape[0] / scale)
    found = _range(*greys)
    if plane is None:
        return Inspection(0, math.nan, math.nan, OFF, math.nan, False, False, found, width)
    offsets, corner, doubt, agree = plane
    apart = (points[agree, 0] - points[agree, 2]) * scale  # disparities
    further, nearer = float(np.mean(apart < -1)), float(np.mean(apart > 1))
    swapped = further > 0.25 and further > 2 * nearer
    vertical, limit = float(np.median(np.abs(offsets))) * scale, OFF + DOUBT * doubt * scale
    return Inspection(int(agree.sum()), vertical, corner * scale, limit, further, swapped, False, found, width)


# Below here: the sparse look.


def _shrunken(grey: np.ndarray, pixels: int, widest: int = 2**31) -> np.ndarray:
    """(H, W) in about ``pixels`` pixels and at most ``widest`` columns; itself if it has no more."""
    height, width = grey.shape
    scale = max(math.sqrt(grey.size / pixels), width / widest)
    if scale <= 1:
        return grey
    size = max(1, round(width / scale)), max(1, round(height / scale))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)


def _matches(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, float]:
    """Features that choose each other, (N, 4) float64 x, y, x, y in shrunken pixels; and by how much it is shrunken."""
    small, other = _shrunken(left, SPARSE), _shrunken(right, SPARSE)
    scale = left.shape[1] / small.shape[1]
    # few levels, near in scale: the views of a pair show things in one size
    orb = cv2.ORB_create(FEATURES, scaleFactor=1.4, nlevels=3, edgeThreshold=8, patchSize=25, fastThreshold=7)
    if min(small.shape) < 48:  # of which ORB's coarsest level has no room for a patch
        return np.empty((0, 4)), scale
    one, bits = orb.detectAndCompute(small, None)
    two, others = orb.detectAndCompute(other, None)
    if bits is None or others is None:
        return np.empty((0, 4)), scale
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(bits, others)
    points = [(*one[pair.queryIdx].pt, *two[pair.trainIdx].pt) for pair in pairs if pair.distance < BITS]
    return np.array(points, np.float64).reshape(-1, 4), scale


def _plane(points: np.ndarray, width: float, height: float) -> tuple[np.ndarray, float, float, np.ndarray] | None:
    """How far rows are apart, as a plane over the picture: a shift, a roll and a zoom of one view at once.

    Planes through three matches each are tried, the one that most agree with is fitted to these (Fischler & Bolles
    1981). The same matches give the same plane: the draws are seeded.

    Returns: offsets (M,) of the plane at the matches that agree; the largest in a corner, and the standard error of
    that; which agree (N,) bool. None if too few do.
    """
    count = len(points)
    if count < FEWEST:
        return None
    offset = points[:, 1] - points[:, 3]
    place = np.stack([np.ones(count), points[:, 2] / width - 0.5, points[:, 3] / height - 0.5], 1)  # (N, 3)
    drawn = np.random.default_rng(0).integers(0, count, (200, 3))
    drawn = drawn[np.abs(np.linalg.det(place[drawn])) > 0.02]  # three on a line span no plane
    planes = np.linalg.solve(place[drawn], offset[drawn][..., None])[..., 0]  # (200, 3, 1) -> (200, 3)
    planes = np.concatenate([planes, [[np.median(offset), 0, 0]]])
    votes = np.abs(place @ planes.T - offset[:, None]) < TOLERANCE  # (N, 201)
    agree = votes[:, votes.sum(0).argmax()]
    plane = planes[0]
    for _ in range(3):
        if agree.sum() < max(FEWEST, AGREE * count):
            return None
        plane = np.linalg.lstsq(place[agree], offset[agree], rcond=None)[0]
        agree = np.abs(place @ plane - offset) < TOLERANCE
    if agree.sum() < max(FEWEST, AGREE * count):
        return None
    corners = np.array([(1, x, y) for x in (-0.5, 0.5) for y in (-0.5, 0.5)])  # (4, 3)
    at = corners[np.abs(corners @ plane).argmax()]
    spread = np.sqrt(np.mean((place[agree] @ plane - offset[agree]) ** 2))
    doubt = spread * np.sqrt(at @ np.linalg.pinv(place[agree].T @ place[agree]) @ at)
    return place[agree] @ plane, float(abs(at @ plane)), float(doubt), agree


# Below here: the dense look.


def _range(left: np.ndarray, right: np.ndarray) -> tuple[int, int] | None:
    """The disparities of (H, W) uint8 views, margins included; None if too few pixels were found in both."""
    small, other = (_shrunken(view, DENSE, WIDEST) for view in (left, right))
    one, two = _census(small), _census(other)
    width = small.shape[1]
    count = max(1, min(width, math.ceil(SHARE * width)))
    found = _found(one, two, count)
    if (found is None or found[1] >= count - 2) and count < width:  # there may be more beyond
        found = _found(one, two, width)
    if found is None:
        return None
    scale = left.shape[1] / width
    low, high = (scale * edge for edge in found)
    return max(0, math.floor(low / 2 - MARGIN)), min(left.shape[1] - 1, math.ceil(FACTOR * high + MARGIN))


def _found(one: np.ndarray, two: np.ndarray, count: int) -> tuple[int, int] | None:
    """The lowest and largest disparity of many that both views agree on; of views as census bits."""
    left, right, best, second = _winners(one, two, count)
    columns = np.arange(left.shape[1])[None] - left
    back = np.take_along_axis(right, columns.clip(0, left.shape[1] - 1), 1)
    beaten = (second < UNSEEN) & (second >= UNIQUE * best + ABOVE)  # where there is no second place, nothing was chosen
    sure = beaten & (left != NOWHERE) & (np.abs(back - left) <= 1)
    islands = np.where(sure, left, -STEP).astype(np.int16)
    cv2.filterSpeckles(islands, -STEP, max(4, ISLAND * left.size // DENSE), 1)
    heights = np.bincount(islands[islands >= 0], minlength=1)  # pixels of each disparity
    total = int(heights.sum())
    if total < max(1.0, FOUND * left.size):
        return None
    enough = max(1.0, TAIL * total)
    up, down = np.cumsum(heights), np.cumsum(heights[::-1])
    return int(np.argmax(up >= enough)), len(heights) - 1 - int(np.argmax(down >= enough))


@kernel
def _census(grey):  # type: ignore[no-untyped-def]
    """(H, W) uint8 -> uint32: for each of the 24 neighbours in 5 x 5 whether it is darker (Zabih & Woodfill 1994)."""
    height, width = grey.shape
    found = np.zeros((height, width), np.uint32)
    for y in range(height):
        for dy in range(-2, 3):
            row = min(max(y + dy, 0), height - 1)
            for dx in range(-2, 3):
                if dx == 0 and dy == 0:
                    continue
                for x in range(width):
                    darker = grey[row, min(max(x + dx, 0), width - 1)] < grey[y, x]
                    found[y, x] = np.uint32(found[y, x] << np.uint32(1)) | np.uint32(darker)
    return found


@kernel
def _differ(one, two, old, column):  # type: ignore[no-untyped-def]
    """Add the bits that differ in a row to the columns' sums, in place of those of the row that leaves the window."""
    for x in range(one.shape[0]):
        bits = np.uint32(one[x] ^ two[x])
        bits = np.uint32(bits - np.uint32((bits >> np.uint32(1)) & np.uint32(0x55555555)))
        bits = np.uint32(
            np.uint32(bits & np.uint32(0x33333333)) + np.uint32((bits >> np.uint32(2)) & np.uint32(0x33333333))
        )
        bits = np.uint32(np.uint32(bits + np.uint32(bits >> np.uint32(4))) & np.uint32(0x0F0F0F0F))
        bits = np.uint32(bits + np.uint32(bits >> np.uint32(8)))
        count = np.uint16(np.uint32(bits + np.uint32(bits >> np.uint32(16))) & np.uint32(0xFF))
        column[x] = np.uint16(column[x] + np.uint16(count - old[x]))
        old[x] = count


@kernel
def _across(column, wide, window):  # type: ignore[no-untyped-def]
    """Sums of columns -> sums of 5 x 5 windows; the outermost column counts for those beyond it."""
    width = column.shape[0]
    for x in range(WINDOW):
        wide[x] = column[0]
        wide[WINDOW + width + x] = column[width - 1]
    for x in range(width):
        wide[WINDOW + x] = column[x]
    for x in range(width):
        window[x] = np.uint16(wide[x] + wide[x + 1] + wide[x + 2] + wide[x + 3] + wide[x + 4])


@kernel
def _compete(window, d, best, second, winner):  # type: ignore[no-untyped-def]
    """Keep the best disparity so far, and the cost of the best that is no neighbour of it."""
    d = np.int16(d)
    for x in range(best.shape[0]):
        cost, least, next_, old = window[x], best[x], second[x], winner[x]
        far = d - old > np.int16(1)
        better = cost < least
        second[x] = (least if far else next_) if better else (cost if far and cost < next_ else next_)
        best[x] = cost if better else least
        winner[x] = d if better else old


@kernel
def _winners(one, two, count):  # type: ignore[no-untyped-def]
    """The best disparity, 0 .. count - 1, of each pixel of both views; of the left one also its cost, and the next.

    Row by row: what is kept of the costs are the rows of one window, (5, count, W).
    """
    height, width = one.shape
    rows = 2 * WINDOW + 1
    old = np.zeros((rows, count, width), np.uint16)
    column = np.zeros((count, width), np.uint16)
    window, wide = np.zeros(width, np.uint16), np.zeros(width + 2 * WINDOW, np.uint16)
    left, right = np.full((height, width), NOWHERE, np.int16), np.full((height, width), NOWHERE, np.int16)
    best, least = np.full((height, width), UNSEEN, np.uint16), np.full((height, width), UNSEEN, np.uint16)
    second, next_ = np.full((height, width), UNSEEN, np.uint16), np.full((height, width), UNSEEN, np.uint16)
    for bottom in range(-WINDOW, height + WINDOW):
        row, y, turn = min(max(bottom, 0), height - 1), bottom - WINDOW, (bottom + WINDOW) % rows
        for d in range(min(count, width)):
            inside = width - d
            _differ(one[row, d:], two[row, :inside], old[turn, d, d:], column[d, d:])
            if y < 0:
                continue
            _across(column[d, d:], wide, window)
            _compete(window, d, best[y, d:], second[y, d:], left[y, d:])
            _compete(window, d, least[y, :inside], next_[y, :inside], right[y, :inside])
    return left, right, best, second
