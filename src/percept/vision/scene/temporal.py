"""Labels of a video kept steady from frame to frame (Couprie, Farabet, Najman & LeCun 2013, causal segmentation).

Each frame is segmented by itself (graph.py). Its segments are matched with those of the frame before, by place, size
and colour; what the match leaves certain becomes markers, and a minimum spanning forest grown from these markers is the
frame's segmentation, in which old segments keep their identities. Only the past is used, and of it only one frame's
segments and one running mean: memory does not grow.

The paper averages the class scores of a segment along its life. Here every pixel keeps a running mean of its own, which
moves with its segment: means of whole segments lose the poles and people that are thinner than these. How far a segment
moved is first guessed from centroids and from how it moved before, and then corrected by comparing its own pixels with
the frame before: a centroid jumps whenever a segment grows or splits. Where a pixel's colour was another one there,
something else came into view, and the past counts less.
"""

from __future__ import annotations

import cv2
import numpy as np

from percept.core.kernels import kernel
from percept.vision.scene.graph import edges, felzenszwalb

SHRINK = 2  # the graph is that of the picture at half its size: a quarter of the edges, and objects keep their outlines
SMOOTH = 1.0  # pixels, of the Gaussian before colours of two frames are compared
BINS = 6  # of each colour channel in the histograms that show a cut
NEAR, FAR = 6.0, 0.1  # a centroid's reach: pixels of the graph, plus a share of the root of the segment's pixels
RATIO = 2.0  # how much larger or smaller a segment becomes: as unlike as a centroid that moved by its reach
TINT = 12.0  # levels of 255 by which a segment's mean colour changes: as unlike again
FEW = 0.2  # share of the frame: where segments that were recognised cover less, all is begun anew
UNLIKE = 6.0  # matches that are less alike than this, the sum of the three squares, are none
SAMPLES = 64  # pixels of a segment that are compared with the frame before, at most
STEPS = 12  # pixels, the most that the comparison moves a guess by
PREFER = 0.25  # levels of 255, what a move must gain: flat surfaces stay where the guess puts them
AROUND = np.array([(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1)], np.int64)


