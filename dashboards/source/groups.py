"""Which groups and segments are at risk, and which move."""

from . import queries as q, recipients
from .board import board
from .overview import NO_DATA, departments
from .panels import BANDS, NO_HISTORY, COMPLETION, FINE, LOOK, PAST_DUE, PHISH_PRONE, RISE, RISK, Column, graph_of, lines, query, stat, table

RISK_SCORE = "knowbe4_group_risk_score"
RATIO = "knowbe4_group_phish_prone_ratio"
NO_GROUPS = "No group has a risk score yet"

risk = q.latest(RISK_SCORE, "group_id")
prone = q.latest(RATIO, "group_id")


def numbers():
    return (4,
        (6, stat("Groups", "Active groups.", [query(f"count ({q.latest('knowbe4_group_members', 'group_id')})")], unit="locale", decimals=0,
                 no_value="No group known yet")),
        (6, stat("High risk", "Groups whose risk score is above the alert's threshold (60).",
                 [query(f"sum ({q.beyond(risk, '>', 'group_risk_score_high')})")], unit="locale", decimals=0, thresholds=[(None, FINE), (1, LOOK)], no_value=NO_GROUPS)),
        (6, stat("Risk score of groups, lower is better", "The middle group and the highest. Half of the groups are above the median.",
                 [query(f"quantile (0.5, {risk})", "Median"), query(f"max ({risk})", "Highest")], unit="none", decimals=1, thresholds=RISK,
                 no_value=NO_GROUPS)),
        (6, stat("Risen in 30 days", "Groups whose risk score rose by more points in 30 days than the alert's threshold (12; means of a day compared).",
                 [query(f"sum ({q.beyond(q.change(RISK_SCORE, 'group_id', ago='30d'), '>', 'group_risk_score_rise_30d')})")], unit="locale", decimals=0,
                 thresholds=[(None, FINE), (1, LOOK)], size=18, no_value="Needs 30 days of history")),
    )


def ranking():
    change = lambda ago: q.change(RISK_SCORE, "group_id", ago=ago)
    moved = {"unit": "none", "width": 75, "thresholds": RISE, "decimals": 1}
    return (16,
        (24, table("Groups by risk", "Groups by risk score, with the change in 7, 30 and 90 days (means of a day compared; a rise is worse) and the mean "
                   "personal phish-prone ratio of their members. Click a heading to sort. – is not known, which is not 0: groups with fewer members than groups.min_size have no score.",
                   [q.group(risk, "name", "type"), change("7d"), change("30d"), change("90d"), prone,
                    f"{q.latest('knowbe4_group_members', 'group_id')} and on (account, group_id) {risk}"],
                   [Column("name", "Group"), Column.account(130),
                    Column("A", "Risk score", "none", width=160, thresholds=RISK, cell="gauge", decimals=1, limits=(0, 100)),
                    Column("E", "Phish-prone", "percentunit", width=105, thresholds=PHISH_PRONE, decimals=1),
                    Column("B", "7 days", **moved), Column("C", "30 days", **moved), Column("D", "90 days", **moved),
                    Column("F", "Members", "locale", width=85, decimals=0), Column("type", "Type", width=220)],
                   sort="Risk score", no_value=NO_GROUPS)),
    )


def trends():
    highest = f"topk(5, {q.now(RISK_SCORE, 'group_id')})"
    return (10,
        (12, lines("Risk score over time, lower is better", "The five groups that are highest at the end of the time range.",
                   [graph_of(q.drawn_groups(RISK_SCORE, highest), "{{name}} ({{account}})")],
                   unit="none", decimals=0, no_value=NO_HISTORY, thresholds=RISK, custom=BANDS, limits=(0, 100))),
        (12, table("High in both: risk and phish-prone", "Groups above the median in both: a high risk score, and members who fail tests. Here help pays "
                   "most. The medians are of the accounts chosen.",
                   [f"{q.group(risk)} and on (account, group_id) ({both()})", f"{prone} and on (account, group_id) ({both()})"],
                   [Column("name", "Group"), Column("A", "Risk", "none", width=65, thresholds=RISK, decimals=1),
                    Column("B", "Phish-prone", "percentunit", width=105, thresholds=PHISH_PRONE, decimals=1),
                    Column.account(110)],
                   sort="Risk", top=8, no_value="No group is above the median in both")),
    )


def both():
    return f"{risk} > scalar(quantile (0.5, {risk})) and {prone} > scalar(quantile (0.5, {prone}))"


def segments():
    by = ("attribute", "segment")
    score = q.latest("knowbe4_segment_risk_score", *by)
    return (10,
        (12, lines("Risk score of segments over time, lower is better", "The five segments that are highest at the end of the time range.",
                   [graph_of(f"{score} and on (account, attribute, segment) topk(5, {q.now('knowbe4_segment_risk_score', *by)})",
                             "{{segment}} ({{account}})")],
                   unit="none", decimals=0, thresholds=RISK, custom=BANDS, limits=(0, 100))),
        (12, lines("Phish-prone ratio of groups over time, lower is better", "The five groups whose members' mean personal phish-prone ratio is highest at "
                   "the end of the time range. Groups that groups.min_size hides are left out.",
                   [graph_of(q.drawn_groups(RATIO, f"topk(5, {q.now(RATIO, 'group_id')})"), "{{name}} ({{account}})")],
                   unit="percentunit", limits=(0, None))),
    )


def hidden():
    return (4,
        (24, stat("Scores hidden for privacy", "Groups with fewer members than groups.min_size: their scores are left out.",
                  [query(f"sum ({q.latest('knowbe4_groups_hidden')})")], unit="locale", decimals=0, no_value="No group known yet")),
    )


def dashboard():
    return board(
        "knowbe4-groups", "KnowBe4 / Groups and segments",
        "Departments and other segments, groups ranked by risk, those that move, and phish-prone against risk.",
        [numbers(), departments(16, None), recipients.scorecards(), ranking(), trends(), segments(), hidden()], since="now-90d", console=True,
    )
