"""For the person who runs the trainings: what is done, what is late, what falls due."""

from . import queries as q
from .board import board
from .panels import COMPLETION, PAST_DUE, Column, bars, graph_of, lines, query, stat, table

NONE = "No open training campaign known"
FAMILY = "knowbe4_training_campaign_"
START = q.latest(FAMILY + "start_timestamp_seconds", "campaign_id")
END = q.latest(FAMILY + "end_timestamp_seconds", "campaign_id")
COMPLETED = q.latest(FAMILY + "completion_ratio", "campaign_id")
STATUS = [("past_due", "past due", "red"), ("not_started", "not started", "light-blue"), ("in_progress", "in progress", "blue"),
          ("completed|passed", "completed", "green"), ("other", "other", "purple")]


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
        (5, stat("Completed", "Completed and passed enrollments over all enrollments of the training campaigns that are not closed.",
                 [query(q.share_of_enrollments(q.DONE))], unit="percentunit", decimals=0, thresholds=COMPLETION, no_value=NONE)),
        (5, stat("Past due share", "Enrollments past due over all enrollments of the training campaigns that are not closed.",
                 [query(q.share_of_enrollments("past_due"))], unit="percentunit", decimals=1, thresholds=PAST_DUE, no_value=NONE)),
        (5, stat("Past due", "Enrollments past due in the training campaigns that are not closed: one for each user and content item.",
                 [query(f"sum {q.open_only(q.enrollments('past_due'))}")], unit="locale", decimals=0, no_value=NONE)),
        (5, stat("Falls due", "Enrollments not yet completed in campaigns that end within 7 and within 30 days.",
                 [query(due(7), "7 days"), query(due(30), "30 days")], unit="locale", decimals=0, no_value="Nothing known to fall due")),
        (4, stat("Open", "Training campaigns that have begun and are not closed.", [query(f"count ({begun})")], unit="locale",
                 decimals=0, no_value=NONE)),
    )


def campaigns():
    return (13,
        (24, table("Campaigns", "Every training campaign, with its enrollments (one for each user and content item) by status. Click a heading to "
                   "sort. – is not known, which is not 0; a campaign without an end has none.",
                   [f"1000 * {START}", f"1000 * {END}", by_campaign(), by_campaign("not_started"),
                    by_campaign("in_progress"), by_campaign(q.DONE), by_campaign("past_due"), COMPLETED,
                    q.training(f"group by (account, campaign_id) ({FAMILY}info{{{q.SELECTOR}}})", "name", "status")],
                   [Column("name", "Campaign"), Column("account", "Account", width=100), Column("status", "Status", width=105),
                    Column("H", "Completion", "percentunit", width=150, thresholds=COMPLETION, cell="gauge", decimals=0, limits=(0, 1)),
                    Column("G", "Past due", "locale", width=85, decimals=0, thresholds=[(None, "text"), (1, "orange")]),
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
                    f"{COMPLETED} and on (account, campaign_id) {waiting}"],
                   [Column("name", "Campaign"), Column("A", "Ends", "dateTimeFromNow", width=95),
                    Column("B", "To do", "locale", width=65, decimals=0),
                    Column("C", "Done", "percentunit", width=60, thresholds=COMPLETION, decimals=0),
                    Column("account", "Account", width=90)],
                   sort="Ends", descending=False, top=8, no_value="Nothing known to fall due")),
        (12, bars("Enrollments by status", "Enrollments of the training campaigns that are not closed. Completed includes passed.",
                  [query(f"sum {q.open_only(q.enrollments(status))}", text) for status, text, _ in STATUS], unit="locale", decimals=0, hue="blue",
                  no_value=NONE, limits=(0, None),
                  overrides=[{"matcher": {"id": "byName", "options": text},
                              "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}]} for _, text, color in STATUS])),
    )


def trends():
    # Chosen once, at the end of the graph, so that the lines are whole.
    over = q.at_end(f"{FAMILY}info{{{q.SELECTOR}, {q.OVER}}}")
    least = f"bottomk(8, {q.now(FAMILY + 'completion_ratio', 'campaign_id')} > 0 unless on (account, campaign_id) {over})"
    return (10,
        (12, lines("Completion over time", "Completed share of training campaigns that somebody has begun and that are not closed: the eight that are "
                   "least complete.",
                   [graph_of(q.training(f"{COMPLETED} and on (account, campaign_id) {least}"), "{{name}} ({{account}})")],
                   unit="percentunit", decimals=0, no_value=NONE, limits=(0, 1))),
        (12, lines("Past due over time", "Enrollments past due in the training campaigns that are not closed, by account.",
                   [graph_of(f"sum by (account) {q.open_only(q.enrollments('past_due'))}", "{{account}}")],
                   unit="locale", decimals=0, no_value=NONE, limits=(0, None), custom={"fillOpacity": 10})),
    )


def segments():
    by = "sum by (account, attribute, segment)"
    late = q.latest("knowbe4_segment_enrollments", "attribute", "segment", "status", status='="past_due"')
    whole = q.latest("knowbe4_segment_enrollments", "attribute", "segment", "status")
    return (9,
        (10, bars("Past due by segment", "Share of past due in all enrollments of each segment, such as a department: the ten with the most.",
                  [query(f"sort_desc(topk(10, {by} ({late}) / ({by} ({whole}) > 0)))", "{{segment}} ({{account}})")], unit="percentunit", decimals=1,
                  thresholds=PAST_DUE, no_value="No segments: list user attributes under segments in the exporter's configuration",
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
        [numbers(), campaigns(), due_and_status(), trends(), segments()], since="now-90d",
    )
