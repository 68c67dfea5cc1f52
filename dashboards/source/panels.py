"""Panels and what makes them look alike: one meaning for each colour, one unit and text for each kind of value."""

# Colour means: act, look, mind, fine. Blue instead of green, and tones that stay apart (CIE76 distance of 25 and more) for
# those who don't see red or green, with a contrast of 3 on white and on Grafana's dark background; words and arrows say the same
# wherever there is room for them.
ACT, LOOK, MIND, FINE = "#C72323", "#F2690D", "#938C6C", "#3274D9"

# Where there is an alert it fires at one of these numbers, unless it is overridden: a rise at those of 30 days, of an account 8,
# of a group 12.
RISK = [(None, FINE), (40, MIND), (50, LOOK), (60, ACT)]
PHISH_PRONE = [(None, FINE), (0.1, MIND), (0.2, LOOK), (0.3, ACT)]
REPORT_RATE = [(None, ACT), (0.2, LOOK), (0.35, MIND), (0.5, FINE)]
RESILIENCE = [(None, ACT), (0.5, LOOK), (1, MIND), (2, FINE)]
COMPLETION = [(None, LOOK), (0.8, MIND), (0.9, FINE)]
PAST_DUE = [(None, FINE), (0.05, MIND), (0.1, LOOK), (0.25, ACT)]
TEST_GAP = [(None, FINE), (30, MIND), (45, LOOK), (90, ACT)]
LATE = [(None, FINE), (1.5, MIND), (3, ACT)]
# The plan spends the whole share, so that nearly 1 is normal; above it a promise would be broken.
BUDGET = [(None, FINE), (1.001, ACT)]
SEATS = [(None, FINE), (0.9, MIND), (0.95, LOOK), (1, ACT)]
DAYS_LEFT = [(None, ACT), (14, LOOK), (60, FINE)]
RISE = [(None, FINE), (-1, "text"), (8, LOOK), (12, ACT)]
SHIFT = [(None, FINE), (-0.01, "text"), (0.03, LOOK), (0.05, ACT)]
COVERAGE = [(None, LOOK), (0.8, MIND), (0.95, FINE)]
ANY = [(None, FINE), (1, LOOK)]
ANY_BAD = [(None, FINE), (1, ACT)]
PLAIN = [(None, "text")]

NO_HISTORY = "No history yet: it grows from today, or `backfill` brings it"
GROWS = "No history yet: it grows from today"

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
UNKNOWN = {"type": "special", "options": {"match": "null+nan", "result": {"text": "–", "color": "text", "index": 0}}}

# What links keep: the choices, but not the time range, which differs from dashboard to dashboard.
KEEP = "${datasource:queryparam}&${job:queryparam}&${instance:queryparam}"


def mapped(**texts):
    """Texts (or text and colour) for numbers: mapped(_0="down", _1="up")."""
    options = {}
    for index, (key, value) in enumerate(texts.items()):
        text, color = value if isinstance(value, tuple) else (value, None)
        options[key.lstrip("_")] = {"text": text, "index": index, **({"color": color} if color else {})}
    return {"type": "value", "options": options}


def steps(thresholds):
    """Grafana gives what isn't known the lowest colour: that is no judgement, so the lowest real one begins far below."""
    (_, lowest), *rest = thresholds
    judged = [] if lowest in ("text", "transparent") else [(-1_000_000, lowest)]
    neutral = lowest if not judged else "text"
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for value, color in [(None, neutral), *judged, *rest]]}


def query(expression, legend="", *, instant=True, table=False):
    return {
        "expr": expression,
        "legendFormat": legend,
        "instant": instant,
        "range": not instant,
        "format": "table" if table else "time_series",
    }


def graph_of(expression, legend=""):
    return query(expression, legend, instant=False)


def panel(kind, title, description, targets, *, unit, no_value, options, decimals=None, thresholds=PLAIN, color="thresholds",
          custom=None, mappings=(), overrides=(), transformations=(), limits=(None, None), link=None, interval=None):
    defaults = {
        "unit": unit,
        "noValue": no_value,
        "color": {"mode": color},
        "thresholds": steps(thresholds),
        "mappings": list(mappings),
        "custom": custom or {},
    }
    if decimals is not None:
        defaults["decimals"] = decimals
    defaults |= {key: value for key, value in zip(("min", "max"), limits) if value is not None}
    made = {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "targets": [{"refId": chr(65 + n), **target} for n, target in enumerate(targets)],
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": options,
        "transformations": list(transformations),
    }
    if link:
        made["links"] = [{"title": link[1], "url": f"/d/{link[0]}?{KEEP}&${{account:queryparam}}"}]
    if interval:
        made["interval"] = interval
    return made


REDUCE = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def stat(title, description, targets, *, thresholds=PLAIN, no_value, size=None, **rest):
    """One number, or a few beside each other."""
    options = {
        "reduceOptions": REDUCE, "colorMode": "value", "graphMode": "none", "justifyMode": "auto", "orientation": "vertical",
        "textMode": "value_and_name" if len(targets) > 1 else "auto", "wideLayout": False,
        "text": {"titleSize": 14, "valueSize": size or (32 if len(targets) == 1 else 26)},
    }
    return panel("stat", title, description, targets, thresholds=thresholds, no_value=no_value, options=options, **rest)


