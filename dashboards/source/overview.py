"""For the person who answers to the board: how are we doing, is it getting better, and where to look next."""

from . import queries as q, recipients
from .board import board, moments
from .panels import (
    ACT, ANY_BAD, BANDS, COMPLETION, DAYS_LEFT, FINE, LOOK, NO_HISTORY, PAST_DUE, PHISH_PRONE, REPORT_RATE, RESILIENCE, RISE, RISK, SEATS, TEST_GAP,
    Column, bars, graph_of, lines, mapped, query, stat, steps, table,
)

NO_TESTS = "No phishing test known yet"
NO_DATA = "Not known yet: see Exporter"

RISK_SCORE = "knowbe4_account_risk_score"
GROUP_RISK = "knowbe4_group_risk_score"
BETTER = {"matcher": {"id": "byRegexp", "options": "/better/"}, "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": FINE}}]}
WORSE = {"matcher": {"id": "byRegexp", "options": "/worse/"}, "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": LOOK}}]}
SAME = {"matcher": {"id": "byRegexp", "options": "/the same/"}, "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": "text"}}]}
BLUE, ORANGE = "#5794F2", LOOK


def compared(unit):
    """How the two changes beside a headline look."""
    return [{"matcher": {"id": "byRegexp", "options": "/(better|worse|the same)/"}, "properties": [
        {"id": "unit", "value": unit}, {"id": "decimals", "value": 1}]}, BETTER, WORSE, SAME]


def headline(name, worse_up):
    now = q.rate_of_window(name)
    return [query(now, "Last 90 days"),
            query(q.moved(q.change_of_months(name, 3), worse_up), "{{way}} the 3 months before"),
            query(q.moved(q.change_of_months(name, 12), worse_up), "{{way}} a year ago")]


VENDOR = ("KnowBe4's console shows the mean over tested people's own percentages instead (here, with those never tested as 0: "
          "knowbe4_users_phish_prone_ratio), which is another number: a person with one test weighs as much there as one with twenty.")


def phish_prone(width):
    return (width, stat(
        "Phish-prone, lower is better",
        "Failures over delivered messages in all phishing tests that started in the last 90 days, and the change in percentage points: this "
        f"month and the two before it against the three months before and the same three a year ago. One person can fail in several ways, so it may exceed 100 %. {VENDOR}",
        headline("failures", True), unit="percentunit", decimals=1, thresholds=PHISH_PRONE, no_value=NO_TESTS, overrides=compared("suffix: pp"),
        link=("knowbe4-phishing", "Phishing")))


def report_rate(width):
    return (width, stat(
        "Report rate, higher is better",
        "Reported over delivered messages (Phish Alert Button) in all phishing tests that started in the last 90 days, and the change in "
        "percentage points: this month and the two before it against the three months before and the same three a year ago.",
        headline("reported", False), unit="percentunit", decimals=1, thresholds=REPORT_RATE, no_value=NO_TESTS, overrides=compared("suffix: pp"),
        link=("knowbe4-phishing", "Phishing")))


def risk_score(width):
    change = lambda ago: f"avg ({q.change(RISK_SCORE, ago=ago)})"
    return (width, stat(
        "Risk score 0–100, lower is better",
        "Risk score of the organisation as KnowBe4 gives it, and its change in points in 90 days and in a year (means of a day compared). Of several "
        "accounts the highest score, and the mean of their changes.",
        [query(f"max ({q.latest(RISK_SCORE)})", "Now"), query(q.moved(change("90d"), True, 1), "{{way}} 90 days ago"),
         query(q.moved(change("365d"), True, 1), "{{way}} a year ago")],
        unit="none", decimals=1, thresholds=RISK, no_value=NO_DATA, overrides=compared("suffix: points"), link=("knowbe4-groups", "Groups")))


