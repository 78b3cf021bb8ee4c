"""The view as a terminal shows it, and as one line where there is none. Pure: a view in, something to print out."""

import math
from collections.abc import Iterable

from rich import box
from rich.console import Group, JustifyMethod, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

from qorgau.instants import DAY, HOUR, MINUTE, SECOND, format_instant
from qorgau.watch.readings import Lag
from qorgau.watch.view import AWAY, NOT_READY, READY, SEVERITIES, ServiceLook, ShownFlag, View

WIDE = 110
_SEVERITY = {"critical": "bold red", "high": "yellow", "medium": "cyan"}
_STATE = {READY: "green", NOT_READY: "yellow", AWAY: "bold red"}
_DIM = "bright_black"
# Shorter than the outcomes of the specification, to fit a column.
_ENDS = {"late_recording": "told late", "window_passed": "passed", "due_moved": "due moved"}
_HEADER, _MIDDLE = 2, 10
_LONGEST_BAR = 8


def screen(view: View, width: int, height: int) -> RenderableType:
    """The whole view for a terminal of this size; made for 80 x 24 and larger."""
    layout = Layout()
    middle = Layout(name="middle", size=_MIDDLE)
    right = 30 if width < WIDE else 44
    middle.split_row(Layout(_panel("cases", _stages(view))), Layout(_panel("open flags", _flags(view)), size=right))
    rows = max(0, height - _HEADER - _MIDDLE - 3)
    newest = Layout(_panel("newest flags", _newest(view, width, rows)))
    layout.split_column(Layout(_header(view, width), size=_HEADER), middle, newest)
    return layout


def line(view: View) -> str:
    """The view in one line, for a log file or a pipe."""
    flags = ", ".join(f"{view.open_by_severity.get(severity, 0)} {severity}" for severity in SEVERITIES)
    cases = ", ".join(f"{count} {state}" for state, count in sorted(view.cases.items())) or "none"
    away = [f"{name} {look.state}" for name, look in view.services.items() if look.state != READY]
    return " | ".join(
        [
            f"{format_instant(view.now - view.now % SECOND)} x{view.pace:g}",
            f"cases: {cases}",
            f"open flags: {flags}, {view.warnings} warnings",
            f"{view.facts:.0f} facts/s, {view.events:.0f} flag events/s",
            f"timer lag p50 {_seconds(view.lag[0])}, p99 {_seconds(view.lag[1])}",
            "; ".join(away) or "all ready",
        ]
    )


def length(microseconds: int) -> str:
    """A span as people say it, by its two largest units."""
    if microseconds < MINUTE:
        return f"{microseconds // SECOND} s"
    if microseconds < HOUR:
        return f"{microseconds // MINUTE} min"
    if microseconds < DAY:
        return f"{microseconds // HOUR} h {microseconds % HOUR // MINUTE:02d}"
    return f"{microseconds // DAY} d {microseconds % DAY // HOUR} h"


def _seconds(lag: Lag | None) -> str:
    if lag is None:
        return "-"
    more = "> " if lag.beyond else ""
    return f"{more}{lag.seconds * 1000:.0f} ms" if lag.seconds < 1 else f"{more}{lag.seconds:.1f} s"


def _panel(title: str, content: RenderableType) -> Panel:
    return Panel(content, title=title, title_align="left", border_style=_DIM, box=box.ROUNDED, padding=(0, 1))


def _header(view: View, width: int) -> RenderableType:
    clock = format_instant(view.now - view.now % MINUTE)[:16].replace("T", " ")
    pace = "stands still" if not view.pace else "" if view.pace == 1 else f"  x{view.pace:,.0f}"
    left = Text.assemble((" Qorgau ", "bold black on cyan"), "  ", (f"{clock} UTC", "bold"), (pace, "cyan"))
    states = Text("  ").join(_state(name, look) for name, look in view.services.items())
    states.no_wrap, states.overflow = True, "ellipsis"
    troubles = [f"{name}: {look.trouble}" for name, look in view.services.items() if look.trouble]
    row = Table.grid(Column(ratio=1), Column(justify="right"), expand=True)
    if width < WIDE:
        row.add_row(left, Text("Ctrl-C stops ", style=_DIM))
        return Group(row, Text(" ") + states)
    row.add_row(left, states)
    return Group(row, Text("  ".join(troubles) or " Ctrl-C stops", style="yellow" if troubles else _DIM, no_wrap=True))


