"""Semi-global matching of a cost volume (Hirschmueller 2008) with the penalties of Zbontar & LeCun 2016, section 4.2.

Along each of 4 or 8 directions r a path cost is carried from pixel to pixel,

    L_r(p, d) = C(p, d) + min(L_r(p-r, d), L_r(p-r, d-1) + P1, L_r(p-r, d+1) + P1, m + P2) - m,   m = min_k L_r(p-r, k)

and the path costs of all directions are summed. Two sweeps do it, one from the top down and one from the bottom up,
each carrying half of the directions at once: the cost is read twice in all, and one row of path costs per direction
stays in the cache. The innermost step, along the disparities, is written in LLVM's vectors. Of plain Python numba makes
vectors too, but then checks at every pixel whether the arrays overlap, which takes longer than the work: 4.4 ns per
voxel for 8 paths where the vectors take 1.5 (80 disparities, AVX2, one thread).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from percept.core.kernels import kernel

LANES = 16  # disparities handled at once: one register of AVX2, two of SSE or NEON
BIG = 16384  # a path cost that is never chosen, and BIG + 255 + 2 * LARGEST still fits int16
LARGEST = 7900  # penalty: eight path costs of at most 255 + P2 fit uint16
VERTICAL = 1  # the directions of a sweep down: from the left, from above, from the upper left, from the upper right


def sgm(
    cost: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    *,
    p1: float,
    p2: float,
    q1: float = 1.0,
    q2: float = 1.0,
    v: float = 1.0,
    threshold: float = 0.0,
    paths: int = 8,
    threads: int = 1,
) -> np.ndarray:
    """The sum of the path costs, uint16 (H, W, D); each of them is at most 255 + p2.

    cost: uint8 (H, W, D), low is good, D disparities 0 ... D-1 in pixels of the left picture (best a multiple of 16).
    left, right: grey pictures, float32 (H, W) in 0..255, whose steps lower the penalties: with D1 = |I_L(p) - I_L(p-r)|
    and D2 = |I_R(p-d) - I_R(p-d-r)|, which counts as 0 where it leaves the right picture, p1 and p2 hold if both are
    below `threshold`, are divided by q1 if one is not, and by q2 if neither is. threshold 0: p1 and p2 hold everywhere.
    v: divides p1 once more in the vertical directions, for the step from d-1 going down and from d+1 going up.
    Quotients are rounded to whole numbers. paths: 4 or 8. threads: 1 or 2; there is no work for more.

    Raises ValueError for shapes that do not fit, penalties outside 0..7900, divisors below 1, other numbers of paths.
    """
    cost, left, right = checked(cost, left, right, paths)
    table = penalty_table(p1, p2, q1, q2, v)
    total = np.empty(cost.shape, np.uint16)
    sweeps = [prepared(cost, left, right, total, table, threshold, paths, up) for up in (False, True)]
    # Each sweep first does its own half of the rows, where it is the first to write, then the other half, adding.
    height, half = len(cost), len(cost) // 2
    stages = [(0, half, True), (0, height - half, True)], [(half, height, False), (height - half, height, False)]
    with ThreadPoolExecutor(min(max(threads, 1), 2)) as pool:
        for stage in stages:
            jobs = [pool.submit(sweep, *sweeps[k], *stage[k]) for k in range(2)]
            for job in jobs:
                job.result()
    return total


def checked(cost, left, right, paths: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The arrays, contiguous and of the kernels' types; ValueError where they cannot be."""
    if cost.ndim != 3 or cost.dtype != np.uint8 or 0 in cost.shape:
        raise ValueError(f"the cost is a uint8 volume (H, W, D), not {cost.dtype} {tuple(cost.shape)}")
    if left.shape != cost.shape[:2] or right.shape != cost.shape[:2]:
        raise ValueError(f"pictures of {left.shape} and {right.shape} do not fit a cost of {tuple(cost.shape)}")
    if paths not in (4, 8):
        raise ValueError(f"4 or 8 paths, not {paths}")
    # Writable too: numba would compile everything a second time for arrays that are not.
    return tuple(np.require(a, t, "CW") for a, t in ((cost, np.uint8), (left, np.float32), (right, np.float32)))


def penalty_table(p1: float, p2: float, q1: float, q2: float, v: float) -> np.ndarray:
    """int16 (3, 3): for 0, 1 and 2 large steps in the pictures P1, P1 of the favoured vertical step, P2."""
    if not (0 <= p1 <= LARGEST and 0 <= p2 <= LARGEST):
        raise ValueError(f"penalties lie in 0..{LARGEST}, not p1 {p1} and p2 {p2}")
    if not all(divisor >= 1 for divisor in (q1, q2, v)):
        raise ValueError(f"divisors are at least 1, not q1 {q1}, q2 {q2}, v {v}")
    return np.floor(np.array([[p1 / q, p1 / q / v, p2 / q] for q in (1.0, q1, q2)]) + 0.5).astype(np.int16)


