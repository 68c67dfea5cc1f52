"""For the person who answers to the board: how are we doing, is it getting better, and where to look next."""

from . import queries as q
from .board import board
from .panels import (
    ANY_BAD, COMPLETION, DAYS_LEFT, PAST_DUE, PHISH_PRONE, REPORT_RATE, RISE, RISK, SEATS, TEST_GAP, Column, bars, graph_of, lines,
    mapped, query, stat, steps, table,
)

NO_TESTS = "No phishing test known yet"
NO_DATA = "Not known yet: see Exporter"

RISK_SCORE = "knowbe4_account_risk_score"
GROUP_RISK = "knowbe4_group_risk_score"


def windows(ratio):
    """The last 30 days, 90 days and year beside each other."""
    return [query(ratio(q.Tests(q.days(number))), text) for number, text in ((30, "30 days"), (90, "90 days"), (365, "1 year"))]


def rolling(window):
    return q.Tests(q.days(window), now=True)


def numbers():
    return [
        (4,
         (8, stat(
             "Risk score",
             "Risk score of the organisation as KnowBe4 gives it: 0 to 100, higher is riskier. Now, and the mean of the day 30 days and "
             "a year ago where there is history (backfill brings it at once). Of several accounts the highest.",
             [query(f"max ({q.latest(RISK_SCORE)})", "Now"),
              query(f"max ({q.day_mean(RISK_SCORE, ago='30d')})", "30 d ago"),
              query(f"max ({q.day_mean(RISK_SCORE, ago='365d')})", "1 y ago")],
             unit="none", decimals=1, thresholds=RISK, no_value=NO_DATA, link=("knowbe4-groups", "Groups"))),
         (8, stat(
             "Phish-prone",
             "Failures over delivered messages in all phishing tests that started in the last 30 days, 90 days and year. One person can "
             "fail in several ways, so it may exceed 100 %. Of several accounts all tests together.",
             windows(lambda tests: tests.phish_prone()), unit="percentunit", decimals=1, thresholds=PHISH_PRONE, no_value=NO_TESTS,
             link=("knowbe4-phishing", "Phishing"))),
         (8, stat(
             "Report rate",
             "Reported over delivered messages (Phish Alert Button) in all phishing tests that started in the last 30 days, 90 days and "
             "year. Higher is better.",
             windows(lambda tests: tests.report_rate()), unit="percentunit", decimals=1, thresholds=REPORT_RATE, no_value=NO_TESTS,
             link=("knowbe4-phishing", "Phishing")))),
        (4,
         (6, stat(
             "Training completed",
             "Completed and passed enrollments over all enrollments of the training campaigns that are not closed.",
             [query(q.share_of_enrollments(q.DONE))], unit="percentunit", decimals=0, thresholds=COMPLETION, no_value="No open training known",
             link=("knowbe4-training", "Training"))),
         (6, stat(
             "Training past due",
             "Enrollments past due in the training campaigns that are not closed, and their share of all enrollments.",
             [query(f"sum {q.open_only(q.enrollments('past_due'))}", "Enrollments"), query(q.share_of_enrollments("past_due"), "Share")],
             unit="percentunit", decimals=1, thresholds=PAST_DUE, no_value="No open training known",
             overrides=[{"matcher": {"id": "byName", "options": "Enrollments"}, "properties": [
                 {"id": "unit", "value": "locale"}, {"id": "decimals", "value": 0}, {"id": "mappings", "value": [mapped(_0="none")]},
                 {"id": "color", "value": {"mode": "fixed", "fixedColor": "text"}}]}],
             link=("knowbe4-training", "Training"))),
         (6, stat(
             "Days since last test",
             "Days since the newest phishing test started. Of several accounts the one whose last test is longest ago. A gap of more than "
             "45 days raises an alert.",
             [query(f"max ((time() - max by (account) ({q.latest('knowbe4_phishing_test_start_timestamp_seconds', 'test_id')})) / 86400)")],
             unit="none", decimals=0, thresholds=TEST_GAP, no_value=NO_TESTS, link=("knowbe4-phishing", "Phishing"))),
         (6, stat(
             "Data as of",
             "When the oldest of the data shown here was read from KnowBe4, and how many readings are later than three times the interval "
             "that the exporter promises.",
             [query(f"1000 * min ({q.LAST_SUCCESS})", "Oldest"), query(f"sum ({q.LATENESS} > bool 3)", "Late")],
             unit="dateTimeFromNow", size=18, no_value="Nothing read yet: see Exporter",
             overrides=[{"matcher": {"id": "byName", "options": "Late"}, "properties": [
                 {"id": "unit", "value": "none"}, {"id": "decimals", "value": 0}, {"id": "mappings", "value": [mapped(_0=("none", "green"))]},
                 {"id": "thresholds", "value": steps(ANY_BAD)}]}],
             link=("knowbe4-exporter", "Exporter")))),
    ]