def resilience(width):
    return (width, stat(
        "Reports per failure, higher is better",
        "How many people reported a test for each failure, in the phishing tests of the last 90 days: above 1 more people report than fail. And the "
        "change: this month and the two before it against the same three a year ago.",
        [query(f"sum ({q.window('reported')}) / (sum ({q.window('failures')}) > 0)", "Last 90 days"),
         query(q.moved(q.change_of_months("reported", 12, of="failures"), False, 1), "{{way}} a year ago")], unit="none", decimals=1,
        thresholds=RESILIENCE, no_value=NO_TESTS, overrides=compared("none"), link=("knowbe4-phishing", "Phishing")))


def trained(width):
    return (width, stat(
        "Training, higher is better",
        "Completed and passed enrollments over all: of the campaigns that fell due within the last year, with the change in percentage points against "
        "those of the year before, and of those that run. What has not begun counts in neither.",
        [query(q.fell_due(), "Fell due, 1 year"), query(q.moved(f"{q.fell_due()} - {q.fell_due(1)}", False), "{{way}} the year before"),
         query(q.running(), "Running now")], unit="percentunit", decimals=0, thresholds=COMPLETION, overrides=compared("suffix: pp"),
        no_value="No training has fallen due", link=("knowbe4-training", "Training")))


def numbers():
    return [
        (5, risk_score(8), phish_prone(8), report_rate(8)),
        (4,
         resilience(5),
         trained(6),
         (4, stat(
             "Past due, lower is better",
             "Enrollments past due over all enrollments, in the training campaigns that have begun and are not closed.",
             [query(q.share_of_enrollments("past_due"))], unit="percentunit", decimals=1, thresholds=PAST_DUE, no_value="No open training",
             link=("knowbe4-training", "Training"))),
         (4, stat(
             "Days since last test",
             "Days since the newest phishing test started. Of several accounts the one whose last test is longest ago. A gap of more than "
             "45 days raises an alert.",
             [query(f"max ({q.SINCE_TEST})")],
             unit="none", decimals=0, thresholds=TEST_GAP, no_value=NO_TESTS, link=("knowbe4-phishing", "Phishing"))),
         (5, stat(
             "Data as of",
             "When the oldest of the data shown here was read from KnowBe4, and how many readings are later than three times the interval "
             "that the exporter promises.",
             [query(f"1000 * min ({q.LAST_SUCCESS})", "Oldest"), query(f"sum ({q.LATE})", "Late")],
             unit="dateTimeFromNow", size=18, no_value="Nothing read yet: see Exporter",
             overrides=[{"matcher": {"id": "byName", "options": "Late"}, "properties": [
                 {"id": "unit", "value": "none"}, {"id": "decimals", "value": 0}, {"id": "mappings", "value": [mapped(_0=("none", FINE))]},
                 {"id": "thresholds", "value": steps(ANY_BAD)}]}],
             link=("knowbe4-exporter", "Exporter")))),
    ]


DASHED = [{"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 8]}}, {"id": "custom.lineWidth", "value": 1}]


def fixed(name, color, *more):
    return {"matcher": {"id": "byName", "options": name},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}, *more]}


def risk_over_time(width):
    return (width, lines(
        "Risk score over time, lower is better",
        "Risk score by account, of many the ten highest. It begins with the exporter's first reading, or with the history that "
        "backfill writes.",
        [graph_of(f"{q.latest(RISK_SCORE)} and on (account) topk(10, {q.now(RISK_SCORE)})", "{{account}}")], unit="none", decimals=0,
        no_value=NO_HISTORY, thresholds=RISK, custom=BANDS, limits=(0, 100)))