def bars(title, description, targets, *, vertical=False, hue=None, **rest):
    """Bars of the newest values, longest first where the query sorts them."""
    options = {
        "reduceOptions": REDUCE, "orientation": "vertical" if vertical else "horizontal", "displayMode": "gradient" if hue else "basic",
        "showUnfilled": not vertical, "valueMode": "text" if hue else "color", "namePlacement": "auto" if vertical else "left", "sizing": "auto",
        "minVizWidth": 8, "minVizHeight": 16, "maxVizHeight": 28,
        "text": {"titleSize": 13, "valueSize": 13},
    }
    made = panel("bargauge", title, description, targets, options=options, **rest)
    if hue:
        made["fieldConfig"]["defaults"]["color"] = {"mode": "fixed", "fixedColor": hue}
    return made


def lines(title, description, targets, *, custom=None, legend="list", calcs=(), no_value=GROWS, **rest):
    """Lines over time. A gap of up to a day is bridged: the value was served before and after."""
    look = {
        "drawStyle": "line", "lineWidth": 2, "fillOpacity": 0, "gradientMode": "none", "showPoints": "auto", "pointSize": 5,
        "spanNulls": 86_400_000, "lineInterpolation": "linear",
    }
    options = {
        "legend": {"showLegend": True, "displayMode": legend, "placement": "bottom", "calcs": list(calcs)},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    made = panel("timeseries", title, description, targets, color="palette-classic", options=options, no_value=no_value,
                 custom=look | (custom or {}), **rest)
    # Finer than the eye sees costs much.
    made["maxDataPoints"] = 240
    return made


STACKED = {"drawStyle": "bars", "stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 80, "lineWidth": 0, "showPoints": "never"}


BANDS = {"thresholdsStyle": {"mode": "area"}, "axisSoftMin": 0}


def pages(title, description, targets, **rest):
    """Columns side by side, one for each row of a table."""
    options = {
        "orientation": "auto", "xField": title[1], "showValue": "auto", "stacking": "none", "groupWidth": 0.75, "barWidth": 0.9, "barRadius": 0,
        "xTickLabelRotation": 0, "xTickLabelSpacing": 60, "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
        "tooltip": {"mode": "multi", "sort": "none"},
    }
    return panel("barchart", title[0], description, targets, options=options, color="palette-classic",
                 custom={"fillOpacity": 80, "lineWidth": 0, "gradientMode": "none"}, **rest)


class Column:
    """A column of a table: the field it comes from (a label, or the letter of a query), and how it looks."""

    def __init__(self, source, title, unit=None, *, width=None, thresholds=None, cell="color-text", decimals=None, mappings=(),
                 limits=(None, None), link=None, align=None, url=None, filtered=False):
        self.source = source
        self.title = title
        # Else an empty text would say what an empty table says.
        # Words can be filtered by the funnel in their heading, which finds one of eighty customers; over numbers it would take the
        # place of the heading.
        self.settings = {"noValue": "–", "custom.filterable": True if unit is None or filtered else None, "custom.width": width, "custom.minWidth": None if width else 120,
                         "decimals": decimals, "min": limits[0], "max": limits[1], "custom.align": align}
        if unit:
            self.settings["unit"] = unit
        if thresholds:
            self.settings["thresholds"] = steps(thresholds)
            self.settings["color"] = {"mode": "thresholds"}
            cell_options = {"type": cell}
            if cell == "gauge":
                cell_options |= {"mode": "basic", "valueDisplayMode": "color"}
            self.settings["custom.cellOptions"] = cell_options
        if mappings:
            self.settings["mappings"] = [*mappings, UNKNOWN]
        if link:
            self.settings["links"] = [{"title": link[1], "url": f"/d/{link[0]}?{KEEP}&var-account=${{__data.fields.Account}}"}]

        if url:
            self.settings["links"] = [{"title": url[1], "url": url[0]}]

    @classmethod
    def account(cls, width, to=("knowbe4-overview", "Overview of this account")):
        """The row's account, which leads to a dashboard about it."""
        return cls("account", "Account", width=width, link=to)

    def override(self):
        properties = [{"id": key, "value": value} for key, value in self.settings.items() if value is not None]
        return {"matcher": {"id": "byName", "options": self.title}, "properties": properties}


def table(title, description, expressions, columns, *, no_value, sort=None, descending=True, top=None, pages=True, wanted=None, **rest):
    """Instant queries side by side, joined on the labels that they share. Grafana numbers the values only of several."""
    value = "Value #{}" if len(expressions) > 1 else "Value"
    names = [value.format(column.source) if len(column.source) == 1 else column.source for column in columns]
    transformations = [
        {"id": "merge", "options": {}},
        {"id": "filterFieldsByName", "options": {"include": {"names": names}}},
        {"id": "organize", "options": {
            "excludeByName": {},
            "indexByName": {name: index for index, name in enumerate(names)},
            "renameByName": {name: column.title for name, column in zip(names, columns)},
        }},
    ]
    if wanted:
        transformations.append({"id": "filterByValue", "options": {"type": "exclude", "match": "any", "filters": [
            {"fieldName": wanted, "config": {"id": "isNull", "options": {}}}]}})
    if sort:
        transformations.append({"id": "sortBy", "options": {"fields": {}, "sort": [{"field": sort, "desc": descending}]}})
    if top:
        transformations.append({"id": "limit", "options": {"limitField": top}})
    options = {
        "showHeader": True, "cellHeight": "sm",
        "footer": {"show": False, "reducer": ["sum"], "countRows": False, "fields": "", "enablePagination": pages and top is None},
    }
    return panel(
        "table", title, description, [query(expression, table=True) for expression in expressions], unit="short", no_value=no_value,
        options=options, custom={"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "minWidth": 60},
        mappings=[UNKNOWN], overrides=[column.override() for column in columns], transformations=transformations, **rest,
    )
