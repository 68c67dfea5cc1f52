"""PromQL that several dashboards share.

- Labels of the scrape (instance, pod, job) are aggregated away at once, so that a restart or another pod does not
  split a series.
- Ratios are sums over sums, never means of ratios.
- One name alone is joined to an id: topk guards against two of them while a name changes or an exporter moves.
"""

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
    by = ", ".join(["account", key, *(labels or ("name",))])
    joined = ", ".join(labels or ("name",))
    return (
        f"({expression}) * on (account, {key}) group_left ({joined})"
        f" topk by (account, {key}) (1, max by ({by}) ({info}{{{SELECTOR}}}))"
    )


def group(expression, *labels):
    return named(expression, "knowbe4_group_info", "group_id", *labels)


def test(expression, *labels):
    return named(expression, "knowbe4_phishing_test_info", "test_id", *labels)


def training(expression, *labels):
    return named(expression, "knowbe4_training_campaign_info", "campaign_id", *labels)


class Tests:
    """Sums over phishing tests that started within a window before the time of evaluation.

    `now=True` in a graph: what is known of each test at the end of the graph, placed by its start, so that history is
    there with the first reading.
    """

    def __init__(self, window, now=False):
        self.window = window
        self.now = now
        self.start = self.value("start_timestamp_seconds")
        self.delivered = self.value("recipients_delivered")
        self.reported = self.value("recipients_reported")
        self.failed = f"sum by (account, test_id) ({self.value('failures', ', failure')})"

    def value(self, name, labels=""):
        series = f"knowbe4_phishing_test_{name}{{{SELECTOR}}}"
        return f"max by (account, test_id{labels}) ({at_end(series) if self.now else series})"

    def recent(self, expression):
        begun = f"({self.start} <= time())" if self.now else self.start
        return f"{expression} and on (account, test_id) {begun} > time() - {self.window}"

    def sum(self, part, by=""):
        return f"sum{by} ({self.recent(part)})"

    def ratio(self, part, by=""):
        """Of what was delivered in those tests of which the part is known."""
        return f"{self.sum(part, by)} / ({self.sum(f'{self.delivered} and on (account, test_id) {part}', by)} > 0)"

    def phish_prone(self, by=""):
        return self.ratio(self.failed, by)

    def report_rate(self, by=""):
        return self.ratio(self.reported, by)

    def each(self, part):
        """The ratio of each test."""
        return f"({self.recent(part)}) / ({self.delivered} > 0)"


# Least step of a graph of these: finer ones would cost much and show nothing.
STEP = "12h"


def days(number):
    return f"{number} * 86400"


# Tests that started within the dashboard's time range.
IN_RANGE = "$__range_s"


def open_only(expression):
    """Without the training campaigns that are over."""
    return f"({expression} unless on (account, campaign_id) knowbe4_training_campaign_info{{{SELECTOR}, {OVER}}})"


def enrollments(status=None):
    match = {"status": f'=~"{status}"'} if status else {}
    return latest("knowbe4_training_campaign_enrollments", "campaign_id", "status", **match)


def share_of_enrollments(status, by=""):
    """Of the training campaigns that are not over."""
    return f"sum{by} {open_only(enrollments(status))} / (sum{by} {open_only(enrollments())} > 0)"


DONE = "completed|passed"

LAST_SUCCESS = latest("knowbe4_exporter_collector_last_success_timestamp_seconds", "collector")
INTERVAL = latest("knowbe4_exporter_collector_interval_seconds", "collector")
# Age of the data over the promised interval: above 1 late, above 3 an alert.
LATENESS = f"(time() - {LAST_SUCCESS}) / {INTERVAL}"



def at_end(selector):
    """The selected series at the end of a graph, the same at each of its moments.

    Grafana moves the end of a graph back to a whole step; the negative offset brings the newest value within reach again.
    """
    return f"last_over_time({selector}[$__rate_interval] @ end() offset -$__interval)"


def now(family, *labels):
    return f"max by ({', '.join(['account', *labels])}) ({at_end(f'{family}{{{SELECTOR}}}')})"
