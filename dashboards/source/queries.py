"""PromQL that several dashboards share.

- Labels of the scrape (instance, pod, job) are aggregated away at once, so that a restart or another pod does not
  split a series.
- Ratios are sums over sums, never means of ratios.
- One name alone is joined to an id: topk guards against two of them while a name changes or an exporter moves. Of phishing
  tests, which are many, none is ranked: a name that changes may show twice for a scrape.
"""

import re
from pathlib import Path

TARGET = 'job=~"$job", instance=~"$instance"'
SELECTOR = f'{TARGET}, account=~"$account"'
# What nobody works on any more. Completed means that the end has come: what is past due then still counts.
OVER = 'status=~"Closed|Cancelled|Canceled"'


def latest(family, *labels, **match):
    """The value by account and labels."""
    matchers = ", ".join([SELECTOR, *(f"{label}{value}" for label, value in match.items())])
    return f"max by ({', '.join(['account', *labels])}) ({family}{{{matchers}}})"


def day_mean(family, *labels, ago=""):
    """Mean of a day, as the alert rules compare: neither a missed refresh nor one odd value makes a trend."""
    offset = f" offset {ago}" if ago else ""
    return f"max by ({', '.join(['account', *labels])}) (avg_over_time({family}{{{SELECTOR}}}[1d]{offset}))"


def change(family, *labels, ago):
    return f"({day_mean(family, *labels)} - {day_mean(family, *labels, ago=ago)})"


def named(expression, info, key, *labels):
    """The expression with labels of the info family, which tell what the key names."""
    joined = ", ".join(labels or ("name",))
    return (
        f"({expression}) * on (account, {key}) group_left ({joined})"
        f" topk by (account, {key}) (1, {info}{{{SELECTOR}}})"
    )


def group(expression, *labels):
    return named(expression, "knowbe4_group_info", "group_id", *labels)


def test(expression, *labels, info="knowbe4_phishing_test_info"):
    """The expression, of few of many tests, with labels of their info: no other is ranked or aggregated."""
    joined = ", ".join(["account", "test_id", *(labels or ("name",))])
    return f"max by ({joined}) ({info}{{{SELECTOR}}} * on (account, test_id) group_left () ({expression}))"


def training(expression, *labels):
    return named(expression, "knowbe4_training_campaign_info", "campaign_id", *labels)


# Days since the newest test began.
SINCE_TEST = f"(time() - {latest('knowbe4_account_phishing_last_test_timestamp_seconds')}) / 86400"


class Tests:
    """Phishing tests that started within a window before the time of evaluation. They cost a sample a test: what a
    graph shows, or is about all of an account's tests, comes from the sums by window, difficulty and month.

    All is filtered and joined for each target by itself, and aggregated over targets at the end: of many tests few are
    left by then.
    """

    def __init__(self, window):
        self.within = f"knowbe4_phishing_test_start_timestamp_seconds{{{SELECTOR}}} > time() - {window}"

    def newest(self, number=400):
        """Of many tests those that a table can show: start by account and test_id."""
        return f"topk({number}, max by (account, test_id) (topk by (instance) ({number}, {self.within})))"

    def of_newest(self, name, number=400, match=""):
        return f"knowbe4_phishing_test_{name}{{{SELECTOR}{match}}} and on (account, test_id) {self.newest(number)}"

    def each(self, name, number=400, match=""):
        """A family of the newest tests."""
        return f"max by (account, test_id) ({self.of_newest(name, number, match)})"

    def share(self, name, of="delivered"):
        """A family of the newest tests over what was delivered, or scheduled."""
        return f"max by (account, test_id) (({self.of_newest(name)}) / (knowbe4_phishing_test_recipients_{of}{{{SELECTOR}}} > 0))"


# Least step of a graph of months: finer ones would cost much and show nothing.
STEP = "3d"


# Tests that started within the dashboard's time range.
IN_RANGE = "$__range_s"


def open_only(expression):
    """Without the training campaigns that are over."""
    return f"({expression} unless on (account, campaign_id) knowbe4_training_campaign_info{{{SELECTOR}, {OVER}}})"


def enrollments(status=None):
    match = {"status": f'=~"{status}"'} if status else {}
    return latest("knowbe4_training_campaign_enrollments", "campaign_id", "status", **match)


def share_of_enrollments(status, by=""):
    """Of the training campaigns that have begun and are not over."""
    begun = f"and on (account, campaign_id) ({latest('knowbe4_training_campaign_start_timestamp_seconds', 'campaign_id')} <= time())"
    part, whole = (f"({open_only(enrollments(one))} {begun})" for one in (status, None))
    return f"sum{by} {part} / (sum{by} {whole} > 0)"


DONE = "completed|passed"


def of_campaigns(these):
    """Completed and passed over all enrollments of the campaigns that `these` selects."""
    selected = f"and on (account, campaign_id) {these}"
    return f"sum ({enrollments(DONE)} {selected}) / (sum ({enrollments()} {selected}) > 0)"


def fell_due(years_ago=0):
    """Of the campaigns that ended within a year."""
    end = latest("knowbe4_training_campaign_end_timestamp_seconds", "campaign_id")
    over = lambda years: f"time() - {years * 365} * 86400" if years else "time()"
    return of_campaigns(f"({end} <= {over(years_ago)} > {over(years_ago + 1)})")


def running():
    """Begun, not over, and without an end in the past."""
    begun = latest("knowbe4_training_campaign_start_timestamp_seconds", "campaign_id")
    end = latest("knowbe4_training_campaign_end_timestamp_seconds", "campaign_id")
    return of_campaigns(f"(({open_only(f'{begun} <= time()')}) unless on (account, campaign_id) {end} <= time())")


