"""For the person who runs the exporter: is the data as fresh as promised, and is the budget kept?"""

from . import queries as q
from .board import annotation, board
from .panels import (
    ACT, ANY, ANY_BAD, BUDGET, FINE, GROWS, LATE, LOOK, STACKED, Column, graph_of, lines, mapped, query, stat, steps, table,
)

OWN = "knowbe4_exporter_"
SINCE = "Within the dashboard's time range."
NONE = "Nothing counted yet"
NOT_SHARED = "The storage isn't shared: one exporter polls all accounts."
WORDS = [mapped(_0=("failed", ACT), _1=("ok", FINE))]
STATE = {"thresholds": [(None, ACT), (1, FINE)], "mappings": WORDS}


def counted(family, by="", match=""):
    """How much a counter has grown within the dashboard's time range; of one that is younger, all of it."""
    series = f"{OWN}{family}{{{q.SELECTOR}{match}}}"
    return f"sum{by} (increase({series}[$__range]) > 0 or (last_over_time({series}[10m]) unless last_over_time({series}[10m] offset $__range)))"


def growth(family, by):
    """How fast a counter grows, an hour."""
    return f"3600 * sum{by} (rate({OWN}{family}{{{q.SELECTOR}}}[$__rate_interval]))"


DRIFT = f"last_over_time({OWN}schema_drift_total{{{q.SELECTOR}}}[10m])"


def target(family):
    return f"max by (instance) ({family}{{{q.TARGET}}})"


def own(family, *labels, **match):
    return q.latest(OWN + family, *labels, **match)


USED_OF_DAY = f"{own('budget_used', 'window', window='=`24h`')} / {own('budget_limit', 'window', window='=`24h`')}".replace("`", '"')


def numbers():
    count = {"unit": "locale", "decimals": 0, "mappings": [mapped(_0="none")]}
    share = {"matcher": {"id": "byName", "options": "Used"}, "properties": [
        {"id": "unit", "value": "percentunit"}, {"id": "thresholds", "value": steps(BUDGET)}]}
    return (4,
        (8, stat("Freshness", "Accounts whose most recent request failed, and collectors whose data is older than three times the interval that the "
                 "exporter promises.",
                 [query(f"sum ({q.latest('knowbe4_up')} == bool 0)", "API down"), query(f"sum ({q.LATE})", "Late data")],
                 thresholds=ANY_BAD, no_value="Nothing read yet", **count)),
        (8, stat("Budget, 24 hours", "Requests in the last 24 hours over the exporter's share of the quota, of several accounts the highest: the plan spends "
                 "all of it, so nearly 100 % is normal, and it can't exceed that. And answers with status 429 within the dashboard's time "
                 "range: somebody spends more than the quota allows.",
                 [query(f"max ({USED_OF_DAY})", "Used"), query(counted("api_throttled_total"), "Throttled")],
                 thresholds=ANY, overrides=[share], no_value=NONE, **count)),
        (8, stat("Failures", "Collectors whose most recent refresh failed (what was there before stays); and the kinds of surprises in the "
                 "API's answers since the exporter's start, which are no matter by themselves; please report them.",
                 [query(f"sum ({own('collector_success', 'collector')} == bool 0)", "Collectors"), query(f"count ({DRIFT} > 0) or vector(0)", "Drift")],
                 thresholds=ANY, no_value=NONE, **count)),
    )


def freshness():
    age = f"time() - {q.LAST_SUCCESS}"
    return (14,
        (24, table("Freshness", "Each collector of each account: age of its data against the interval that the exporter promises, which counts as five "
                   "minutes where it is shorter. Above 1 the next refresh is due or under way, above 3 an alert fires. A collector without a success has no age. – is not known.",
                   [own("collector_success", "collector"), q.LATENESS, age, q.INTERVAL,
                    f"1000 * {own('collector_last_attempt_timestamp_seconds', 'collector')}",
                    f"1000 * {own('collector_next_run_timestamp_seconds', 'collector')}",
                    own("collector_duration_seconds", "collector"), own("collector_refresh_requests", "collector"),
                    counted("collector_failures_total", " by (account, collector)")],
                   [Column.account(125), Column("collector", "Collector"),
                    Column("A", "Last result", "none", width=95, **STATE),
                    Column("B", "Age / promised", "none", width=210, thresholds=LATE, cell="gauge", decimals=2, limits=(0, 3)),
                    Column("C", "Age", "s", width=100, decimals=1), Column("D", "Promised", "s", width=100, decimals=1),
                    Column("E", "Last attempt", "dateTimeFromNow", width=140), Column("F", "Next run", "dateTimeFromNow", width=150),
                    Column("G", "Took", "s", width=85, decimals=1), Column("H", "Requests", "locale", width=90, decimals=0),
                    Column("I", "Failures", "locale", width=85, decimals=0, thresholds=[(None, "text"), (1, LOOK)])],
                   sort="Age / promised", no_value="Nothing read yet")),
    )


