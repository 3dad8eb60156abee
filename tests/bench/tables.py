"""Writes the tables of docs/reference/performance.md out of docs/bench/*.json, between its marks `<!-- bench:NAME -->`.

PYTHONPATH=agent:molecule:tests python -m bench.tables
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from bench import results
from bench.plot import seal_seconds, shown

PAGE = results.FOLDER.parent / "reference/performance.md"
_MARKED = r"(<!-- bench:{name} -->\n).*?(<!-- /bench:{name} -->)"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def origin(found: dict[str, Any]) -> str:
    """Return the sentence that says where and when."""
    machine = found["machine"]
    return (
        f"Measured {found['date']} on {machine['cores']} cores, {machine['system']}, kernel {machine['kernel']}, Python"
        f" {machine['python']}, load {machine['load']} at the end.\n\n"
    )


def burst(found: dict[str, Any]) -> str:
    """Two tables: what was seen in the burst, and what it costs at a steady pace."""
    rows = found["rows"]
    seen = [
        [
            shown(row["consumer"]),
            "lines only" if row["burst_seen_percent"] is None else f"{row['burst_seen_percent']:.0f} %",
            _lost(row),
            _number(row["kernel_queue_mb"]),
            _number(row["rss_mb"], 0),
        ]
        for row in rows if "(" not in row["consumer"]
    ]  # fmt: skip
    cpu = [
        [
            shown(row["consumer"]) + (" (overflowed)" if row["paced_overflowed"] else ""),
            _number(row["paced_cpu_per_million"]),
            _number(row["paced_own_cpu_per_million"]),
            _number(row["paced_added_to_the_writer_per_million"]),
            *(_number(_ratio(rows, row, peer), 2) for peer in ("fatrace", "pyinotify")),
        ]
        for row in rows
    ]  # fmt: skip
    return (
        origin(found)
        + table(["consumer", "burst: pairs seen", "loss reported", "kernel queue, MB", "RSS, MB"], seen)
        + "\n"
        + table(
            [
                "consumer", "CPU s per 1M events, paced", "of it without child processes", "added to the writer",
                "against fatrace", "against pyinotify",
            ],
            cpu,
        )
    )  # fmt: skip


def delay(found: dict[str, Any]) -> str:
    """One table."""
    rows = [
        [
            shown(row["consumer"]), f"{row['quiet_seconds']:g} s", str(row["samples"]),
            f"{row['p50_ms']:.0f} ms", f"{row['p99_ms']:.0f} ms",
            f"{row['p50_beyond_quiet_ms']:.0f} ms", f"{row['p99_beyond_quiet_ms']:.0f} ms",
        ]
        for row in found["rows"]
    ]  # fmt: skip
    head = ["sensor", "quiet_seconds", "writes", "p50", "p99", "p50 beyond quiet", "p99 beyond quiet"]
    return origin(found) + table(head, rows)


def host(found: dict[str, Any]) -> str:
    """One table."""
    rows = [
        [
            f"`{row['task']}`, {row['files']:,} files", f"{row['without_seconds']:.2f} s", f"{row['with_seconds']:.2f} s",
            f"{row['added_percent']:+.1f} %", f"{row['added_percent_best']:+.1f} %", f"{row['agent_cpu_seconds']:.2f} s",
        ]
        for row in found["rows"]
    ]  # fmt: skip
    head = [
        "task",
        "without",
        "with the agent",
        "added, median of the pairs",
        "added, best of each",
        "agent's CPU",
    ]
    return origin(found) + table(head, rows)


def seal(found: dict[str, Any]) -> str:
    """Two tables: the seconds of each step, and the ratios with their aims."""
    steps = [[name, f"{seconds:.2f} s"] for name, seconds in seal_seconds(found).items()]
    aims = found.get("aims", {})
    ratios = [
        [name, f"{value:.1f}", f"{aims[name]:g}" if name in aims else "-"]
        for name, value in found["ratios"].items()
    ]
    told = f"{found['files']:,} files, {found['processors']} processors.\n\n"
    return told + table(["step", "median"], steps) + "\n" + table(["wall time", "ratio", "aim"], ratios)


def policy(found: dict[str, Any]) -> str:
    """Three tables: over the network, as exemptions grow, and rule by rule."""
    served, aims = found["served"], found["aims"]
    network = [
        [f"{served['rate']} questions a second, each timed from when it was due", f"p50 {served['paced_p50_ms']:.1f} ms, p99 {served['paced_p99_ms']:.1f} ms", f"p99 {aims['paced p99, ms']} ms"],
        [f"at once, the agent's {served['connections']} connections", f"{served['at_once']:,.0f} a second", f"{aims['decisions a second at once']:,}"],
        ["processor time of one of these: OPA's, and the client's", f"{served['opa_cpu_ms']:.1f} ms and {served['client_cpu_ms']:.1f} ms", "-"],
        [f"at once, asynchronous client, {served['in_flight']} in flight", f"{served['asynchronous']:,.0f} a second", "-"],
    ]  # fmt: skip
    first = next(iter(found["decision_microseconds"].values()))
    grown = [
        [f"{int(number):,}", f"{took:,.0f} µs", f"{took / first:.2f}"]
        for number, took in found["decision_microseconds"].items()
    ]
    rules = [
        [f"`{row['rule']}`", f"`{row['event']}`" if row["event"] else "none of the samples", f"{row['microseconds']:,.0f} µs"]
        for row in found["rows"]
    ]  # fmt: skip
    return (
        origin(found)
        + table(["decisions about events, over TLS", "measured", "aim"], network)
        + "\n"
        + table(["exemptions", "one decision, `opa bench`", "ratio"], grown)
        + "\n"
        + table(["rule", "finds something in", "one evaluation, `opa bench`"], rules)
    )


def _lost(row: results.Row) -> str:
    if row["burst_lost_said"]:
        return "a warning in its log" if row["consumer"] == "watchdog" else "yes"
    return (
        "nothing was lost"
        if row["burst_seen_percent"] == 100
        else "-"
        if row["burst_seen_percent"] is None
        else "**no**"
    )


def _ratio(rows: Sequence[results.Row], row: results.Row, peer: str) -> float | None:
    other = next((one for one in rows if one["consumer"] == peer), None)
    return None if other is None else row["paced_cpu_per_million"] / other["paced_cpu_per_million"]


def _number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "files_burst": burst,
    "files_delay": delay,
    "files_host": host,
    "seal": seal,
    "policy": policy,
}


def rendered(text: str) -> str:
    """Return the page with its tables as the results say; a mark without a result stays as it is."""
    for name, make in TABLES.items():
        if found := results.load(name):
            made = make(found)
            text = re.sub(
                _MARKED.format(name=name), lambda m, made=made: m[1] + made + m[2], text, flags=re.DOTALL
            )
    return text


def main() -> None:
    PAGE.write_text(rendered(PAGE.read_text("utf-8")), "utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
