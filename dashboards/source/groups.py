"""Which groups and segments are at risk, and which move."""

from . import queries as q
from .board import board
from .panels import COMPLETION, PAST_DUE, PHISH_PRONE, RISE, RISK, Column, graph_of, lines, query, stat, table

RISK_SCORE = "knowbe4_group_risk_score"
RATIO = "knowbe4_group_phish_prone_ratio"
NO_GROUPS = "No group has a risk score"
NO_SEGMENTS = "No segments: list user attributes under segments in the exporter's configuration"

risk = q.latest(RISK_SCORE, "group_id")
prone = q.latest(RATIO, "group_id")


def numbers():
    return (4,
        (6, stat("Groups", "Active groups.", [query(f"count ({q.latest('knowbe4_group_members', 'group_id')})")], unit="locale", decimals=0,
                 no_value="No group known yet")),
        (6, stat("Scores hidden", "Groups with fewer members than groups.min_size: for privacy their scores are left out.",
                 [query(f"sum ({q.latest('knowbe4_groups_hidden')})")], unit="locale", decimals=0, no_value="No group known yet")),
        (6, stat("Risk score of groups", "The middle group and the highest. Half of the groups are above the median.",
                 [query(f"quantile (0.5, {risk})", "Median"), query(f"max ({risk})", "Highest")], unit="none", decimals=1, thresholds=RISK,
                 no_value=NO_GROUPS)),
        (6, stat("Risen in 30 days", "Groups whose risk score rose by more than five points in 30 days (means of a day compared).",
                 [query(f"sum ({q.change(RISK_SCORE, 'group_id', ago='30d')} > bool 5)")], unit="locale", decimals=0,
                 thresholds=[(None, "green"), (1, "orange")], no_value="Needs 30 days of history")),
    )


def ranking():
    change = lambda ago: q.change(RISK_SCORE, "group_id", ago=ago)
    moved = {"unit": "none", "width": 75, "thresholds": RISE, "decimals": 1}
    return (13,
        (24, table("Ranking", "Groups by risk score, with the change in 7, 30 and 90 days (means of a day compared; a rise is worse) and the mean "
                   "personal phish-prone ratio of their members. Click a heading to sort. – is not known, which is not 0.",
                   [q.group(risk, "name", "type"), change("7d"), change("30d"), change("90d"), prone,
                    f"{q.latest('knowbe4_group_members', 'group_id')} and on (account, group_id) {risk}"],
                   [Column("name", "Group"), Column("account", "Account", width=110),
                    Column("A", "Risk score", "none", width=160, thresholds=RISK, cell="gauge", decimals=1, limits=(0, 100)),
                    Column("E", "Phish-prone", "percentunit", width=105, thresholds=PHISH_PRONE, decimals=1),
                    Column("B", "7 days", **moved), Column("C", "30 days", **moved), Column("D", "90 days", **moved),
                    Column("F", "Members", "locale", width=85, decimals=0), Column("type", "Type", width=220)],
                   sort="Risk score", no_value=NO_GROUPS)),
    )


def movers():
    def panel(number):
        moved = q.change(RISK_SCORE, "group_id", ago=f"{number}d")
        return (8, table(f"Moved most in {number} days", f"The eight groups whose risk score moved most in {number} days, up or down (means of a day "
                         "compared). Backfill brings the history that it needs.",
                         [f"{q.group(moved)} and on (account, group_id) topk(8, abs({moved}))"],
                         [Column("name", "Group"), Column("A", "Change", "none", width=75, thresholds=RISE, decimals=1),
                          Column("account", "Account", width=90)],
                         sort="Change", top=8, no_value=f"Needs {number} days of history"))
    return (10, panel(7), panel(30), panel(90))


def trends():
    highest = f"topk(5, {q.now(RISK_SCORE, 'group_id')})"
    return (10,
        (12, lines("Risk score over time", "The five groups that are highest at the end of the time range.",
                   [graph_of(f"{q.group(risk)} and on (account, group_id) {highest}", "{{name}} ({{account}})")],
                   unit="none", decimals=1, no_value=NO_GROUPS)),
        (12, table("Phish-prone against risk", "Groups above the median in both: a high risk score, and members who fail tests. Here help pays most. "
                   "The medians are of the accounts chosen.",
                   [f"{q.group(risk)} and on (account, group_id) ({both()})", f"{prone} and on (account, group_id) ({both()})"],
                   [Column("name", "Group"), Column("A", "Risk", "none", width=65, thresholds=RISK, decimals=1),
                    Column("B", "Phish-prone", "percentunit", width=105, thresholds=PHISH_PRONE, decimals=1),
                    Column("account", "Account", width=90)],
                   sort="Risk", top=8, no_value="No group is above the median in both")),
    )


def both():
    return f"{risk} > scalar(quantile (0.5, {risk})) and {prone} > scalar(quantile (0.5, {prone}))"


def segments():
    by = ("attribute", "segment")
    done = f"sum by (account, attribute, segment) ({q.latest('knowbe4_segment_enrollments', *by, 'status', status='=~`completed|passed`')})"
    late = f"sum by (account, attribute, segment) ({q.latest('knowbe4_segment_enrollments', *by, 'status', status='=`past_due`')})"
    whole = f"(sum by (account, attribute, segment) ({q.latest('knowbe4_segment_enrollments', *by, 'status')}) > 0)"
    score = q.latest("knowbe4_segment_risk_score", *by)
    return [
        (12,
         (24, table("Segments", "Active users by the attributes that are configured, such as department or location. Segments below "
                    "segment_min_size are left out, so that none is about one person. Training over all campaigns.",
                    [score, q.latest("knowbe4_segment_users", *by), q.latest("knowbe4_segment_phish_prone_ratio", *by),
                     f"{done} / {whole}".replace("`", '"'), f"{late} / {whole}".replace("`", '"')],
                    [Column("segment", "Segment"), Column("attribute", "Attribute", width=105), Column("account", "Account", width=95),
                     Column("B", "Users", "locale", width=70, decimals=0),
                     Column("A", "Risk score", "none", width=160, thresholds=RISK, cell="gauge", decimals=1, limits=(0, 100)),
                     Column("C", "Phish-prone", "percentunit", width=105, thresholds=PHISH_PRONE, decimals=1),
                     Column("D", "Trained", "percentunit", width=80, thresholds=COMPLETION, decimals=0),
                     Column("E", "Past due", "percentunit", width=85, thresholds=PAST_DUE, decimals=1)],
                    sort="Risk score", no_value=NO_SEGMENTS))),
        (10,
         (12, lines("Risk score of segments over time", "The five segments that are highest at the end of the time range.",
                    [graph_of(f"{score} and on (account, attribute, segment) topk(5, {q.now('knowbe4_segment_risk_score', *by)})",
                              "{{segment}} ({{account}})")],
                    unit="none", decimals=1, no_value=NO_SEGMENTS)),
         (12, lines("Phish-prone ratio of groups over time", "The five groups whose members' mean personal phish-prone ratio is highest at the end of "
                    "the time range.",
                    [graph_of(f"{q.group(prone)} and on (account, group_id) topk(5, {q.now(RATIO, 'group_id')})", "{{name}} ({{account}})")],
                    unit="percentunit", no_value=NO_GROUPS))),
    ]


def dashboard():
    return board(
        "knowbe4-groups", "KnowBe4 / Groups and segments",
        "Groups ranked by risk, those that move, phish-prone against risk, and segments of users.",
        [numbers(), ranking(), movers(), trends(), *segments()], since="now-90d",
    )