class Steady:
    """A video's class probabilities, averaged along the lives of its segments, one frame after the other.

        steady = Steady(11)
        for rgb, probabilities in frames:
            labels = steady.add(rgb, probabilities).argmax(0)

    Args:
        classes: K, how many there are.
        memory: frames, the most that the past counts for against one new frame. What was seen n frames ago counts
            (memory / (memory + 1)) ** n as much as what is seen now.
        likeness: levels of 255, the distance of two colours at which the past counts 1 / e of what it did.
        scale, sigma, min_size: of the segments of the picture at half its size, as in ``graph.felzenszwalb``.
        cut: share of pixels, 0..1, whose colours must be others than in the frame before for a new scene to begin.

    Attributes:
        cuts: how often all was begun anew, by a hard cut or another size.
        changed_before, changed_after: percent of the pixels whose label is another one than in the frame before, of the
            probabilities that came and of those that went; None where there is no frame before.
        segments: int32, identities of the last frame's segments at half its size; they stay the same along a life.

    Raises:
        ValueError: a parameter that means nothing.
    """

    def __init__(
        self,
        classes: int,
        *,
        memory: float = 4.0,
        likeness: float = 20.0,
        scale: float = 50.0,
        sigma: float = 0.5,
        min_size: int = 12,
        cut: float = 0.4,
    ) -> None:
        if classes < 1 or not memory >= 0 or not likeness > 0:
            raise ValueError(f"no steadying with {classes} classes, a memory of {memory}, a likeness of {likeness}")
        self.classes, self.memory, self.likeness, self.cut = classes, memory, likeness, cut
        self.scale, self.sigma, self.min_size = scale, sigma, min_size
        self.cuts = 0
        self.changed_before: float | None = None
        self.changed_after: float | None = None
        self.segments: np.ndarray | None = None
        self._sums, self._pairs = np.zeros(2), 0
        self._named = 0  # how many identities were given away

    def add(self, rgb: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """The probabilities of the next frame, steadied: float32 (K, H, W), a sum of 1 at every pixel.

        Args:
            rgb: uint8 (H, W, 3).
            probabilities: float32 (K, H, W), >= 0, their sum over K is 1.

        Raises:
            ValueError: the two do not belong together, or K is not ``classes``.
        """
        if rgb.ndim != 3 or rgb.dtype != np.uint8 or probabilities.shape != (self.classes, *rgb.shape[:2]):
            what = f"{rgb.dtype} {rgb.shape} and {probabilities.shape}"
            raise ValueError(f"expected uint8 (H, W, 3) and ({self.classes}, H, W), got {what}")
        probabilities = np.ascontiguousarray(probabilities, np.float32)
        height, width = rgb.shape[:2]
        small = cv2.resize(rgb, (-(-width // SHRINK), -(-height // SHRINK)), interpolation=cv2.INTER_AREA)
        smooth = cv2.GaussianBlur(rgb, (0, 0), SMOOTH)
        fresh = felzenszwalb(small, self.scale, self.sigma, self.min_size)
        begun = self.segments is not None and rgb.shape == self._smooth.shape
        same = begun and different(small, self._small) <= self.cut
        moved = self._follow(small, smooth, fresh) if same else None
        if moved is None:
            self._begin(small, probabilities, fresh)
        else:
            self._average(probabilities, fresh, moved, smooth)
        self._small, self._smooth = small, smooth
        return self._mean.copy()

    def changed(self) -> tuple[float, float] | None:
        """Means of ``changed_before`` and ``changed_after`` over all pairs of frames so far; None without a pair."""
        return tuple(float(value) for value in self._sums / self._pairs) if self._pairs else None

    def _follow(self, small, smooth, fresh):  # type: ignore[no-untyped-def]
        """How far each fresh segment lay elsewhere in the last frame, int64 (N, 2); None if few were there."""
        area, centre, colour = _describe(fresh, small, int(fresh.max()) + 1)
        best_old, best_new = match(self._area, self._centre - self._motion / SHRINK, self._colour, area, centre, colour)
        mutual = (best_old >= 0) & (best_new[best_old] == np.arange(len(area)))
        if area[mutual].sum() < FEW * area.sum():
            return None
        offset = (self._centre[best_old] - centre) * SHRINK
        usual = np.median(offset[mutual], axis=0)
        offset[~mutual] = usual
        guesses = np.stack([np.zeros_like(offset), offset, np.broadcast_to(usual, offset.shape)], 1)  # (N, 3, 2)
        guesses, motion = np.rint(guesses).astype(np.int64), np.rint(self._motion).astype(np.int64)
        moved = _moves(fresh, area, smooth, self._smooth, guesses, self._places, motion)
        seeds, new = _mark(fresh, moved, best_old, best_new, self._places, len(self._area))
        if seeds.max() < 0:
            return None
        first, second, _ = edges(small, self.sigma)
        grown = seeded_forest(first, second, seeds.ravel()).reshape(fresh.shape)  # (h * w,) -> (h, w)
        names = np.concatenate([self._names, self._named + np.arange(new)])
        self._named += new
        self._keep(small, grown, names, moved[fresh])
        return moved

    def _keep(self, small, places, names, motion) -> None:  # type: ignore[no-untyped-def]
        """Remembers the frame's segments: the index of the one at each pixel, and the identity of each index."""
        here = np.bincount(places.ravel(), minlength=len(names)) > 0  # some have no pixel left
        self._places, self._names = (np.cumsum(here, dtype=np.int32) - 1)[places], names[here]
        self._area, self._centre, self._colour = _describe(self._places, small, len(self._names))
        sums = [np.bincount(self._places.ravel(), motion[..., axis].ravel()) for axis in (0, 1)]
        self._motion = np.stack(sums, 1) / self._area[:, None]  # (h, w, 2) -> (N, 2)
        self.segments = self._names[self._places].astype(np.int32)

    def _begin(self, small, probabilities, fresh) -> None:  # type: ignore[no-untyped-def]
        """A first frame, or one after which nothing is as before."""
        self.cuts += self.segments is not None
        names = self._named + np.arange(int(fresh.max()) + 1)
        self._named += len(names)
        self._keep(small, fresh, names, np.zeros((*fresh.shape, 2)))
        self._age = np.ones(probabilities.shape[1:], np.float32)
        self._spare = np.empty_like(probabilities), np.empty_like(self._age)
        self._before = probabilities.argmax(0).astype(np.int32)
        self._after = self._before.copy()
        self.changed_before = self.changed_after = None
        self._mean = probabilities.copy()

    def _average(self, probabilities, fresh, moved, smooth) -> None:  # type: ignore[no-untyped-def]
        """Takes the new probabilities into the running means, which move along with their segments."""
        mean, age = self._spare
        counts = _mix(
            probabilities, self._mean, fresh, moved, smooth, self._smooth, self._age,
            np.float32(self.memory), np.float32(self.likeness), mean, age, self._before, self._after,
        )  # fmt: skip
        self._spare = self._mean, self._age  # written over by the next frame: fresh memory is slow
        self._mean, self._age = mean, age
        percent = 100 * np.array(counts) / age.size
        self.changed_before, self.changed_after = percent.tolist()
        self._sums, self._pairs = self._sums + percent, self._pairs + 1


@kernel
def seeded_forest(first, second, seeds):
    """The minimum spanning forest whose trees each grow from one marker: the marker that reaches each vertex.

    Edges are taken from light to heavy and join what they touch (Kruskal 1956), unless both trees have markers already,
    and not the same one.

    Args:
        first, second: int32 (E,), the vertices that each edge joins, ascending in weight as ``graph.edges`` gives them.
        seeds: int32 (N,), the marker of each vertex, -1 for none.

    Returns:
        int32 (N,), -1 where no marker is within reach.
    """
    parent, size, marker = np.arange(len(seeds)), np.ones(len(seeds), np.int32), seeds.copy()
    for n in range(len(first)):
        one, other = _root(parent, first[n]), _root(parent, second[n])
        if one == other or (marker[one] >= 0 and marker[other] >= 0 and marker[one] != marker[other]):
            continue
        if size[one] < size[other]:
            one, other = other, one
        parent[other] = one
        size[one] += size[other]
        marker[one] = max(marker[one], marker[other])
    for vertex in range(len(seeds)):
        marker[vertex] = marker[_root(parent, vertex)]
    return marker


@kernel
def match(old_area, old_centre, old_colour, area, centre, colour):
    """Which segments of two frames are alike: near centroids, like sizes, like colours (the paper's graph matching).

    Args:
        old_area, area: float64 (M,) and (N,), pixels.
        old_centre, centre: float64 (M, 2) and (N, 2), y and x in pixels, the old ones where they are expected now.
        old_colour, colour: float64 (M, 3) and (N, 3), 0..255.

    Returns:
        int64 (N,), the old segment most like each new one, and int64 (M,), the reverse; -1 for none.
    """
    best_old, best_new = np.full(len(area), -1), np.full(len(old_area), -1)
    least_old, least_new = np.full(len(area), UNLIKE), np.full(len(old_area), UNLIKE)
    for j in range(len(area)):
        reach = NEAR + FAR * np.sqrt(area[j])
        for i in range(len(old_area)):
            down, across = (old_centre[i, 0] - centre[j, 0]) / reach, (old_centre[i, 1] - centre[j, 1]) / reach
            unlike = down * down + across * across
            if unlike >= UNLIKE:
                continue
            unlike += (np.log(old_area[i] / area[j]) / np.log(RATIO)) ** 2
            for c in range(3):
                unlike += ((old_colour[i, c] - colour[j, c]) / TINT) ** 2
            if unlike < least_old[j]:
                least_old[j], best_old[j] = unlike, i
            if unlike < least_new[i]:
                least_new[i], best_new[i] = unlike, j
    return best_old, best_new


def different(one: np.ndarray, other: np.ndarray) -> float:
    """The share of pixels, 0..1, that would have to change colour for two uint8 (H, W, 3) to have one histogram."""
    counts = [cv2.calcHist([rgb], [0, 1, 2], None, [BINS] * 3, [0, 256] * 3) for rgb in (one, other)]
    return 0.5 * float(np.abs(counts[0] - counts[1]).sum()) / (one.shape[0] * one.shape[1])


@kernel
def _describe(segments, image, count):
    """Pixels, centroid (y, x) and mean colour of each segment."""
    height, width = segments.shape
    area, centre, colour = np.zeros(count), np.zeros((count, 2)), np.zeros((count, 3))
    for y in range(height):
        for x in range(width):
            s = segments[y, x]
            area[s] += 1
            centre[s, 0] += y
            centre[s, 1] += x
            for c in range(3):
                colour[s, c] += image[y, x, c]
    for s in range(count):
        centre[s] /= area[s]
        colour[s] /= area[s]
    return area, centre, colour


@kernel
def _moves(fresh, area, smooth, old_smooth, guesses, places, motion):
    """How far each fresh segment lay elsewhere in the frame before, in pixels (y, x): the best guess, made better.

    Guesses: those given, then how the old segment at its place moved last. Then steps to neighbours that are better.
    """
    count = len(area)
    rows, columns = np.zeros((count, SAMPLES), np.int64), np.zeros((count, SAMPLES), np.int64)
    seen, taken = np.zeros(count, np.int64), np.zeros(count, np.int64)
    bottom, right = smooth.shape[0] - 1, smooth.shape[1] - 1
    for y in range(fresh.shape[0]):
        for x in range(fresh.shape[1]):
            s = fresh[y, x]
            if seen[s] * SAMPLES >= taken[s] * area[s] and taken[s] < SAMPLES:  # evenly, over all of the segment
                rows[s, taken[s]], columns[s, taken[s]] = min(SHRINK * y, bottom), min(SHRINK * x, right)
                taken[s] += 1
            seen[s] += 1
    moved = np.zeros((count, 2), np.int64)
    for s in range(count):
        ys, xs = rows[s, : taken[s]], columns[s, : taken[s]]
        there = places[ys[len(ys) // 2] // SHRINK, xs[len(ys) // 2] // SHRINK]
        down, across, least = 0, 0, np.inf
        for g in range(guesses.shape[1] + 1):
            guess = motion[there] if g == guesses.shape[1] else guesses[s, g]
            apart = _apart(smooth, old_smooth, ys, xs, guess[0], guess[1], least)
            if apart < least:
                least, down, across = apart - PREFER, guess[0], guess[1]
        for _ in range(STEPS):
            y, x = down, across
            for n in range(len(AROUND)):
                apart = _apart(smooth, old_smooth, ys, xs, y + AROUND[n, 0], x + AROUND[n, 1], least)
                if apart < least:
                    least, down, across = apart - PREFER, y + AROUND[n, 0], x + AROUND[n, 1]
            if down == y and across == x:
                break
        moved[s, 0], moved[s, 1] = down, across
    return moved


@kernel
def _apart(smooth, old_smooth, ys, xs, down, across, enough):
    """Mean difference of colours between pixels and those that lie (down, across) away in the frame before.

    A pixel from outside, or that differs more, counts 40 levels a channel: it is no match, however unlike. The sum is
    left unfinished where it is `enough` already.
    """
    height, width, _ = smooth.shape
    total = 0.0
    for n in range(len(ys)):
        y, x = ys[n] + down, xs[n] + across
        apart = 120.0
        if 0 <= y < height and 0 <= x < width:
            found = 0
            for c in range(3):
                found += abs(np.int64(smooth[ys[n], xs[n], c]) - np.int64(old_smooth[y, x, c]))
            apart = min(apart, float(found))
        total += apart
        if total >= enough * len(ys):
            break
    return total / len(ys)


@kernel
def _mark(fresh, moved, best_old, best_new, places, old):
    """The markers: what lay where an old segment was that is most like this fresh one; fresh ones like none are new.

    A fresh segment that joined two old ones so gets both their markers, and one that split off gets none: in both cases
    the forest draws the outline. Returns how many new segments there are, too; their markers follow the `old` ones.
    """
    height, width = fresh.shape
    seeds, new = np.full((height, width), -1, np.int32), 0
    fresh_marker = np.full(len(best_old), -1, np.int64)
    for s in np.flatnonzero(best_old < 0):
        fresh_marker[s] = old + new
        new += 1
    for y in range(height):
        for x in range(width):
            s = fresh[y, x]
            if fresh_marker[s] >= 0:
                seeds[y, x] = fresh_marker[s]
                continue
            above, left = int(np.rint(y + moved[s, 0] / SHRINK)), int(np.rint(x + moved[s, 1] / SHRINK))
            if 0 <= above < height and 0 <= left < width and best_new[places[above, left]] == s:
                seeds[y, x] = places[above, left]
    return seeds, new


@kernel
def _root(parent, vertex):
    while parent[vertex] != vertex:
        parent[vertex] = parent[parent[vertex]]
        vertex = parent[vertex]
    return vertex


@kernel
def _mix(new, old, fresh, moved, smooth, old_smooth, old_age, memory, likeness, mean, age, before, after):
    """mean, age: of the new running mean; before, after: the last labels, changed into the new ones.

    A mean of a frames takes in the next one with weight 1 / (a + 1); a is how many there were, at most `memory`, less
    where the colours are not alike. Returns how many labels changed, before and after.
    """
    classes, height, width = new.shape
    changed_before, changed_after = 0, 0
    weight, source = np.empty(width, np.float32), np.empty(width, np.uintp)
    most_new, most = np.empty(width, np.float32), np.empty(width, np.float32)
    label_new, label = np.empty(width, np.int32), np.empty(width, np.int32)
    sharp = np.float32(-1 / (likeness * likeness))
    for y in range(height):
        for x in range(width):
            s = fresh[y // SHRINK, x // SHRINK]
            above, left = y + moved[s, 0], x + moved[s, 1]
            past = np.float32(0)
            source[x] = y * width + x
            if 0 <= above < height and 0 <= left < width:
                apart = 0
                for c in range(3):
                    by = np.int32(smooth[y, x, c]) - np.int32(old_smooth[above, left, c])
                    apart += by * by
                past = min(old_age[above, left], memory) * np.exp(np.float32(apart) * sharp)
                source[x] = above * width + left
            weight[x] = past / (past + np.float32(1))
            age[y, x] = past + np.float32(1)
        most_new[:], most[:], label_new[:], label[:] = -1, -1, 0, 0
        for k in range(classes):
            of_old, of_new, of_mean = old[k].reshape(-1), new[k, y], mean[k, y]  # (H, W) -> (H * W,)
            for x in range(width):
                of_mean[x] = of_old[source[x]]
            for x in range(width):
                now = of_new[x]
                mixed = now + weight[x] * (of_mean[x] - now)
                of_mean[x] = mixed
                label_new[x] = np.int32(k) if now > most_new[x] else label_new[x]
                most_new[x] = max(now, most_new[x])
                label[x] = np.int32(k) if mixed > most[x] else label[x]
                most[x] = max(mixed, most[x])
        changed_before += np.sum(label_new != before[y])
        changed_after += np.sum(label != after[y])
        before[y], after[y] = label_new, label
    return changed_before, changed_after