def trends():
    return (9,
        (12, lines(
            "Risk score over time",
            "Risk score by account, of many the ten highest. It begins with the exporter's first reading, or with the history that "
            "backfill writes.",
            [graph_of(f"{q.latest(RISK_SCORE)} and on (account) topk(10, {q.now(RISK_SCORE)})", "{{account}}")], unit="none", decimals=1, no_value="No history yet: backfill brings the past")),
        (12, lines(
            "Phish-prone and report rate, rolling 90 days",
            "For each day the tests that started in the 90 days before it: failures over delivered, and reported over delivered, with what "
            "is known of these tests now. So the past is there with the first reading.",
            [graph_of(rolling(90).phish_prone(), "Phish-prone"), graph_of(rolling(90).report_rate(), "Report rate")],
            unit="percentunit", no_value=NO_TESTS, limits=(0, None), interval=q.STEP,
            overrides=[fixed("Phish-prone", "orange"), fixed("Report rate", "blue")])),
    )


def fixed(name, color):
    return {"matcher": {"id": "byName", "options": name}, "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}]}


def groups():
    moved = q.change(GROUP_RISK, "group_id", ago="30d")
    columns = [
        Column("name", "Group"), Column("account", "Account", width=90),
        Column("A", "Risk", "none", width=65, thresholds=RISK, decimals=1),
        Column("B", "Change", "none", width=80, thresholds=RISE, decimals=1),
    ]
    risk = q.latest(GROUP_RISK, "group_id")
    return (10,
        (12, table(
            "Groups with the highest risk",
            "The eight groups with the highest risk score and their change in 30 days (means of a day compared; a rise is worse).",
            [q.group(f"topk(8, {risk})"), f"{moved} and topk(8, {risk})"], columns,
            sort="Risk", top=8, no_value="No group has a risk score", link=("knowbe4-groups", "Groups"))),
        (12, table(
            "Groups that changed most in 30 days",
            "The eight groups whose risk score moved most in 30 days, up or down (means of a day compared). It needs 30 days of history: "
            "backfill brings it at once.",
            [f"{q.group(risk)} and on (account, group_id) topk(8, abs({moved}))", f"{moved} and topk(8, abs({moved}))"], columns,
            sort="Change", top=8, no_value="Needs 30 days of history", link=("knowbe4-groups", "Groups"))),
    )


def buckets(family, bounds, names, scale=""):
    """Users between each two bounds."""
    below = [f'sum ({q.latest(family, le=f"=`{bound}`")})'.replace("`", '"') for bound in bounds]
    return [query(f"{upper} - {lower}" if lower else upper, name) for lower, upper, name in zip([None, *below], below, names)]


def people():
    bounds = [str(bound) for bound in range(10, 101, 10)]
    names = [f"≤{bound}" for bound in bounds]
    completion = (
        f"{q.latest('knowbe4_training_campaign_completion_ratio', 'campaign_id')} and on (account, campaign_id)"
        f" {q.latest('knowbe4_training_campaign_start_timestamp_seconds', 'campaign_id')} <= time()"
    )
    return (9,
        (12, bars(
            "People by risk score",
            "Active users by their risk score, ten points a bar: ≤20 is above 10 up to 20. Users without a score are left out.",
            buckets("knowbe4_users_by_risk_score", bounds, names), vertical=True, unit="locale", decimals=0, hue="blue",
            no_value="No users known (anonymised accounts have none)", limits=(0, None))),
        (12, bars(
            "Training campaigns that are not closed",
            "Completed share of the training campaigns that have begun and are not closed: the ten with the least, least first.",
            [query(f"sort (bottomk(10, {q.training(q.open_only(completion))}))",
                   "{{name}} ({{account}})")],
            unit="percentunit", decimals=0, thresholds=COMPLETION, no_value="No open training known", limits=(0, 1),
            link=("knowbe4-training", "Training"))),
    )


def facts():
    users, seats = q.latest("knowbe4_users"), q.latest("knowbe4_account_seats")
    end = q.latest("knowbe4_account_subscription_end_timestamp_seconds")
    share = {"matcher": {"id": "byName", "options": "Used"}, "properties": [
        {"id": "unit", "value": "percentunit"}, {"id": "thresholds", "value": steps(SEATS)}]}
    plain = {"unit": "locale", "decimals": 0, "no_value": NO_DATA}
    return (4,
        (6, stat("Active users", "Active users, of all accounts together.", [query(f"sum ({users})")], **plain)),
        (6, stat("Seats", "Licensed seats of all accounts together, and active users over seats, of several accounts the fullest. Trial accounts "
                 "have no seats.", [query(f"sum ({seats})", "Licensed"), query(f"max ({users} / {seats})", "Used")], overrides=[share],
                 **plain | {"no_value": "No seats known"})),
        (6, stat("Days to renewal", "Days to the end of the subscription. Of several accounts the first to end.",
                 [query(f"min ({end} - time()) / 86400")], unit="none", decimals=0, thresholds=DAYS_LEFT, no_value="No end known",
                 link=("knowbe4-accounts", "Accounts"))),
        (6, stat("Console", "Administrators of the console (fewer are safer) and domains, of all accounts together.",
                 [query(f"sum ({q.latest('knowbe4_account_admins')})", "Admins"),
                  query(f"sum ({q.latest('knowbe4_account_domains')})", "Domains")], **plain)),
    )


def dashboard():
    return board(
        "knowbe4-overview", "KnowBe4 / Security awareness overview",
        "Risk score, phishing tests and training at a glance: how are we doing, is it getting better, where to look next.",
        [*numbers(), trends(), groups(), people(), facts()], since="now-1y",
    )
