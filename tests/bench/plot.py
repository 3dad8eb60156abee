"""Draws what was measured: docs/bench/*.json -> docs/bench/files.svg, by nothing but the standard library.

PYTHONPATH=agent:molecule:tests python -m bench.plot
"""

import statistics
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from bench import results

WIDTH, LEFT, RIGHT, BAR, GAP = 850, 260, 130, 20, 8
_OURS, _PART, _OTHER, _AIM = "#0b6e99", "#8cc3d9", "#9a9a9a", "#c0392b"
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-size: 15px; font-weight: 600 }
.note { font-size: 11.5px; fill: #57606a } .value { font-variant-numeric: tabular-nums }
"""
PICTURE = results.FOLDER / "files.svg"
Bar = tuple[str, float, float, str]
"""Label, the whole, the part of it that is drawn dark (the whole for most), and what stands at its end."""


class Drawing:
    """Panels of horizontal bars, one below the other."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._y = 30

    def panel(self, title: str, note: str, bars: Sequence[Bar], aim: tuple[float, str] | None = None) -> None:
        """Add one. `aim`: where a line stands, and what it says."""
        self._text(16, title, "title")
        self._y += 18
        self._text(16, note, "note")
        self._y += 14
        most = max([whole for _, whole, _, _ in bars] + ([aim[0]] if aim else []))
        scale = (WIDTH - LEFT - RIGHT) / most
        top = self._y
        for label, whole, part, said in bars:
            ours = "Hostseal" in label
            self._text(LEFT - 10, label, "", anchor="end", dy=BAR - 5)
            if part < whole:
                self._bar(whole * scale, _PART)
            self._bar(part * scale, _OURS if ours else _OTHER)
            self._text(LEFT + whole * scale + 6, said, "value", dy=BAR - 5)
            self._y += BAR + GAP
        if aim:
            x = LEFT + aim[0] * scale
            self._parts.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top - 4}" y2="{self._y}" stroke="{_AIM}" stroke-dasharray="4 3"/>'
            )
            self._y += 12
            self._text(x, aim[1], "note", anchor="middle")
        self._y += 34

    def svg(self) -> str:
        """Return the picture."""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self._y - 14}" role="img">'
        ground = '<rect width="100%" height="100%" fill="#ffffff"/>'
        return "\n".join([head, f"<style>{_STYLE}</style>", ground, *self._parts, "</svg>", ""])

    def _bar(self, width: float, colour: str) -> None:
        self._parts.append(
            f'<rect x="{LEFT}" y="{self._y}" width="{max(width, 1):.1f}" height="{BAR}" rx="2" fill="{colour}"/>'
        )

    def _text(self, x: float, text: str, kind: str, *, anchor: str = "start", dy: int = 0) -> None:
        self._parts.append(
            f'<text x="{x:.1f}" y="{self._y + dy}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'
        )


def shown(consumer: str) -> str:
    """Return a consumer's name as people read it."""
    return consumer.replace("hostseal-", "Hostseal, ")


def draw(drawing: Drawing) -> None:
    """Add a panel for each benchmark that has been run."""
    if burst := results.load("files_burst"):
        rows = [row for row in burst["rows"] if "(" not in row["consumer"]]
        bare = {row["consumer"].partition(" (")[0]: row for row in burst["rows"] if "(" in row["consumer"]}
        drawing.panel(
            "CPU seconds per million file events, paced at 12,000 operations a second",
            "dark: all of the agent but hashing; light: hashing and the scan that compares every changed file with the seal",
            [_cpu(row, bare.get(row["consumer"])) for row in rows],
        )
        drawing.panel(
            "Pairs of path and change seen in a burst of 87,500 events at full speed",
            "a consumer that is too slow loses the kernel's queue; beside the bar, whether it says so",
            [_seen(row) for row in rows if row["burst_seen_percent"] is not None],
        )
        drawing.panel(
            "Memory, MB resident at most",
            "the process itself; Hostseal's scans are processes of their own, which end",
            [(shown(r["consumer"]), r["rss_mb"], r["rss_mb"], f"{r['rss_mb']:.0f}") for r in rows],
            (80.0, "aim: 80"),
        )
    if host := results.load("files_host"):
        drawing.panel(
            "Wall time on a lab host, seconds",
            "the same work with and without the agent, paired and alternated; medians",
            [bar for row in host["rows"] for bar in _pair(row)],
        )
    if seal := results.load("seal"):
        drawing.panel(
            "The seal beside AIDE, seconds",
            f"{seal['files']:,} files, the same attributes and digest; medians",
            [
                (name.replace("seal", "Hostseal seal"), seconds, seconds, f"{seconds:.2f}")
                for name, seconds in seal_seconds(seal).items()
            ],
        )


def seal_seconds(found: dict[str, Any]) -> dict[str, float]:
    """Return each step of `bench.seal` with the median of its seconds."""
    return {
        name: statistics.median(one[name]["seconds"] for one in found["rounds"])
        for name in found["rounds"][0]
    }


def _cpu(row: results.Row, bare: results.Row | None) -> Bar:
    whole = row["paced_cpu_per_million"]
    part = min(bare["paced_cpu_per_million"], whole) if bare else whole
    return shown(row["consumer"]), whole, part, f"{part:.1f} of {whole:.1f}" if bare else f"{whole:.1f}"


def _seen(row: results.Row) -> Bar:
    seen = row["burst_seen_percent"]
    said = "" if seen == 100 else ", reported" if row["burst_lost_said"] else ", not a word"
    return shown(row["consumer"]), seen, seen, f"{seen:.0f} %{said}"


def _pair(row: results.Row) -> list[Bar]:
    without, took = row["without_seconds"], row["with_seconds"]
    return [
        (row["task"], without, without, f"{without:.2f}"),
        ("Hostseal running", took, took, f"{took:.2f} ({row['added_percent']:+.1f} %)"),
    ]


def picture() -> str:
    """Return the picture of all there is."""
    drawing = Drawing()
    draw(drawing)
    return drawing.svg()


def main() -> None:
    PICTURE.write_text(picture(), "utf-8")
    print(PICTURE)


if __name__ == "__main__":
    main()