def rates_over_time(width):
    return (width, lines(
        "Phish-prone (lower is better) and report rate (higher is better)",
        "For each month the tests that started in it and in the two months before: failures over delivered, and reported over delivered, with what is "
        "known of these tests now. So two years are there with the first reading, with all tests. Dashed: the targets above.",
        [graph_of(q.rate_of_months("failures", graph=True), "Phish-prone"), graph_of(q.rate_of_months("reported", graph=True), "Report rate"),
         graph_of("vector($target_phish_prone / 100)", "Target phish-prone"), graph_of("vector($target_report_rate / 100)", "Target report rate")],
        unit="percentunit", no_value=NO_TESTS, limits=(0, None), interval=q.STEP,
        overrides=[fixed("Phish-prone", ORANGE), fixed("Report rate", BLUE), fixed("Target phish-prone", ORANGE, *DASHED),
                   fixed("Target report rate", BLUE, *DASHED)]))


# Where `assets` writes what --runbook-url says.
RUNBOOKS = "https://github.com/knowbe4-exporter/knowbe4-exporter/blob/main/alerts/runbooks/"


def attention():
    return (8,
        (24, table(
            "What wants attention",
            "Alerts that fire now, from the rules that come with the exporter, the most severe first; click one for its runbook. Who is to act stands "
            "in the alert's audience.",
            [f"max by (alertname, account, name, audience) ({q.firing()})"],
            [Column("A", "Severity", "none", width=95, align="left", filtered=True, thresholds=[(None, "text"), (2, LOOK), (3, ACT)],
                    mappings=[mapped(_1="info", _2="warning", _3="critical")]),
             Column("alertname", "Alert", width=290, url=(RUNBOOKS + "${__value.text}.md", "Runbook")),
             Column.account(130),
             Column("name", "Group, test or training"), Column("audience", "Audience", width=110)],
            sort="Severity", no_value="Nothing fires, or the rules are not loaded")))


def recent_tests():
    recent = "knowbe4_phishing_recent_test_"
    start, prone = (q.latest(recent + name, "test_id") for name in ("start_timestamp_seconds", "phish_prone_ratio"))
    reached, clicked, reported = (q.latest(recent + "recipients", "test_id", outcome=f'="{outcome}"') for outcome in ("delivered", "clicked", "reported"))
    return (8,
        (24, table(
            "Phishing tests of the last 30 days",
            "The newest first. Of the delivered messages the share that failed in any way, was clicked and was reported: those of a test that "
            "has just begun still grow.",
            [q.test(f"1000 * {start}", "name", "difficulty", info=recent + "info"), reached, prone, f"{clicked} / ({reached} > 0)",
             f"{reported} / ({reached} > 0)"],
            [Column("name", "Test"), Column.account(130, ("knowbe4-phishing", "Phishing tests of this account")), Column("A", "Started", "dateTimeFromNow", width=130),
             Column("difficulty", "Difficulty", width=90, align="center"), Column("B", "Delivered", "locale", width=95, decimals=0),
             Column("C", "Phish-prone", "percentunit", width=110, thresholds=PHISH_PRONE, decimals=1),
             Column("D", "Clicked", "percentunit", width=90, decimals=1),
             Column("E", "Reported", "percentunit", width=95, thresholds=REPORT_RATE, decimals=1)],
            sort="Started", no_value="No phishing test in the last 30 days", link=("knowbe4-phishing", "Phishing"))))


def departments(height=10, top=8):
    by = ("attribute", "segment")
    score = q.latest("knowbe4_segment_risk_score", *by)
    return (height,
        (24, table(
            "Departments and other segments",
            "Active users by the attributes that are configured, such as department: the riskiest first, with the change of the risk score in 30 days "
            "(means of a day compared; a rise is worse), phish-prone (mean over people, lower is better) and training over all campaigns.",
            [score, q.latest("knowbe4_segment_users", *by), q.change("knowbe4_segment_risk_score", *by, ago="30d"),
             q.latest("knowbe4_segment_phish_prone_ratio", *by), q.segment_share("completed|passed"), q.segment_share("past_due")],
            [Column("segment", "Segment", link=("knowbe4-groups", "Groups of this account")), Column("attribute", "Attribute", width=105), Column.account(110),
             Column("B", "Users", "locale", width=70, decimals=0), Column("A", "Risk", "none", width=140, thresholds=RISK, cell="gauge", decimals=1,
                                                                         limits=(0, 100)),
             Column("C", "30 days", "none", width=80, thresholds=RISE, decimals=1),
             Column("D", "Phish-prone", "percentunit", width=105, thresholds=PHISH_PRONE, decimals=1),
             Column("E", "Trained", "percentunit", width=80, thresholds=COMPLETION, decimals=0),
             Column("F", "Past due", "percentunit", width=85, thresholds=PAST_DUE, decimals=1)],
            sort="Risk", top=top, no_value="No segment yet: list user attributes under segments in the exporter's configuration", link=("knowbe4-groups", "Groups"))))


