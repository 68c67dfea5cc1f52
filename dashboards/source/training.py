"""For the person who runs the trainings: what is done, what is late, what falls due."""

from . import queries as q
from .board import board
from .overview import trained
from .panels import ACT, COMPLETION, FINE, LOOK, PAST_DUE, Column, bars, graph_of, lines, query, stat, table

NONE = "No training runs"
FAMILY = "knowbe4_training_campaign_"
START = q.latest(FAMILY + "start_timestamp_seconds", "campaign_id")
END = q.latest(FAMILY + "end_timestamp_seconds", "campaign_id")
COMPLETED = q.latest(FAMILY + "completion_ratio", "campaign_id")
STATUS = [("past_due", "past due", ACT), ("not_started", "not started", "light-blue"), ("in_progress", "in progress", "blue"),
          ("completed|passed", "completed", FINE), ("other", "other", "purple")]


def by_campaign(status=None):
    return f"sum by (account, campaign_id) ({q.enrollments(status)})"


def due(days):
    """Enrollments that are not done in campaigns that end within so many days."""
    left = q.enrollments("not_started|in_progress|past_due")
    soon = f"({END} - time() > 0) <= {days} * 86400"
    return f"sum ({left} and on (account, campaign_id) {soon})"


def numbers():
    begun = q.open_only(f"{START} <= time()")
    return (4,
        trained(7),
        (4, stat("Past due, lower is better", "Enrollments past due over all enrollments of the training campaigns that have begun and are not closed.",
                 [query(q.share_of_enrollments("past_due"))], unit="percentunit", decimals=1, thresholds=PAST_DUE, no_value=NONE)),
        (4, stat("Past due enrollments", "Enrollments past due in the training campaigns that are not closed: one for each user and content item.",
                 [query(f"sum {q.open_only(q.enrollments('past_due'))}")], unit="locale", decimals=0, no_value=NONE)),
        (5, stat("Falls due", "Enrollments not yet completed in campaigns that end within 7 and within 30 days.",
                 [query(due(7), "7 days"), query(due(30), "30 days")], unit="locale", decimals=0, no_value="Nothing known to fall due")),
        (4, stat("Open", "Training campaigns that have begun and are not closed.", [query(f"count ({begun})")], unit="locale",
                 decimals=0, no_value=NONE)),
    )


def campaigns():
    return (14,
        (24, table("Campaigns", "Every training campaign, with its enrollments (one for each user and content item) by status. Click a heading to "
                   "sort. – is not known, which is not 0; a campaign without an end has none.",
                   [f"1000 * {START}", f"1000 * {END}", by_campaign(), by_campaign("not_started"),
                    by_campaign("in_progress"), by_campaign(q.DONE),
                    f"sum by (account, campaign_id) {q.open_only(q.enrollments('past_due'))}", f"{COMPLETED} and on (account, campaign_id) {START} <= time()",
                    q.training(f"group by (account, campaign_id) ({FAMILY}info{{{q.SELECTOR}}})", "name", "status")],
                   [Column("name", "Campaign"), Column.account(130), Column("status", "Status", width=105),
                    Column("H", "Completion", "percentunit", width=150, thresholds=COMPLETION, cell="gauge", decimals=0, limits=(0, 1)),
                    Column("G", "Past due", "locale", width=85, decimals=0, thresholds=[(None, "text"), (1, LOOK)]),
                    Column("A", "Start", "dateTimeFromNow", width=120), Column("B", "End", "dateTimeFromNow", width=120),
                    Column("C", "Enrollments", "locale", width=105, decimals=0), Column("D", "Not started", "locale", width=100, decimals=0),
                    Column("E", "In progress", "locale", width=100, decimals=0), Column("F", "Done", "locale", width=75, decimals=0)],
                   sort="Start", no_value="No training campaign known yet")),
    )


