"""The frame that all dashboards share: variables, links, annotations, and the grid."""

from .panels import DATASOURCE

# Links between the dashboards go by it.
TAG = "knowbe4"

def board(uid, title, description, layout, *, since, refresh="5m", annotations=()):
    """A dashboard of rows: each a height and panels with their widths, or a heading."""
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
        "links": [others()],
        "annotations": {"list": list(annotations)},
        "templating": {"list": variables()},
        "panels": placed(layout),
    }


def others():
    """A list of the set: it keeps the choices, but not the time range, which differs from dashboard to dashboard."""
    return {
        "title": "KnowBe4 dashboards", "type": "dashboards", "tags": [TAG], "asDropdown": True, "includeVars": True, "keepTime": False,
        "targetBlank": False, "icon": "dashboard", "tooltip": "", "url": "",
    }


def variables():
    return [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "regex": "", "current": {},
         "hide": 0, "refresh": 1, "multi": False, "includeAll": False, "options": []},
        choice("account", "Account", 'label_values(knowbe4_up{job=~"$job", instance=~"$instance"}, account)'),
        choice("job", "Job", "label_values(knowbe4_exporter_build_info, job)"),
        choice("instance", "Instance", 'label_values(knowbe4_exporter_build_info{job=~"$job"}, instance)'),
    ]


def choice(name, label, text):
    """All stands for any value, also for none: history may have been written without the labels of a scrape."""
    return {
        "name": name, "label": label, "type": "query", "datasource": DATASOURCE, "definition": text,
        "query": {"query": text, "refId": "Variable"}, "refresh": 2, "sort": 5, "hide": 0, "regex": "",
        "multi": True, "includeAll": True, "allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}, "options": [],
    }


def annotation(name, expression, color):
    """Marks in all graphs where the expression has a value."""
    return {"name": name, "datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": color, "expr": expression}


def placed(layout):
    panels, top = [], 0
    for row in layout:
        if isinstance(row, str):
            row = (1, (24, {"type": "row", "title": row, "collapsed": False, "panels": []}))
        height, *cells = row
        left = 0
        for width, panel in cells:
            panels.append({"id": len(panels) + 1, **panel, "gridPos": {"x": left, "y": top, "w": width, "h": height}})
            left += width
        assert left == 24, f"a row of {left} columns: {cells[0][1]['title']}"
        top += height
    return panels