def _state(name: str, look: ServiceLook) -> Text:
    """A dot that is green when all is well, and words when it is not."""
    style = _STATE[look.state]
    if look.state == READY:
        return Text.assemble(("● ", style), name)
    return Text.assemble((f"● {name} {look.state}", style))


def _stages(view: View) -> RenderableType:
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style=_DIM)
    opened, closed = view.cases.get("open", 0), view.cases.get("closed", 0)
    unknown = f", {view.cases['unknown']} unknown" if view.cases.get("unknown") else ""
    table.add_column(Text.assemble((f"{opened} open", "bold default"), f", {closed} closed{unknown}"), no_wrap=True)
    told = any(stage.under_way is not None for stage in view.stages)
    for name in ("running", "soon", "late", "flags") if told else ("soon", "late", "flags"):
        table.add_column(name, justify="right", no_wrap=True)
    for stage in view.stages:
        running = [Text("-" if stage.under_way is None else str(stage.under_way))] if told else []
        counts = (_count(stage.soon, ""), _count(stage.late, "bold red"), _count(stage.flags, "yellow"))
        table.add_row(stage.name, *running, *counts)
    return table


def _count(number: int, style: str) -> Text:
    return Text(str(number), style=style if number else _DIM)


def _flags(view: View) -> RenderableType:
    table = Table.grid(Column(), Column(justify="right", min_width=4), Column(ratio=1), padding=(0, 1), expand=True)
    most = max([*view.open_by_severity.values(), view.warnings, 1])
    for severity in SEVERITIES:
        number = view.open_by_severity.get(severity, 0)
        style = _SEVERITY[severity]
        table.add_row(
            Text(severity, style=style), Text(str(number), style="bold"), Text(_bar(number, most), style=style)
        )
    table.add_row(Text("warnings", style=_DIM), str(view.warnings), Text(_bar(view.warnings, most), style=_DIM))
    work = Table.grid(Column(style=_DIM), Column(justify="right"), padding=(0, 1), expand=True)
    work.add_row("facts", f"{view.facts:.0f}/s")
    work.add_row("flag events", f"{view.events:.0f}/s")
    work.add_row("timer lag p50", _seconds(view.lag[0]))
    work.add_row("timer lag p99", _seconds(view.lag[1]))
    return Group(table, work)


def _bar(number: int, most: int) -> str:
    return "━" * math.ceil(_LONGEST_BAR * number / most)


def _newest(view: View, width: int, rows: int) -> RenderableType:
    if not view.newest:
        return Text("none yet", style=_DIM)
    wide = width >= WIDE
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style=_DIM, show_edge=False)
    columns: Iterable[tuple[str, bool]] = (
        ("rule", True),
        ("severity", wide),
        ("what has to happen", True),
        ("late by", True),
        ("told", wide),
        ("region", wide),
        ("agency", True),
        ("case", True),
    )
    for name, shown in columns:
        if shown:
            flexible = name == "what has to happen"
            side: JustifyMethod = "right" if name == "late by" else "left"
            table.add_column(name, no_wrap=True, ratio=1 if flexible else None, justify=side, overflow="ellipsis")
    for flag in view.newest[:rows]:
        cells = _cells(flag)
        table.add_row(*(cell for cell, (_, shown) in zip(cells, columns, strict=True) if shown))
    return table


def _cells(flag: ShownFlag) -> tuple[Text, ...]:
    """One row; what is down again is dim."""
    quiet = not flag.up or flag.level == "warn"
    style = _DIM if quiet else _SEVERITY.get(flag.severity, "")
    return (
        Text(flag.rule, style=style),
        Text("warning" if flag.level == "warn" else flag.severity, style=style),
        Text(flag.title, style=_DIM if quiet else ""),
        Text(late(flag), style="bold" if flag.up and flag.level == "breach" else _DIM),
        Text(flag.told, style=_DIM),
        Text(flag.region, style=_DIM if quiet else ""),
        Text(flag.agency, style=_DIM if quiet else ""),
        Text(flag.case[:8], style=_DIM),
    )


def late(flag: ShownFlag) -> str:
    """By how much it is or was late; of the others how long they are up or have left, or how they ended."""
    if flag.span is None or flag.level == "info":
        return _ENDS.get(flag.outcome, flag.outcome)
    span = length(flag.span)
    if not flag.up or flag.level == "breach":
        return span
    return f"in {span}" if flag.level == "warn" else f"up {span}"
