"""Semi-global matching in plain torch, for any device: the same whole numbers as `sgm.sgm`, see there.

A whole front of pixels moves on at once. The paths that go down or up, straight or diagonally, are carried from row to
row, all six together; the two horizontal ones from column to column.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from percept.vision.stereo.sgm import BIG, penalty_table


def sgm(
    cost: Tensor,
    left: Tensor,
    right: Tensor,
    *,
    p1: float,
    p2: float,
    q1: float = 1.0,
    q2: float = 1.0,
    v: float = 1.0,
    threshold: float = 0.0,
    paths: int = 8,
) -> Tensor:
    """The sum of the path costs, int32 (H, W, D), on the cost's device.

    cost: uint8 (H, W, D); left, right: grey, float32 (H, W) in 0..255; the penalties as in `sgm.sgm`.
    Raises ValueError for shapes that do not fit, penalties outside 0..7900, divisors below 1, other numbers of paths.
    """
    if cost.ndim != 3 or cost.dtype != torch.uint8 or 0 in cost.shape:
        raise ValueError(f"the cost is a uint8 volume (H, W, D), not {cost.dtype} {tuple(cost.shape)}")
    if left.shape != cost.shape[:2] or right.shape != cost.shape[:2]:
        raise ValueError(
            f"pictures of {tuple(left.shape)} and {tuple(right.shape)} do not fit a cost of {tuple(cost.shape)}"
        )
    if paths not in (4, 8):
        raise ValueError(f"4 or 8 paths, not {paths}")
    device, (_, width, depth) = cost.device, cost.shape
    table = torch.from_numpy(penalty_table(p1, p2, q1, q2, v)).to(device)
    left, right = left.to(device, torch.float32), right.to(device, torch.float32)
    total = torch.zeros(cost.shape, dtype=torch.int32, device=device)
    shifts = (0,) if paths == 4 else (0, 1, -1)
    disparities = torch.arange(depth, device=device)
    places = torch.arange(width, device=device)[:, None] - disparities + depth - 1  # (W, D): x - d, after the padding

    def steps(dy: int, dx: int) -> tuple[Tensor, Tensor]:
        """Where the left and right picture's steps are large: bool (H, W), (D - 1 + W, H), the right one padded."""
        large = torch.stack([large_steps(picture, dy, dx, threshold) for picture in (left, right)])  # (2, H, W)
        return large[0], torch.nn.functional.pad(large[1], (depth - 1, 0)).T

    columns = cost.transpose(0, 1), total.transpose(0, 1)  # (W, H, D)
    if threshold <= 0:  # every step is small: one entry stands for a whole front
        near_all, far_all = (torch.zeros(shape, dtype=torch.bool, device=device) for shape in ((1, 1), (1, 1, 1)))
        carry(cost, total, shifts, table, True, lambda k, i: near_all, lambda k, i: far_all)
        carry(*columns, (0,), table, False, lambda k, i: near_all, lambda k, i: far_all)
        return total
    # (2 sweeps, directions, ...): rows from above and below, each with all shifts; then columns from left and right.
    near, far = stacked([[steps(way, shift) for shift in shifts] for way in (1, -1)])
    carry(cost, total, shifts, table, True, lambda k, i: near[k, :, i], lambda k, i: far[k, :, :, i][:, places])
    near_x, far_x = stacked([[steps(0, way)] for way in (1, -1)])
    carry(
        *columns,
        (0,),
        table,
        False,
        lambda k, i: near_x[k, :, :, i],
        lambda k, i: far_x[k][:, i + depth - 1 - disparities].transpose(1, 2),  # (1, D, H) -> (1, H, D)
    )
    return total


def stacked(steps: list[list[tuple[Tensor, Tensor]]]) -> tuple[Tensor, Tensor]:
    """Left and right steps apart: bool (2, directions, H, W) and (2, directions, D - 1 + W, H)."""
    left, right = ([torch.stack([pair[n] for pair in row]) for row in steps] for n in range(2))
    return torch.stack(left), torch.stack(right)


def large_steps(picture: Tensor, dy: int, dx: int, threshold: float) -> Tensor:
    """bool (H, W): is |I(p) - I(p - r)| >= threshold for r = (dy, dx)? Not where p - r lies outside."""
    height, width = picture.shape
    large = torch.zeros((height, width), dtype=torch.bool, device=picture.device)
    if threshold > 0:
        rows, columns = slice(max(0, dy), height + min(0, dy)), slice(max(0, dx), width + min(0, dx))
        there = picture[max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)]
        limit = torch.tensor(threshold, dtype=torch.float32, device=picture.device)
        large[rows, columns] = (picture[rows, columns] - there).abs() >= limit
    return large


def carry(
    cost: Tensor,
    total: Tensor,
    shifts: tuple[int, ...],
    table: Tensor,
    vertical: bool,
    near: Callable[[int, int], Tensor],
    far: Callable[[int, int], Tensor],
) -> None:
    """Add the costs of the paths along the first axis of cost and total, (N, M, D), both ways, to the total.

    shifts: of a path along the second axis, with each step. near(k, i), bool (directions, M), and far(k, i), bool
    (directions, M, D): the large steps of the left and right picture at i, for way k. vertical: the direction without a
    shift has P1 of its own.
    """
    length, across, depth = cost.shape
    # A border of zeros: a path begins there, and the first pixel's path cost is its cost.
    previous = torch.zeros((2, len(shifts), across + 2, depth), dtype=torch.int16, device=cost.device)
    big = torch.full((2, len(shifts), across, 1), BIG, dtype=torch.int16, device=cost.device)
    favoured = torch.zeros((2, len(shifts), 1, 1), dtype=torch.long, device=cost.device)
    favoured[:, 0] = int(vertical)
    going_down = torch.tensor([1, 0], device=cost.device)[:, None, None, None]
    for i in range(length):
        at = (i, length - 1 - i)
        large = torch.stack([near(k, at[k])[..., None].long() + far(k, at[k]) for k in range(2)])  # (2, S, M, D)
        p_below, p_above = table[large, favoured * going_down], table[large, favoured * (1 - going_down)]
        come = [previous[:, s, 1 - shift : 1 - shift + across] for s, shift in enumerate(shifts)]
        same = torch.stack(come, 1)  # (2, S, M, D)
        low = same.amin(-1, keepdim=True)
        below = torch.cat([big, same[..., :-1]], -1) + p_below
        above = torch.cat([same[..., 1:], big], -1) + p_above
        best = torch.minimum(torch.minimum(same, low + table[large, 2]), torch.minimum(below, above))
        path = cost[list(at)][:, None].to(torch.int16) + best - low
        previous[:, :, 1:-1] = path
        for k in range(2):
            total[at[k]] += path[k].sum(0, dtype=torch.int32)