def segment_share(status):
    """Of all enrollments of each segment."""
    by = ("attribute", "segment", "status")
    part = latest("knowbe4_segment_enrollments", *by, status=f'=~"{status}"')
    whole = latest("knowbe4_segment_enrollments", *by)
    return f"sum by (account, attribute, segment) ({part}) / (sum by (account, attribute, segment) ({whole}) > 0)"

LAST_SUCCESS = latest("knowbe4_exporter_collector_last_success_timestamp_seconds", "collector")
INTERVAL = latest("knowbe4_exporter_collector_interval_seconds", "collector")
# Age of the data over the promised interval: above 1 late, above 3 an alert. Prometheus itself sees data only so often: of
# promises below five minutes nothing can be said.
LATENESS = f"(time() - {LAST_SUCCESS}) / clamp_min({INTERVAL}, 300)"


POLLED = latest("knowbe4_exporter_budget_limit", window='="24h"')

RULES = Path(__file__).resolve().parents[2] / "alerts" / "knowbe4-thresholds.rules.yml"
DEFAULTS = dict(re.findall(r"threshold: (\w+) \}\n +expr: (\S+) \* knowbe4:account:known", RULES.read_text(encoding="utf-8")))


def beyond(value, sign, threshold):
    """1 where a value is beyond the threshold that the alerts have for its account, else 0. Where the rules are not loaded it is
    their default."""
    own = f'max by (account) (knowbe4:threshold{{threshold="{threshold}", account=~"$account"}})'
    return f"({value}) {sign} bool on (account) group_left () ({own} or 0 * {POLLED} + {DEFAULTS[threshold]})"


LATE = beyond(LATENESS, ">", "stale_intervals")


def at_end(selector):
    """The selected series at the end of a graph, the same at each of its moments.

    Grafana moves the end of a graph back to a whole step; the negative offset brings the newest value within reach again.
    """
    return f"last_over_time({selector}[$__rate_interval] @ end() offset -$__interval)"


def now(family, *labels, **match):
    matchers = ", ".join([SELECTOR, *(f"{label}{value}" for label, value in match.items())])
    return f"max by ({', '.join(['account', *labels])}) ({at_end(f'{family}{{{matchers}}}')})"


def drawn(family, info, key, chosen):
    """A graph of few of many. Who they are, and their names, is the same at each moment, and so is read once."""
    names = f"topk by (account, {key}) (1, {at_end(f'{info}{{{SELECTOR}}}')})"
    few = f"{names} and on (account, {key}) {chosen}"
    return f"max by (account, {key}, name) ({family}{{{SELECTOR}}} * on (account, {key}) group_left (name) ({few}))"


def at_step(family):
    """Its series at the last step of a graph."""
    return f"{family}{{{SELECTOR}}} @ end()"


def begun(names, key, starts):
    """Few begins of many, in milliseconds, with their names."""
    return f"1000 * max by (account, {key}, name) ({names} * on (account, {key}) group_left () ({starts}))"


def drawn_groups(family, chosen):
    return drawn(family, "knowbe4_group_info", "group_id", chosen)


def window(name, days=90):
    """The exporter's own sums over all tests that started within the window: they cost an account, not its tests."""
    return f'max by (account) (knowbe4_account_phishing_{name}{{{SELECTOR}, window="{days}d"}})'


def rate_of_window(name, days=90, by=""):
    return f"sum{by} ({window(name, days)}) / (sum{by} ({window('delivered', days)}) > 0)"


def moved(change, worse_up, unit=100):
    """A change with its direction in words, for a legend of {{way}}: a screenshot has no tooltip."""
    up, down = ("▲ worse than", "▼ better than") if worse_up else ("▲ better than", "▼ worse than")
    words = (up, down, "= the same as")
    ways = lambda *numbers: " or ".join(f'label_replace(vector({number}), "way", "{word}", "", "")' for number, word in zip(numbers, words))
    # The greater of the change and its opposite is its size, unless both are less than what one decimal shows.
    return (f"topk(1, {unit} * ({change}) * on () group_right () ({ways(1, -1, 0)})"
            f" + on (way) ({ways(0, 0, 0.0499)}))")


def months(name, by="", back=0, graph=False):
    """Sum over the tests of a moment's month and the two before it, or of three months further back, with what is known of
    them now: two years are there with the first reading, also of tests that have no series of their own."""
    at = lambda ago: f"time() - 86400 * (day_of_month() - 15 + {30.44 * ago:g})"
    label = lambda ago: f'count_values("ym", year({at(ago)}) * 100 + month({at(ago)}))'
    those = " or ".join(label(ago) for ago in range(back, back + 3))
    series = f"knowbe4_account_phishing_month_{name}{{{SELECTOR}}}"
    return (f"sum{by} (max by (account, month) ({at_end(series) if graph else series} and on (month)"
            f' label_replace({those}, "month", "$1-$2", "ym", "(....)(..)")))')


def rate_of_months(name, by="", back=0, graph=False, of="delivered"):
    return f"{months(name, by, back, graph)} / ({months(of, by, back, graph)} > 0)"


def change_of_months(name, back, by="", of="delivered"):
    """This month and the two before it against as many months earlier."""
    return f"{rate_of_months(name, by, of=of)} - {rate_of_months(name, by, back, of=of)}"


def firing():
    """Alerts that fire, by how severe they are: 3 critical, 2 warning, 1 info."""
    of = lambda severity: f'ALERTS{{alertstate="firing", alertname=~"KnowBe4.*", severity="{severity}", account=~"$account|", {TARGET}}}'
    return f"3 * {of('critical')} or 2 * {of('warning')} or {of('info')}"
