"""The comparison as bars in an SVG picture that follows the reader's light or dark theme."""

from xml.sax.saxutils import escape

import contenders

NAMES_WIDTH, PANEL_WIDTH, GAP = 190, 240, 24
BAR_HEIGHT, BAR_STEP, TITLE_HEIGHT, ROW_GAP = 13, 18, 22, 26
# Room for the number behind the longest bar.
NUMBER_WIDTH = 46

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; }
  .peer { fill: #8c959f; }
  .ours { fill: #0969da; }
  .range { stroke: #24292f; stroke-width: 1; opacity: 0.6; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .peer { fill: #6e7681; }
    .ours { fill: #58a6ff; }
    .range { stroke: #e6edf3; }
  }
"""


def svg(summary):
    """A row of panels for each model and thread count, a panel for each clip, a bar for each contender."""
    peers = order(summary)
    width = NAMES_WIDTH + len(summary.clips) * (PANEL_WIDTH + GAP)
    panel_height = TITLE_HEIGHT + len(peers) * BAR_STEP
    body, top = [], 24
    body.append(text(0, 14, "Times real time (longer is faster): medians, with the range of all runs", "title"))
    for model in summary.models:
        for threads in summary.threads:
            top += ROW_GAP
            plural = "thread" if threads == 1 else "threads"
            body.append(text(0, top + 12, f"{model}, {threads} {plural}", "title"))
            body += [text(0, bar_top(top, index) + 10, peer) for index, peer in enumerate(peers)]
            for column, clip in enumerate(summary.clips):
                left = NAMES_WIDTH + column * (PANEL_WIDTH + GAP)
                body += panel(summary.of(model, threads, clip), peers, left, top)
            top += panel_height
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top + 12}" width="{width}" height="{top + 12}"'
    )
    title = "Speed of Whisper programs on this machine"
    return "\n".join([f'{head} role="img" aria-label="{title}">', f"<style>{STYLE}</style>", *body, "</svg>", ""])


def order(summary):
    """Contenders as one list for all panels: ours first, then the others by their speed in the first panel."""
    first = summary.of(summary.models[0], summary.threads[0], summary.clips[0])
    names = [row.peer for row in first] + [row.peer for row in summary.rows] + [*summary.absent]
    return sorted(dict.fromkeys(names), key=lambda name: name != contenders.OURS)


def panel(rows, peers, left, top):
    """The bars of one clip, on a scale of their own."""
    if not rows:
        return [text(left, top + 12, "not measured")]
    length = rows[0].audio_seconds
    fastest = max(row.audio_seconds / min(row.wall_seconds) for row in rows)
    scale = (PANEL_WIDTH - NUMBER_WIDTH) / fastest
    parts = [text(left, top + 12, f"{length:.0f} s of speech", "title")]
    by_peer = {row.peer: row for row in rows}
    for index, peer in enumerate(peers):
        y = bar_top(top, index)
        row = by_peer.get(peer)
        if row is None:
            parts.append(text(left, y + 10, "not available"))
            continue
        kind = "ours" if peer == contenders.OURS else "peer"
        low, high = (scale * length / bound(row.wall_seconds) for bound in (max, min))
        middle = y + BAR_HEIGHT / 2
        parts.append(
            f'<rect class="{kind}" x="{left}" y="{y}" width="{scale * row.speed:.1f}" height="{BAR_HEIGHT}" rx="2"/>'
        )
        parts.append(f'<path class="range" d="M{left + low:.1f} {middle}H{left + high:.1f}"/>')
        parts.append(text(round(left + high + 5, 1), y + 10, f"{row.speed:.{0 if row.speed >= 10 else 1}f}×"))
    return parts


def bar_top(top, index):
    """The upper edge of a bar."""
    return top + TITLE_HEIGHT + index * BAR_STEP


def text(x, y, content, kind=""):
    """A line of text."""
    attribute = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{attribute}>{escape(content)}</text>'
