"""The comparison as Markdown and as CSV."""

import csv as csv_module
import io

import contenders

# Above this share of the cores' time for others, figures are not worth quoting.
QUIET_PERCENT = 5

HEADINGS = ["clip", "program", "median s", "min–max s", "× real time", "of the best peer", "CPU s", "peak MB", "words"]


def markdown(summary):
    """A summary, a table for each model and thread count, and the circumstances."""
    parts = [warning(summary), overview(summary) if has_ours(summary) else ""]
    parts = [part for part in parts if part]
    for model in summary.models:
        for threads in summary.threads:
            parts.append(f"### {model}, {threads} {'thread' if threads == 1 else 'threads'}\n")
            parts.append(details(summary, model, threads))
            parts.append(loads(summary, model, threads))
    parts.append(circumstances(summary))
    return "\n".join(parts)


def warning(summary):
    """What a reader must know before any figure, if the machine was not quiet."""
    if summary.watch is None:
        return "> **Not to be quoted**: the run was interrupted.\n"
    if summary.watch["others_percent"] + summary.watch["stolen_percent"] > QUIET_PERCENT:
        return f"> **Not to be quoted**: {taken(summary)}; up to {QUIET_PERCENT} % would be a quiet machine.\n"
    return ""


def taken(summary):
    """How much of the machine others used."""
    watch = summary.watch
    return (
        f"{watch['others_percent']} % of the cores' time was taken by other processes, "
        f"{watch['stolen_percent']} % by the host's other guests"
    )


def overview(summary):
    """How this project stands to the best peer."""
    rows = []
    for model in summary.models:
        for threads in summary.threads:
            cells = [model, str(threads)]
            for clip in summary.clips:
                ours = next((row for row in summary.of(model, threads, clip) if row.peer == contenders.OURS), None)
                best = summary.best_peer(model, threads, clip)
                if ours and best:
                    cells.append(f"{ours.speed:.0f}×, {ours.ratio:.2f} of {best.peer}'s {best.speed:.0f}×")
                else:
                    cells.append("not measured")
            rows.append(cells)
    heading = "Times real time of this project, and against the fastest peer for the same clip in the same run.\n"
    return heading + "\n" + grid(["model", "threads", *(clip_name(summary, clip) for clip in summary.clips)], rows)


def details(summary, model, threads):
    """All contenders on all clips, the fastest first; those that are missing, with the reason."""
    rows = []
    for clip in summary.clips:
        for row in summary.of(model, threads, clip):
            low, high = min(row.wall_seconds), max(row.wall_seconds)
            rows.append(
                [
                    clip_name(summary, clip),
                    f"**{row.peer}**" if row.peer == contenders.OURS else row.peer,
                    seconds(row.median_seconds),
                    f"{seconds(low)}–{seconds(high)}",
                    f"{row.speed:.1f}",
                    f"{row.ratio:.2f}",
                    seconds(row.cpu_seconds),
                    f"{row.peak_rss_bytes / 1e6:.0f}",
                    str(row.words),
                ]
            )
    for peer, reason in missing(summary, model, threads):
        rows.append(["all", peer, f"not available: {reason}", "", "", "", "", "", ""])
    return grid(HEADINGS, rows)


def missing(summary, model, threads):
    """Contenders without a figure, and why; and those of whom some runs failed."""
    yield from summary.absent.items()
    reasons = {}
    for line in summary.failed:
        if (line["model"], line["threads"]) == (model, threads):
            reasons[line["peer"]] = f"a run failed, {line['reason']}"
    yield from reasons.items()


def loads(summary, model, threads):
    """The seconds that loading took."""
    times = {row.peer: row.load_seconds for row in summary.rows if (row.model, row.threads) == (model, threads)}
    listed = ", ".join(f"{peer} {seconds(time)}" for peer, time in sorted(times.items(), key=lambda item: item[1]))
    return f"Loading the model, median s: {listed}.\n"


def circumstances(summary):
    """Machine, versions, and how quiet it was."""
    rows = [[name, str(value)] for name, value in summary.machine]
    rows += [
        [peer, ", ".join(f"{name} {version}" for name, version in versions.items())]
        for peer, versions in summary.versions.items()
    ]
    rows.append(["quiet?", taken(summary) if summary.watch else "not known: the run was interrupted"])
    return "### Circumstances\n\n" + grid(["", ""], rows)


def csv(summary):
    """A line for each row."""
    output = io.StringIO()
    writer = csv_module.writer(output, lineterminator="\n")
    names = [
        "model",
        "threads",
        "clip",
        "audio_seconds",
        "program",
        "runs",
        "median_seconds",
        "min_seconds",
        "max_seconds",
    ]
    names += ["times_real_time", "ratio_to_best_peer", "cpu_seconds", "peak_rss_bytes", "load_seconds", "words"]
    writer.writerow(names)
    for row in summary.rows:
        walls = [row.median_seconds, min(row.wall_seconds), max(row.wall_seconds)]
        writer.writerow(
            [row.model, row.threads, row.clip, f"{row.audio_seconds:.2f}", row.peer, len(row.wall_seconds)]
            + [f"{value:.4f}" for value in walls]
            + [f"{row.speed:.2f}", f"{row.ratio:.3f}", f"{row.cpu_seconds:.3f}", row.peak_rss_bytes]
            + [f"{row.load_seconds:.3f}", row.words]
        )
    for peer, reason in summary.absent.items():
        writer.writerow(["", "", "", "", peer, 0, f"not available: {reason}"])
    return output.getvalue()


def clip_name(summary, clip):
    """A clip by its length."""
    length = next(row.audio_seconds for row in summary.rows if row.clip == clip)
    return f"{length:.0f} s"


def has_ours(summary):
    """Whether this project was measured too."""
    return any(row.peer == contenders.OURS for row in summary.rows)


def seconds(value):
    """Three digits or so."""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def grid(headings, rows):
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