def budget():
    def window(name):
        used, limit = (own(f"budget_{what}", window=f'="{name}"') for what in ("used", "limit"))
        return f"{used} / {limit}"
    return (9,
        (14, table("Budget", "Requests in the last 24 hours, minute and second over what the exporter may send, and what the planned intervals cost a day. "
                   "While the API refuses further requests the used share stands at 100 %.",
                   [window("24h"), window("1m"), window("1s"), own("budget_limit", window='="24h"'), own("plan_requests_per_day"),
                    own("ledger_writable"), own("series"), own("snapshot_restored")],
                   [Column("account", "Account"), Column("A", "24 hours", "percentunit", width=95, thresholds=BUDGET, decimals=0),
                    Column("B", "Minute", "percentunit", width=70, decimals=0, thresholds=BUDGET),
                    Column("C", "Second", "percentunit", width=70, decimals=0, thresholds=BUDGET),
                    Column("D", "Limit/day", "locale", width=85, decimals=0), Column("E", "Plan/day", "locale", width=80, decimals=0),
                    Column("F", "Ledger", "none", width=70, **STATE),
                    Column("G", "Series", "locale", width=75, decimals=0),
                    Column("H", "Restored", "none", width=80, mappings=[mapped(_0="no", _1="yes")])],
                   sort="24 hours", no_value=NONE)),
        (10, lines("Budget used, 24 hours", "Requests in the 24 hours before, over what the exporter may send in 24 hours: the ten accounts with the most.",
                   [graph_of(f"topk(10, {USED_OF_DAY})", "{{account}}")], unit="percentunit", decimals=0, limits=(0, 1),
                   thresholds=[(None, "transparent"), (1, ACT)], custom={"thresholdsStyle": {"mode": "dashed"}})),
    )


def requests():
    every = {"interval": "30m"}
    return [
        (9,
         (12, lines("Requests by endpoint", "API requests an hour, retries included.",
                    [graph_of(growth("api_requests_total", " by (endpoint)"), "{{endpoint}}")], unit="suffix:/h", decimals=0, limits=(0, None), custom=STACKED, **every)),
         (12, lines("Requests by status code", "API requests an hour by status code; timeout or transport where there was no answer.",
                    [graph_of(growth("api_requests_total", " by (code)"), "{{code}}")], unit="suffix:/h", decimals=0, limits=(0, None), custom=STACKED, overrides=[{"matcher": {"id": "byRegexp", "options": f"/^{codes}$/"}, "properties": [
                        {"id": "color", "value": {"mode": "fixed", "fixedColor": color}}]} for codes, color in (
                            ("2..", FINE), ("4..", LOOK), ("429", ACT), ("5..|timeout|transport", "#8F3BB8"))], **every))),
        (9,
         (8, lines("Failed refreshes by reason", "Refreshes an hour that failed, by reason.",
                   [graph_of(growth("collector_failures_total", " by (reason)") + " > 0", "{{reason}}")], unit="suffix:/h", decimals=1,
                   no_value="No failure seen", limits=(0, None), custom=STACKED, **every)),
         (8, lines("Retries and throttling", "Requests an hour that repeated a failed one, and answers with status 429.",
                   [graph_of(growth("api_retries_total", ""), "Retries"), graph_of(growth("api_throttled_total", ""), "Throttled")],
                   unit="suffix:/h", decimals=1, limits=(0, None), **every)),
         (8, lines("Response time", "Time from sending a request to its last byte: mean, and what 95 % stay below.",
                   [graph_of(f"histogram_quantile(0.95, sum by (le) (rate({OWN}api_request_duration_seconds_bucket{{{q.SELECTOR}}}[$__rate_interval])))",
                             "95 %"),
                    graph_of(f"sum (rate({OWN}api_request_duration_seconds_sum{{{q.SELECTOR}}}[$__rate_interval])) / "
                             f"sum (rate({OWN}api_request_duration_seconds_count{{{q.SELECTOR}}}[$__rate_interval]))", "mean")],
                   unit="s", no_value=GROWS, limits=(0, None), **every))),
        (10,
         (12, table("Requests", f"API requests by endpoint and status code. {SINCE}", [counted("api_requests_total", " by (endpoint, code)") + " > 0"],
                    [Column("endpoint", "Endpoint"), Column("code", "Code", width=90), Column("A", "Requests", "locale", width=100, decimals=0)],
                    sort="Requests", no_value=NONE)),
         (12, table("Drift", "Fields missing, of another type or with unknown values, and rows without id, by endpoint, since the exporter's start.",
                    [f"sum by (account, endpoint, kind) ({DRIFT} > 0)"],
                    [Column("endpoint", "Endpoint"), Column("kind", "Kind", width=190), Column.account(110),
                     Column("A", "Count", "locale", width=80, decimals=0)],
                    sort="Count", no_value="No drift seen"))),
    ]


