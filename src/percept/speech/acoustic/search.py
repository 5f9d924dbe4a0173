"""The inner loop of the search for words: tokens in a prefix tree, one for each node and history (Young et al. 1989).

A token stands for all paths that are at one node of the tree after words that mean the same to the language model; of
these, the best one lives. Each frame, tokens move on to the next frame: they stay, go to the children of their node,
or end a word, after which the next one begins, at once or after silence. What is far below the best is dropped.
"""

from __future__ import annotations

import numpy as np

from percept.core.kernels import kernel
from percept.nlp.ngram import step
from percept.speech.acoustic.tokens import BEST, CUT, FULL, ROWS, SIDE, STAMP, TOKENS, TOP, TOTAL, WIDTH

SPELT, FIRST, END = 1, 2, 3  # columns of the trace: a pronunciation, its first frame, and the frame after its last
TIGHTER, NARROWEST = 0.75, 1e-2  # what the beam is multiplied by while a frame has too many tokens, and until when
BINS = 256  # by which the tokens that are too many are found
SPREAD, SCATTER = 0x9E3779B1, 0x85EBCA77  # odd numbers that make hash values
EASE = 1.0  # natural log, by which the beam widens again, a frame


@kernel
def advance(scores, begin, lexicon, steps, trie, rules, tokens, entering, ending, rows, values):
    """Take in scores (T, C), the first being the recording's frame ``begin``, until the trace is full; gives how many
    were."""
    counts, levels = tokens.counts, tokens.levels
    opening = np.empty(lexicon.child[1] - lexicon.child[0], np.float32)
    for t in range(len(scores)):
        row, before = scores[t], counts[ROWS]
        if len(rows) - before < len(ending.key):
            return t
        for c in range(len(opening)):  # what beginning a word gains
            node = lexicon.child[0] + c
            opening[c] = lexicon.look[node] + row[steps.emits[lexicon.phone[node], 0]]
        while True:
            counts[STAMP] += 1
            counts[FULL] = 0
            most, kept, entered, ended = _move(
                row, begin + t, opening.max(), lexicon, steps, trie, rules, tokens, entering, ending, rows, values
            )
            most, entered = _begin(
                row, begin + t, opening, most, entered, ended, lexicon, rules, tokens, entering, ending
            )
            kept = _merge(most, kept, entered, tokens, entering)
            if not counts[FULL] or levels[WIDTH] < NARROWEST:
                break
            counts[ROWS] = before
            levels[WIDTH] *= TIGHTER
        counts[SIDE], counts[TOKENS] = 1 - counts[SIDE], kept
        levels[TOTAL] += levels[TOP]
        levels[TOP] = most
        _prune(tokens, rules)
    return len(scores)


