"""Measurements put together: medians, ranges and ratios by model, thread count, clip and contender."""

import statistics
from dataclasses import dataclass

import contenders

CLIPS = ["short", "window", "long"]


@dataclass
class Row:
    """What one contender needed for one clip."""

    model: str
    threads: int
    clip: str
    peer: str
    audio_seconds: float
    wall_seconds: list
    cpu_seconds: float
    peak_rss_bytes: int
    load_seconds: float
    text: str
    # The best peer's median divided by this one's: above 1 is faster than the best peer.
    ratio: float = 0.0

    @property
    def median_seconds(self):
        """The median of all runs."""
        return statistics.median(self.wall_seconds)

    @property
    def speed(self):
        """Times real time."""
        return self.audio_seconds / self.median_seconds

    @property
    def words(self):
        """Words in the text: one that leaves speech out would else look fast."""
        return len(self.text.split())


class Summary:
    """Everything that the reports show."""

    def __init__(self, lines):
        self.machine = next(line["description"] for line in lines if line["event"] == "machine")
        self.watch = next((line for line in lines if line["event"] == "watch"), None)
        self.absent = {line["peer"]: line["reason"] for line in lines if line["event"] == "absent"}
        self.failed = [line for line in lines if line["event"] == "failed"]
        self.versions = {}
        for line in lines:
            if line["event"] == "load":
                self.versions[line["peer"]] = line.get("versions", {})
        runs = [line for line in lines if line["event"] == "run"]
        self.models = list(dict.fromkeys(line["model"] for line in runs))
        self.threads = list(dict.fromkeys(line["threads"] for line in runs))
        self.clips = [clip for clip in CLIPS if any(line["clip"] == clip for line in runs)]
        self.rows = [self.row(key, runs, lines) for key in dict.fromkeys(map(row_key, runs))]
        for row in self.rows:
            row.ratio = self.best_peer(row.model, row.threads, row.clip, row).median_seconds / row.median_seconds

    def row(self, key, runs, lines):
        """The row of one key."""
        mine = [line for line in runs if row_key(line) == key]
        loads = [line for line in lines if line["event"] == "load" and row_key(line)[:3] == key[:3]]
        model, threads, peer, clip = key
        return Row(
            model=model,
            threads=threads,
            clip=clip,
            peer=peer,
            audio_seconds=mine[0]["audio_seconds"],
            wall_seconds=[line["wall_seconds"] for line in mine],
            cpu_seconds=statistics.median(line["cpu_seconds"] for line in mine),
            # The median, as the process of the long clip holds that clip's samples while it warms up with the short one.
            peak_rss_bytes=round(statistics.median(line["peak_rss_bytes"] for line in mine)),
            load_seconds=statistics.median(line["load_seconds"] for line in loads),
            text=mine[-1]["text"],
        )

    def of(self, model, threads, clip):
        """The rows of one comparison, the fastest first."""
        rows = [row for row in self.rows if (row.model, row.threads, row.clip) == (model, threads, clip)]
        return sorted(rows, key=lambda row: row.median_seconds)

    def best_peer(self, model, threads, clip, otherwise=None):
        """The fastest row that is not ours."""
        return next((row for row in self.of(model, threads, clip) if row.peer != contenders.OURS), otherwise)

    def write_texts(self, folder):
        """What was recognised, a file for each model, thread count and contender, as lines of `clip<TAB>text`."""
        folder.mkdir(parents=True, exist_ok=True)
        files = {}
        for row in self.rows:
            name = f"{row.model}-{row.threads}-{row.peer.replace(' ', '-')}.tsv"
            files.setdefault(name, []).append(f"{row.clip}\t{row.text}\n")
        for name, texts in files.items():
            (folder / name).write_text("".join(texts), encoding="utf-8")


def row_key(line):
    """What a row is of."""
    return line["model"], line["threads"], line["peer"], line.get("clip")
