"""The census transform (Zabih & Woodfill 1994) and its matching cost: what can be matched without a network.

A pixel becomes 62 bits, one for each other pixel of the window of 9 x 7 around it: is that one darker? Two pixels match
as well as few of their bits differ. The cost survives what changes the brightness but not its order.
"""

from __future__ import annotations

import numpy as np

from percept.core.kernels import in_rows, kernel

WIDTH, HEIGHT = 9, 7  # of the window, pixels
BITS = WIDTH * HEIGHT - 1  # and the largest cost


def census(grey: np.ndarray, threads: int = 1) -> np.ndarray:
    """The census of a grey picture float32 (H, W) as uint64 (H, W): bit 61 is the window's upper left, bit 0 its end.

    Beyond the border lie the border's own pixels. A bit is 1 where that pixel is darker than the window's middle.
    """
    grey = np.asarray(grey, np.float32)
    padded = np.pad(grey, ((HEIGHT // 2, HEIGHT // 2), (WIDTH // 2, WIDTH // 2)), "edge")  # (H + 6, W + 8)
    codes = np.zeros(grey.shape, np.uint64)
    in_rows(census_rows, len(grey), threads, padded, codes)
    return codes


def census_cost(left: np.ndarray, right: np.ndarray, disparities: int, outside: int, threads: int = 1) -> np.ndarray:
    """How many bits differ: uint8 (H, W, D), 0..62, for grey pictures float32 (H, W) and disparities 0 ... D-1 pixels.

    outside: the cost where x - d lies left of the right picture. Raises ValueError for pictures of two sizes.
    """
    if left.shape != right.shape:
        raise ValueError(f"the left picture is {left.shape}, the right one {right.shape}")
    cost = np.empty((*left.shape, disparities), np.uint8)
    # Reversed in x: the right pixels of one left pixel lie in the order of its disparities.
    reversed_codes = np.ascontiguousarray(census(right, threads)[:, ::-1])
    in_rows(hamming_rows, len(left), threads, census(left, threads), reversed_codes, np.uint8(outside), cost)
    return cost


@kernel
def census_rows(padded, codes, first, last):
    """The census of rows first ... last-1, into `codes`, which is zero."""
    width = codes.shape[1]
    for y in range(first, last):
        row = codes[y]
        middle = padded[y + HEIGHT // 2, WIDTH // 2 : WIDTH // 2 + width]
        for n in range(WIDTH * HEIGHT):
            dy, dx = n // WIDTH, n % WIDTH
            if n != WIDTH * HEIGHT // 2:
                other = padded[y + dy, dx : dx + width]
                for x in range(width):
                    row[x] = (row[x] << np.uint64(1)) | np.uint64(other[x] < middle[x])


@kernel
def hamming_rows(left, reversed_right, outside, cost, first, last):
    """The number of differing bits, rows first ... last-1."""
    _, width, disparities = cost.shape
    for y in range(first, last):
        for x in range(width):
            code = left[y, x]
            others = reversed_right[y, width - 1 - x :]
            line = cost[y, x]
            inside = min(disparities, x + 1)
            for d in range(inside):
                # Counts bits in pairs, fours, bytes, and adds the bytes up: LLVM knows this and uses what the CPU has.
                v = code ^ others[d]
                v = v - ((v >> np.uint64(1)) & np.uint64(0x5555555555555555))
                v = (v & np.uint64(0x3333333333333333)) + ((v >> np.uint64(2)) & np.uint64(0x3333333333333333))
                v = (v + (v >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
                line[d] = np.uint8((v * np.uint64(0x0101010101010101)) >> np.uint64(56))
            for d in range(inside, disparities):
                line[d] = outside
