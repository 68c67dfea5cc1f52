"""The frame that all dashboards share: variables, links, annotations, and the grid."""

from zlib import crc32

from .panels import DATASOURCE

# Links between the dashboards go by it.
TAG = "knowbe4"

# Hosts of the console by region.
CONSOLES = {"US": "training", "EU": "eu", "CA": "ca", "UK": "uk", "DE": "de"}


def board(uid, title, description, layout, *, since, refresh="5m", annotations=(), one=False, targets=False, scrape=False, console=False):
    """A dashboard of rows: each a height and panels with their widths, or a heading.

    `one`: it is about one account first, several only when they are chosen. `targets`: the user sets targets. `scrape`: job
    and instance can be chosen; elsewhere they only cost a line. `console`: it leads to KnowBe4's own console.
    """
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": [TAG, "security-awareness"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": refresh,
        "time": {"from": since, "to": "now"},
        "timepicker": {},
        "fiscalYearStartMonth": 0,
        "liveNow": False,
        "weekStart": "",
        "links": [others(), *([to_console()] if console else [])],
        "annotations": {"list": list(annotations)},
        "templating": {"list": variables(one, targets, scrape, console)},
        "panels": placed(layout),
    }


def others():
    """A list of the set: it keeps the choices, but not the time range, which differs from dashboard to dashboard."""
    return {
        "title": "KnowBe4 dashboards", "type": "dashboards", "tags": [TAG], "asDropdown": True, "includeVars": True, "keepTime": False,
        "targetBlank": False, "icon": "dashboard", "tooltip": "", "url": "",
    }


def to_console():
    """The start page alone: the addresses of campaigns and groups within the console are documented nowhere."""
    return {
        "title": "KnowBe4 console", "type": "link", "url": "${console}/ui/dashboard", "targetBlank": True, "icon": "external link",
        "tooltip": "Opens the console of the region chosen above", "tags": [], "asDropdown": False, "includeVars": False, "keepTime": False,
    }


def variables(one, targets, scrape, console):
    # Where accounts are targets of their own (/sd), the exporter itself is a target of another job.
    family = "{__name__=~\"knowbe4_up|knowbe4_exporter_build_info\"%s}" if scrape else "knowbe4_up{%s}"
    hide = 0 if scrape else 2
    made = [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "regex": "", "current": {},
         "hide": 0, "refresh": 1, "multi": False, "includeAll": False, "options": []},
        choice("account", "Account", 'label_values(knowbe4_up{job=~"$job", instance=~"$instance"}, account)', all=not one),
        choice("job", "Job", "label_values(%s, job)" % (family % ""), hide),
        choice("instance", "Instance", "label_values(%s, instance)" % (family % (', job=~"$job"' if scrape else 'job=~"$job"')), hide),
    ]
    if targets:
        made += [text("target_phish_prone", "Target phish-prone %", "5"), text("target_report_rate", "Target report rate %", "50")]
    if console:
        made += [options("console", "Console", {region: f"https://{host}.knowbe4.com" for region, host in CONSOLES.items()})]
    return made


def text(name, label, value):
    """What the user sets: a target, or the vendor's benchmark for the industry."""
    return {"name": name, "label": label, "type": "textbox", "query": value, "hide": 0,
            "current": {"text": value, "value": value}, "options": [{"text": value, "value": value, "selected": True}]}


def options(name, label, values):
    """One of some fixed values, the first at the start."""
    made = [{"text": text, "value": value, "selected": False} for text, value in values.items()]
    return {
        "name": name, "label": label, "type": "custom", "query": ",".join(f"{text} : {value}" for text, value in values.items()), "hide": 0,
        "multi": False, "includeAll": False, "current": {**made[0], "selected": True}, "options": [{**made[0], "selected": True}, *made[1:]],
    }


def choice(name, label, text, hide=0, all=True):
    """All stands for any value, also for none: history may have been written without the labels of a scrape."""
    return {
        "name": name, "label": label, "type": "query", "datasource": DATASOURCE, "definition": text,
        "query": {"query": text, "refId": "Variable"}, "refresh": 2, "sort": 5, "hide": hide, "regex": "",
        "multi": True, "includeAll": all, **({"allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}} if all else {"current": {}}),
        "options": [],
    }


def annotation(name, expression, color):
    """Marks in all graphs where the expression has a value."""
    return {"name": name, "datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": color, "expr": expression}


def moments(name, expression, color):
    """Marks at the times that the values are, in milliseconds."""
    return annotation(name, expression, color) | {"useValueForTime": "on", "titleFormat": name, "textFormat": "{{name}} ({{account}})"}


def placed(layout):
    panels, top = [], 0
    for row in layout:
        if isinstance(row, str):
            row = (1, (24, {"type": "row", "title": row, "collapsed": False, "panels": []}))
        height, *cells = row
        left = 0
        for width, panel in cells:
            # Alerts lead to a panel by its number, which stays while others come and go.
            number = crc32(f"{panel['type']} {panel['title']}".encode()) % 1_000_000
            panels.append({"id": number, **panel, "gridPos": {"x": left, "y": top, "w": width, "h": height}})
            left += width
        assert left == 24, f"a row of {left} columns: {cells[0][1]['title']}"
        top += height
    return panels
