"""Whisper's rules for timestamp tokens, and where they cut a window, as OpenAI's decoder has them."""

import numpy as np

# The first timestamp may be 1 s at most, in steps of 0.02 s.
MAX_FIRST = 50
SAMPLES_PER_STEP = 320


def forbid(scores, tokens, end, first_timestamp):
    """Sets the scores of tokens that may not follow `tokens` to minus infinity.

    Timestamps come in pairs, the first token is one, they never go back, and one is taken where all of them
    together are likelier than any text.
    """
    if not tokens:
        scores[:first_timestamp] = -np.inf
        scores[first_timestamp + MAX_FIRST + 1 :] = -np.inf
        return
    last = tokens[-1] >= first_timestamp
    before = len(tokens) < 2 or tokens[-2] >= first_timestamp
    if last and before:
        scores[first_timestamp:] = -np.inf
    elif last:
        scores[:end] = -np.inf
    latest = max(tokens)
    if latest >= first_timestamp:
        scores[first_timestamp : latest if last and not before else latest + 1] = -np.inf
    peak = scores.max()
    together = peak + np.log(np.exp(scores[first_timestamp:] - peak).sum() or 1e-30)
    if together > scores[:first_timestamp].max():
        scores[:first_timestamp] = -np.inf


def cut(tokens, first_timestamp, window_samples):
    """The text tokens of a window's finished segments, and after how many samples the next window begins."""
    times = [token >= first_timestamp for token in tokens]
    pairs = [index for index in range(1, len(tokens)) if times[index - 1] and times[index]]
    advance = window_samples
    if pairs and times[-2:] != [False, True]:
        tokens = tokens[: pairs[-1]]
        advance = (tokens[-1] - first_timestamp) * SAMPLES_PER_STEP
    return [token for token in tokens if token < first_timestamp], advance