@kernel
def _move(row, time, opening, lexicon, steps, trie, rules, tokens, entering, ending, rows, values):
    """Move the tokens over a frame: those that stay at their node to the other side, the others into lists.

    Gives the best score, and how many tokens stay, paths enter nodes, and histories end words.
    """
    phone, child, ends, word, number, look = lexicon
    emits, stay, go, ctc = steps
    counts, levels = tokens.counts, tokens.levels
    here, there, count, best, stamp = counts[SIDE], 1 - counts[SIDE], counts[TOKENS], counts[BEST], counts[STAMP]
    shift, width, cut, total = levels[TOP], levels[WIDTH], levels[CUT], levels[TOTAL] + levels[TOP]
    old_node, old_key, old_state, old_top = tokens.node[here], tokens.key[here], tokens.state[here], tokens.top[here]
    old_score, old_link, old_since = tokens.score[here], tokens.link[here], tokens.since[here]
    new_node, new_key, new_state = tokens.node[there], tokens.key[there], tokens.state[there]
    new_top = tokens.top[there]
    new_score, new_link, new_since = tokens.score[there], tokens.link[there], tokens.since[there]
    in_node, in_key, in_state, in_score, in_link, in_since = entering
    end_key, end_phone, end_state, end_score, end_row, slots, stamps, asked, answers = ending
    last, loudest, least = emits.shape[1] - 1, row.max(), -np.inf
    most, kept, entered, ended, row_count = -np.inf, 0, 0, 0, counts[ROWS]
    for n in range(count):
        i = best + n if best + n < count else best + n - count  # the best first: it tells what is hopeless
        if old_top[i] < cut:
            continue
        node, key, state = old_node[i], old_key[i], old_state[i]
        p, ahead = phone[node], look[node]
        high = -np.inf
        for k in range(last + 1):
            found, source = old_score[i, k] + stay[p, k], k
            came = old_score[i, k - 1] + go[p, k - 1] if k else -np.inf
            if came > found:
                found, source = came, k - 1
            found += row[emits[p, k]] - shift
            high = max(high, found)
            new_score[kept, k], new_link[kept, k], new_since[kept, k] = found, old_link[i, source], old_since[i, source]
        if high >= least and high > -np.inf:
            new_node[kept], new_key[kept], new_state[kept], new_top[kept] = node, key, state, high
            kept += 1
            most = max(most, high)
            least = most - width
        out = old_score[i, last] + go[p, last] - shift
        bare = old_score[i, 0] - shift if ctc else -np.inf  # a phone without a blank behind it
        hopeless = max(out, bare) + (loudest if node else opening) < least
        if not hopeless and not (rules.single and node == 0 and old_link[i, last] != 0):
            for c in range(child[node], child[node + 1]):
                q = phone[c]
                k, found = last, out
                if bare > out and q != p:
                    k, found = 0, bare
                found += look[c] - ahead + row[emits[q, 0]]
                if found < least or found == -np.inf:
                    continue
                if entered == len(in_node):
                    counts[FULL] = 1
                    continue
                in_node[entered], in_key[entered], in_state[entered] = c, key, state
                in_score[entered], in_link[entered] = found, old_link[i, k]
                in_since[entered] = old_since[i, k] if node else time
                entered += 1
                most = max(most, found)
                least = most - width
        for e in range(ends[node], ends[node + 1]):
            for k in range(0 if ctc else last, last + 1):
                left = (out if k == last else bare) - ahead + rules.penalty
                if left + loudest < least or left == -np.inf:
                    continue
                following = np.int32(0)
                if rules.weight != 0:
                    at = (state * SPREAD ^ number[e] * SCATTER) & (len(answers) - 1)
                    if asked[at, 0] != state or asked[at, 1] != number[e]:
                        answers[at], asked[at, 2] = step(trie, np.int64(state), number[e])
                        asked[at, 0], asked[at, 1] = state, number[e]
                    left, following = left + rules.weight * answers[at], asked[at, 2]
                    if left + loudest < least:
                        continue
                after = _mixed(key, word[e]) if rules.apart else np.int64(following)
                label = p if k < last else 0
                at = (label ^ after * SCATTER ^ after >> 17) & (len(slots) - 1)
                while stamps[at] == stamp and (end_key[slots[at]] != after or end_phone[slots[at]] != label):
                    at = (at + 1) & (len(slots) - 1)
                if stamps[at] != stamp:
                    if ended == len(end_key):
                        counts[FULL] = 1
                        continue
                    stamps[at], slots[at] = stamp, ended
                    end_key[ended], end_phone[ended], end_state[ended] = after, label, following
                    end_score[ended], end_row[ended] = -np.inf, row_count
                    ended += 1
                    row_count += 1
                if left > end_score[slots[at]]:
                    end_score[slots[at]] = left
                    made = end_row[slots[at]]
                    rows[made, 0], rows[made, 1] = old_link[i, k], e
                    rows[made, 2], rows[made, 3] = old_since[i, k], time
                    values[made, 0] = total + left
    counts[ROWS] = row_count
    return most, kept, entered, ended


@kernel
def _begin(row, time, opening, most, entered, ended, lexicon, rules, tokens, entering, ending):
    """After the words that ended, silence, or the next word at once; gives the best score and how many paths enter."""
    in_node, in_key, in_state, in_score, in_link, in_since = entering
    phone, first = lexicon.phone, lexicon.child[0]
    width, quiet, beginning = tokens.levels[WIDTH], rules.silence + row[0], opening.max()
    if time == 0:
        ending.key[0], ending.state[0] = rules.start, rules.start
        ending.phone[0], ending.score[0], ending.row[0] = 0, 0, 0
        ended = 1
    for n in range(ended):
        left = np.float64(ending.score[n])
        over = left + beginning < most - width or (rules.single and time > 0)
        for c in range(-1, -1 if over else len(opening)):
            found = left + (opening[c] if c >= 0 else quiet)
            if found < most - width or (c >= 0 and phone[first + c] == ending.phone[n]):
                continue
            if entered == len(in_node):
                tokens.counts[FULL] = 1
                break
            in_node[entered] = first + c if c >= 0 else 0
            in_key[entered], in_state[entered] = ending.key[n], ending.state[n]
            in_score[entered], in_link[entered], in_since[entered] = found, ending.row[n], time
            entered += 1
            most = max(most, found)
    return most, entered