def due_and_status():
    waiting = f"{END} - time() > 0"
    return (10,
        (12, table("What falls due", "Campaigns that have an end before them, the next first, with what is not yet completed.",
                   [q.training(f"1000 * {END} and on (account, campaign_id) {waiting}"),
                    f"{by_campaign('not_started|in_progress|past_due')} and on (account, campaign_id) {waiting}",
                    f"{COMPLETED} and on (account, campaign_id) {waiting} and on (account, campaign_id) {START} <= time()"],
                   [Column("name", "Campaign"), Column("A", "Ends", "dateTimeFromNow", width=95),
                    Column("B", "To do", "locale", width=65, decimals=0),
                    Column("C", "Done", "percentunit", width=60, thresholds=COMPLETION, decimals=0),
                    Column.account(115)],
                   sort="Ends", descending=False, top=8, no_value="Nothing known to fall due")),
        (12, bars("Enrollments by status", "Enrollments of the training campaigns that are not closed. Completed includes passed.",
                  [query(f"sum {q.open_only(q.enrollments(status))}", text) for status, text, _ in STATUS], unit="locale", decimals=0, hue="blue",
                  no_value=NONE, limits=(0, None),
                  overrides=[{"matcher": {"id": "byName", "options": text},
                              "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}]} for _, text, color in STATUS])),
    )


LATE_NOW = q.now(FAMILY + "enrollments", "campaign_id", "status", status='="past_due"')


def trends():
    # Chosen once, at the end of the graph, so that the lines are whole.
    over = q.at_end(f"{FAMILY}info{{{q.SELECTOR}, {q.OVER}}}")
    least = f"bottomk(8, {q.now(FAMILY + 'completion_ratio', 'campaign_id')} > 0 unless on (account, campaign_id) {over})"
    return (10,
        (12, lines("Completion over time", "Completed share of training campaigns that somebody has begun and that are not closed: the eight that are "
                   "least complete.",
                   [graph_of(q.drawn(FAMILY + "completion_ratio", FAMILY + "info", "campaign_id", least), "{{name}} ({{account}})")],
                   unit="percentunit", limits=(0, 1))),
        (12, lines("Past due over time", "Enrollments past due in the training campaigns that are not closed, by account: the ten with the most at the end of the time range.",
                   [graph_of(f"sum by (account) {q.open_only(q.enrollments('past_due'))} and on (account) topk(10, sum by (account) ({LATE_NOW}))", "{{account}}")],
                   unit="locale", decimals=0, limits=(0, None), custom={"fillOpacity": 10})),
    )


def segments():
    return (9,
        (10, bars("Past due by segment", "Share of past due in all enrollments of each segment, such as a department: the ten with the most.",
                  [query(f"sort_desc(topk(10, {q.segment_share('past_due')}))", "{{segment}} ({{account}})")], unit="percentunit", decimals=1,
                  thresholds=PAST_DUE, no_value="No segment yet: list user attributes under segments in the exporter's configuration",
                  limits=(0, None))),
        (10, bars("Content bought", "Training content bought from the store, by type; what is retired can't be assigned any more.",
                  [query(f'sort_desc(sum by (type) ({q.latest("knowbe4_training_store_purchases", "type", "retired", retired="!=`true`")}))'.replace("`", '"'),
                         "{{type}}"),
                   query(f'sort_desc(sum by (type) ({q.latest("knowbe4_training_store_purchases", "type", "retired", retired="=`true`")}))'.replace("`", '"'),
                         "{{type}}, retired")],
                  unit="locale", decimals=0, hue="blue", no_value="Nothing bought, or not known yet", limits=(0, None))),
        (4, stat("Policies", "Uploaded policies.", [query(f"sum ({q.latest('knowbe4_training_policies')})")], unit="locale", decimals=0,
                 no_value="Not known: the server may have no policies")),
    )


def dashboard():
    return board(
        "knowbe4-training", "KnowBe4 / Training",
        "Training campaigns: completion, enrollments by status, what is past due and what falls due, policies and content.",
        [numbers(), campaigns(), due_and_status(), trends(), segments()], since="now-90d", console=True,
    )