def groups():
    moved = q.change(GROUP_RISK, "group_id", ago="30d")
    columns = [
        Column("name", "Group", link=("knowbe4-groups", "Groups of this account")), Column.account(115),
        Column("A", "Risk", "none", width=65, thresholds=RISK, decimals=1),
        Column("B", "30 days", "none", width=80, thresholds=RISE, decimals=1),
    ]
    risk = q.latest(GROUP_RISK, "group_id")
    return (10,
        (12, table(
            "Groups with the highest risk",
            "The eight groups with the highest risk score and their change in 30 days (means of a day compared; a rise is worse).",
            [q.group(f"topk(8, {risk})"), f"{moved} and topk(8, {risk})"], columns,
            sort="Risk", top=8, no_value=NO_DATA, link=("knowbe4-groups", "Groups"))),
        (12, table(
            "Groups that rose most in 30 days",
            "The eight groups whose risk score rose most in 30 days (means of a day compared). It needs 30 days of history: "
            "backfill brings it at once.",
            [f"{q.group(risk)} and on (account, group_id) topk(8, {moved} > 0)", f"topk(8, {moved} > 0)"], columns,
            sort="30 days", top=8, no_value="No group rose, or no history of 30 days yet", link=("knowbe4-groups", "Groups"))),
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
            "Trainings that run",
            "Completed share of the training campaigns that have begun and are not closed: the ten with the least, least first.",
            [query(f"sort (bottomk(10, {q.training(q.open_only(completion))}))",
                   "{{name}} ({{account}})")],
            unit="percentunit", decimals=0, thresholds=COMPLETION, no_value="No training runs", limits=(0, 1),
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
        (6, stat("Console administrators", "Administrators of the console, of all accounts together: fewer are safer.",
                 [query(f"sum ({q.latest('knowbe4_account_admins')})")], **plain)),
    )


def marks():
    """Begins of tests and trainings, the newest that are known at the end of the time range."""
    # Of all tests what is known at the last whole step, which of a year may be days ago; of the few of the last 30 days what is
    # known now.
    tests = lambda family: f"({q.at_step(f'knowbe4_phishing_test_{family}')} or {q.at_end(f'knowbe4_phishing_recent_test_{family}{{{q.SELECTOR}}}')})"
    test = f"max by (account, test_id) ({tests('start_timestamp_seconds')})"
    training = q.now("knowbe4_training_campaign_start_timestamp_seconds", "campaign_id")
    trainings = q.at_end(f"knowbe4_training_campaign_info{{{q.SELECTOR}}}")
    return [moments("Phishing tests", q.begun(tests("info"), "test_id", f"topk(40, {test})"), ORANGE),
            moments("Trainings", q.begun(trainings, "campaign_id", f"topk(20, {training} <= time())"), BLUE)]


def dashboard():
    return board(
        "knowbe4-overview", "KnowBe4 / Security awareness overview",
        "Risk score, phishing tests and training at a glance: how are we doing, is it getting better, where to look next.",
        [*numbers(), recipients.numbers(), (9, risk_over_time(12), rates_over_time(12)), attention(), recent_tests(), departments(), groups(), people(), facts()], since="now-1y",
        annotations=marks(), one=True, targets=True, console=True,
    )