def prepared(cost, left, right, total, table, threshold: float, paths: int, up: bool) -> tuple:
    """The arguments of `sweep` before first, last and fresh, among them its working memory.

    The path costs of a pixel are a line of int16: L(0), ..., L(D-1), BIG up to a multiple of 16, BIG, min L, nothing up
    to 16 more. Line 0 is zeros and stands before the first pixel of every path, line 1 is the horizontal direction's;
    then comes a row of lines for each other direction.
    """
    _, width, depth = cost.shape
    padded = -(-depth // LANES) * LANES
    lines = np.full((2 + (paths // 2 - 1) * width) * (padded + LANES) + 32, BIG, np.int16)
    lines = lines[-lines.ctypes.data % 64 // 2 :]  # vectors that begin on a multiple of their size load faster
    lines[: padded + LANES] = 0
    penalties = np.empty((paths // 2, 2, 3, width + padded), np.int16)
    near, large = np.zeros((4, width), np.bool_), np.empty(width, np.bool_)
    # For the last row of each half, where a vector that juts out of the row meets the end or the other thread.
    cost_row, total_row = np.zeros((width, padded), np.uint8), np.zeros((width, padded), np.uint16)
    flat = threshold <= 0 or bool((table == table[0]).all())
    rule = table, np.float32(threshold), flat
    return cost, total, (left, right), rule, (lines, penalties, near, large, cost_row, total_row), up


@intrinsic
def relax(typingctx, lines, sources, targets, cost, c, total, t, keep, penalties, places, kind, depth):
    """One pixel: the path costs of each direction at `targets` from those at `sources`, and their sum into `total`.

    Places are offsets in elements, tuples of one per direction; a target may be its own source. lines: see `prepared`.
    cost uint8 is read at c; total uint16 is added to at t, or overwritten where keep is 0 and not -1; both must reach
    to the next multiple of 16, though nothing changes beyond depth. penalties int16: at `places` P1 of the step from
    d-1, `kind` elements further P1 of the step from d+1 (looked up for the vertical direction only), then P2.
    """
    signature = types.void(lines, sources, targets, cost, c, total, t, keep, penalties, places, kind, depth)
    return signature, relax_code


def relax_code(context, builder, signature, arguments):
    """Writes the LLVM code of `relax`."""
    word, index = ir.IntType(16), ir.IntType(64)
    vector = ir.VectorType(word, LANES)
    selection = ir.VectorType(ir.IntType(32), LANES)
    nothing, big = ir.Constant(vector, ir.Undefined), ir.Constant(vector, [BIG] * LANES)
    numbers = ir.Constant(vector, list(range(LANES)))
    shifted = ir.Constant(selection, list(range(LANES - 1, 2 * LANES - 1)))  # the last of one vector, most of the next

    def data(number):
        return context.make_array(signature.args[number])(context, builder, arguments[number]).data

    def plus(place, number):
        return builder.add(place, ir.Constant(index, number))

    def load(base, place, kind=vector, align=2):
        return builder.load(builder.bitcast(builder.gep(base, [place]), kind.as_pointer()), align=align)

    def store(value, base, place):
        builder.store(value, builder.bitcast(builder.gep(base, [place]), value.type.as_pointer()), align=2)

    def spread(value):
        first = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(first, nothing, ir.Constant(selection, [0] * LANES))

    def smaller(a, b):
        return builder.select(builder.icmp_signed("<", a, b), a, b)

    lines, cost, total, penalties = (data(number) for number in (0, 3, 5, 8))
    c, t, keep, kind, depth = (arguments[number] for number in (4, 6, 7, 10, 11))
    directions = range(signature.args[1].count)
    sources, targets, places = ([builder.extract_value(arguments[n], k) for k in directions] for n in (1, 2, 9))
    padded = builder.and_(plus(depth, LANES - 1), ir.Constant(index, -LANES))
    last = plus(padded, -LANES)
    keep = spread(keep)
    low = [spread(load(lines, plus(builder.add(source, padded), 1), word)) for source in sources]
    least = [cgutils.alloca_once_value(builder, big) for _ in directions]
    before = [cgutils.alloca_once_value(builder, big) for _ in directions]  # the last 16 of the source

    def block(d, inside=None):
        matching = builder.zext(load(cost, builder.add(c, d), ir.VectorType(ir.IntType(8), LANES), 1), vector)
        summed = ir.Constant(vector, [0] * LANES)
        for k in directions:
            source, place = builder.add(sources[k], d), builder.add(places[k], d)
            same, above = load(lines, source), load(lines, plus(source, 1))
            below = builder.shuffle_vector(builder.load(before[k]), same, shifted)
            builder.store(same, before[k])
            step = load(penalties, place)
            jump = load(penalties, builder.add(place, builder.add(kind, kind)))
            if k == VERTICAL:
                above = builder.add(above, load(penalties, builder.add(place, kind)))
                near = smaller(builder.add(below, step), above)
            else:
                near = builder.add(smaller(below, above), step)
            best = smaller(smaller(same, builder.add(low[k], jump)), near)
            path = builder.add(builder.sub(matching, low[k]), best)
            if inside is not None:
                path = builder.select(inside, path, big)
            store(path, lines, builder.add(targets[k], d))
            builder.store(smaller(builder.load(least[k]), path), least[k])
            summed = builder.add(summed, path)
        old = load(total, builder.add(t, d))
        summed = builder.add(builder.and_(old, keep), summed)
        if inside is not None:
            summed = builder.select(inside, summed, old)
        store(summed, total, builder.add(t, d))

    with cgutils.for_range_slice(builder, ir.Constant(index, 0), last, ir.Constant(index, LANES)) as (d, _):
        block(d)
    block(last, builder.icmp_signed("<", numbers, spread(builder.trunc(builder.sub(depth, last), word))))
    reduction = ir.FunctionType(word, [vector])
    reduction = cgutils.get_or_insert_function(builder.module, reduction, f"llvm.vector.reduce.smin.v{LANES}i16")
    for k in directions:
        lowest = builder.call(reduction, [builder.load(least[k])])
        store(lowest, lines, plus(builder.add(targets[k], padded), 1))
    return context.get_dummy_value()


@kernel
def mark_steps(picture, y, dy, dx, threshold, large):
    """Where in row y the picture's step from (y - dy, x - dx) is large, as bool (W,); not where that lies outside."""
    height, width = picture.shape
    large[:] = False
    if 0 <= y - dy < height:
        start, stop = max(0, dx), min(width, width + dx)
        here, there, result = picture[y, start:stop], picture[y - dy, start - dx : stop - dx], large[start:stop]
        for x in range(len(result)):
            result[x] = abs(here[x] - there[x]) >= threshold


@kernel
def fill_penalties(left, right, y, back, table, threshold, flat, near, penalties, large):
    """Looks the penalties of row y up. back: 1 for a sweep down, -1 for one up. large: working memory, bool (W,).

    near: out, bool (directions, W), is the left picture's step large. penalties: out, int16 (directions, is the left
    step large, below / above / jump, W + padding): reversed in x of the right picture, so that those of one left pixel
    lie in the order of its disparities; what is padded stands for disparities outside the right picture.
    """
    width = right.shape[1]
    for k in range(len(penalties)):
        dx, dy = back * (1, 0, 1, -1)[k], back * (0, 1, 1, 1)[k]
        near[k] = False
        large[:] = False
        if not flat:
            mark_steps(left, y, dy, dx, threshold, near[k])
            mark_steps(right, y, dy, dx, threshold, large)
        for first in range(2):
            for kind in range(3):
                favoured = k == VERTICAL and kind == (0 if back == 1 else 1)
                column = 2 if kind == 2 else 1 if favoured else 0
                few, many = table[first, column], table[first + 1, column]
                row = penalties[k, first, kind]
                for x in range(width):
                    row[x] = many if large[width - 1 - x] else few
                for x in range(width, len(row)):
                    row[x] = few


@kernel
def sweep(cost, total, pictures, rule, work, up, first, last, fresh):
    """The rows first ... last-1 of a sweep, counted from where it starts; fresh: writes the total, not adds to it."""
    height, width, depth = cost.shape
    left, right = pictures
    table, threshold, flat = rule
    lines, penalties, near, large, cost_row, total_row = work
    padded = cost_row.shape[1]
    stride, kind = padded + LANES, width + padded
    back = -1 if up else 1
    for i in range(first, last):
        y = height - 1 - i if up else i
        if not flat or i == first:
            fill_penalties(left, right, y, back, table, threshold, flat, near, penalties, large)
        direct = depth == padded or y + 1 not in (height // 2, height)
        if not direct:
            for x in range(width):
                for d in range(depth):
                    cost_row[x, d] = cost[y, x, d]
        matching = cost.reshape(-1) if direct else cost_row.reshape(-1)
        summed = total.reshape(-1) if direct else total_row.reshape(-1)
        keep = np.int16(-1 if direct and not fresh else 0)
        for j in range(width):
            x = width - 1 - j if up else j
            c = (y * width + x) * depth if direct else x * padded
            q = width - 1 - x
            places = (
                (0 + near[0, x]) * 3 * kind + q,
                (2 + near[1, x]) * 3 * kind + q,
                (4 + near[2, x]) * 3 * kind + q,
                (6 + near[3, x]) * 3 * kind + q,
            )
            # Rings: a diagonal path moves on by a pixel from row to row and finds its own line again.
            above = (2 + j) * stride
            upper_left = (2 + width + (j - i) % width) * stride
            upper_right = (2 + 2 * width + (j + i) % width) * stride
            targets = (stride, above, upper_left, upper_right)
            sources = (
                stride if j > 0 else 0,
                above if i > 0 else 0,
                upper_left if i > 0 and j > 0 else 0,
                upper_right if i > 0 and j < width - 1 else 0,
            )
            if len(penalties) == 4:
                relax(lines, sources, targets, matching, c, summed, c, keep, penalties, places, kind, depth)
            else:
                relax(lines, sources[:2], targets[:2], matching, c, summed, c, keep, penalties, places[:2], kind, depth)
        if not direct:
            for x in range(width):
                for d in range(depth):
                    total[y, x, d] = total_row[x, d] + (0 if fresh else total[y, x, d])