@kernel
def _merge(most, kept, entered, tokens, entering):
    """Join the paths that enter nodes with the tokens there; gives the number of tokens."""
    in_node, in_key, in_state, in_score, in_link, in_since = entering
    there, stamp, least = 1 - tokens.counts[SIDE], tokens.counts[STAMP], most - tokens.levels[WIDTH]
    node, key, state, top = tokens.node[there], tokens.key[there], tokens.state[there], tokens.top[there]
    score, link, since = tokens.score[there], tokens.link[there], tokens.since[there]
    slots, stamps = tokens.slots, tokens.stamps
    mask = len(slots) - 1
    for j in range(kept):
        at = (node[j] * SPREAD ^ key[j] * SCATTER ^ key[j] >> 17) & mask
        while stamps[at] == stamp:
            at = (at + 1) & mask
        stamps[at], slots[at] = stamp, j
    for n in range(entered):
        if in_score[n] < least:
            continue
        at = (in_node[n] * SPREAD ^ in_key[n] * SCATTER ^ in_key[n] >> 17) & mask
        while stamps[at] == stamp and (node[slots[at]] != in_node[n] or key[slots[at]] != in_key[n]):
            at = (at + 1) & mask
        if stamps[at] != stamp:
            if kept == len(node):
                tokens.counts[FULL] = 1
                continue
            stamps[at], slots[at] = stamp, kept
            node[kept], key[kept], state[kept], top[kept] = in_node[n], in_key[n], in_state[n], -np.inf
            for k in range(score.shape[1]):
                score[kept, k], link[kept, k] = -np.inf, -1
            kept += 1
        j = slots[at]
        if in_score[n] > score[j, 0]:
            score[j, 0], link[j, 0], since[j, 0] = in_score[n], in_link[n], in_since[n]
            top[j] = max(top[j], in_score[n])
    return kept


@kernel
def _mixed(key, word):
    """A number for a history and one more word, which no other history is likely to have."""
    key = (key ^ (key >> 29)) * 0x5851F42D4C957F2D + word + 0x14057B7EF767814F
    return key ^ (key >> 32)


@kernel
def _prune(tokens, rules):
    """Set where tokens are cut off: by the beam, or, where that leaves too many, so that about ``most`` stay."""
    levels, count = tokens.levels, tokens.counts[TOKENS]
    top = tokens.top[tokens.counts[SIDE], :count]
    high = levels[TOP]
    levels[CUT] = high - levels[WIDTH]
    low, tokens.counts[BEST] = high, 0
    for n in range(count):
        if top[n] > top[tokens.counts[BEST]]:
            tokens.counts[BEST] = n
        low = min(low, top[n])
    low = max(low, levels[CUT])
    if count > rules.most and high > low:
        bins = np.zeros(BINS + 1, np.int64)
        scale = BINS / (high - low)
        for n in range(count):
            if top[n] >= low:
                bins[max(0, int((high - top[n]) * scale))] += 1
        kept, at = 0, 0
        while at <= BINS and kept + bins[at] <= rules.most:
            kept += bins[at]
            at += 1
        if at <= BINS:
            levels[CUT] = high - max(at, 1) / scale
            levels[WIDTH] = min(rules.beam, high - levels[CUT] + EASE)
            return
    levels[WIDTH] = min(rules.beam, levels[WIDTH] + EASE)


@kernel
def finals(frames, lexicon, steps, trie, rules, tokens, rows, values, found, ends):
    """Every way to end here: scores into ``found`` (F,) float64, the trace's rows into ``ends`` (F,); gives how many.

    There must be room in the trace for as many.
    """
    counts, levels = tokens.counts, tokens.levels
    here, last, total = counts[SIDE], steps.emits.shape[1] - 1, levels[TOTAL]
    count = 0
    for i in range(counts[TOKENS]):
        node, state = tokens.node[here, i], tokens.state[here, i]
        p = lexicon.phone[node]
        k = last
        out = tokens.score[here, i, last] + steps.go[p, last]
        if steps.ctc and tokens.score[here, i, 0] > out:
            k, out = 0, tokens.score[here, i, 0]
        link = tokens.link[here, i, k]
        if tokens.top[here, i] < levels[CUT] or out == -np.inf:
            continue
        if node == 0 and not (rules.single and link == 0):
            if rules.weight != 0:
                out += rules.weight * step(trie, np.int64(state), rules.end)[0]
            found[count], ends[count] = total + out, link
            count += 1
        for e in range(lexicon.ends[node], lexicon.ends[node + 1]):
            if rules.single and link != 0:
                continue
            left = out - lexicon.look[node] + rules.penalty
            if rules.weight != 0:
                chance, following = step(trie, np.int64(state), lexicon.number[e])
                left += rules.weight * (chance + step(trie, following, rules.end)[0])
            at = counts[ROWS]
            rows[at, 0], rows[at, 1], rows[at, 2], rows[at, 3] = link, e, tokens.since[here, i, k], frames
            values[at, 0] = total + left
            counts[ROWS] += 1
            found[count], ends[count] = total + left, at
            count += 1
    return count