def process():
    return [
        "Process",
        (5,
         (24, table("Exporters", "Each exporter that is scraped: version, last reload of the configuration, start. A file descriptor is an open file or "
                    "connection.",
                    [f"max by (instance, version, revision, rustversion) ({OWN}build_info{{{q.TARGET}}})",
                     target(OWN + "config_last_reload_successful"), "1000 * " + target(OWN + "config_last_reload_success_timestamp_seconds"),
                     "1000 * " + target("process_start_time_seconds"), target("process_resident_memory_bytes"),
                     target("process_open_fds"), target("process_max_fds")],
                    [Column("instance", "Instance"), Column("version", "Version", width=90), Column("revision", "Revision", width=330),
                     Column("rustversion", "Rust", width=80), Column("B", "Reload", "none", width=80, **STATE),
                     Column("C", "Configuration read", "dateTimeFromNow", width=160), Column("D", "Started", "dateTimeFromNow", width=140),
                     Column("E", "Memory", "bytes", width=100, decimals=1), Column("F", "Open files", "locale", width=95, decimals=0),
                     Column("G", "Of at most", "locale", width=100, decimals=0)],
                    sort="Instance", descending=False, pages=False, no_value=NONE))),
        (8,
         (8, lines("CPU", "Processor time a second.", [graph_of(f"max by (instance) (rate(process_cpu_seconds_total{{{q.TARGET}}}[$__rate_interval]))",
                                                             "{{instance}}")],
                   unit="percentunit", limits=(0, None))),
         (8, lines("Memory", "Resident and virtual memory.",
                   [graph_of(target("process_resident_memory_bytes"), "{{instance}} resident"),
                    graph_of(target("process_virtual_memory_bytes"), "{{instance}} virtual")],
                   unit="bytes", limits=(0, None))),
         (8, lines("Open files", "Open file descriptors.", [graph_of(target("process_open_fds"), "{{instance}}")], unit="locale", decimals=0,
                   limits=(0, None)))),
        (8,
         (7, lines("Accounts by replica", "How many accounts each replica polls, where replicas share a storage. They spread evenly within a minute "
                    "of a change.",
                    [graph_of(target(OWN + "replica_accounts"), "{{instance}}"),
                     graph_of(f"max({target(OWN + 'accounts_unheld')})", "nobody")],
                    unit="locale", decimals=0, limits=(0, None), no_value=NOT_SHARED)),
         (10, table("Replicas", "Accounts that each target holds, by its own word, how many replicas, versions and "
                   "configurations it sees, and when the database last answered it.",
                   [f"sum by (instance) ({OWN}account_held{{{q.TARGET}}})",
                    *(f"max by (instance) ({target(OWN + name)})" for name in ("replicas", "replica_versions", "replica_configurations")),
                    f"1000 * max by (instance) ({target(OWN + 'database_last_success_timestamp_seconds')})"],
                   [Column("instance", "Instance"), Column("A", "Accounts", "locale", width=85, decimals=0),
                    Column("B", "Replicas", "locale", width=80, decimals=0), Column("C", "Versions", "locale", width=80, decimals=0),
                    Column("D", "Configs", "locale", width=75, decimals=0),
                    Column("E", "Database", "dateTimeFromNow", width=150)],
                   sort="Instance", descending=False, no_value=NOT_SHARED)),
         (7, lines("Database", "Statements a second that each replica has the database answer, and those that fail.",
                    [graph_of(f"max by (instance) (rate({OWN}database_round_trips_total{{{q.TARGET}}}[$__rate_interval]))", "{{instance}}"),
                     graph_of(f"max by (instance) (rate({OWN}database_failures_total{{{q.TARGET}}}[$__rate_interval]))", "{{instance}} failed")],
                    unit="locale", decimals=1, limits=(0, None), no_value=NOT_SHARED))),
    ]


def dashboard():
    starts = annotation("Exporter starts", f"changes({target('process_start_time_seconds')}[$__rate_interval:]) > 0", "purple")
    return board(
        "knowbe4-exporter", "KnowBe4 / Exporter and budget",
        "Is the data as fresh as promised, and is the request budget kept: freshness, requests, failures, drift, process.",
        [numbers(), freshness(), budget(), *requests(), *process()], since="now-24h", refresh="1m", annotations=[starts], scrape=True,
    )
