// The dashboards and rules of this repository for users of jsonnet, as monitoring mixins are:
//
//     local knowbe4 = import 'knowbe4-exporter/deploy/mixin/mixin.libsonnet';
//     knowbe4 { _config+:: { thresholds+: { account_risk_score_high: 60 } } }
//
// It imports the JSON and YAML files, and changes nothing but what _config says.
{
  _config+:: {
    // Thresholds by name, for all accounts; alerts/knowbe4-thresholds.rules.yml names them and says what they mean.
    thresholds: {},
    // Thresholds by account: { acme: { account_risk_score_high: 60 } }. They win over those for all.
    accountThresholds: {},
    // Before the name of each dashboard, and the tags that it gets besides its own.
    dashboardNamePrefix: '',
    dashboardTags: [],
    // Where the runbooks are; %s is the alert's name.
    runbookURLPattern: null,
  },

  local config = self._config,
  local rules(file) = std.parseYaml(file).groups,

  local defaults = [
    group {
      rules: [
        if std.get(rule, 'record') == 'knowbe4:threshold:default' && std.objectHas(config.thresholds, rule.labels.threshold)
        then rule { expr: '%s * knowbe4:account:known' % config.thresholds[rule.labels.threshold] }
        else rule
        for rule in group.rules
      ],
    }
    for group in rules(importstr '../../alerts/knowbe4-thresholds.rules.yml')
  ],
  local names = [rule.labels.threshold for group in defaults for rule in group.rules if std.objectHas(rule, 'labels')],
  local unknown = [
    name
    for name in std.objectFields(config.thresholds) + std.flatMap(
      function(account) std.objectFields(config.accountThresholds[account]), std.objectFields(config.accountThresholds)
    )
    if !std.member(names, name)
  ],
  assert unknown == [] : 'no such threshold: %s' % std.join(', ', unknown),

  local overrides = {
    name: 'knowbe4-threshold-overrides',
    interval: '4m',
    rules: [
      {
        record: 'knowbe4:threshold:override',
        labels: { threshold: threshold, tier: account },
        expr: '%s * knowbe4:account:known{account="%s"}' % [config.accountThresholds[account][threshold], account],
      }
      for account in std.objectFields(config.accountThresholds)
      for threshold in std.objectFields(config.accountThresholds[account])
    ],
  },

  local alerts(groups) = [
    group {
      rules: [
        if std.objectHas(rule, 'alert') && config.runbookURLPattern != null
        then rule { annotations+: { runbook_url: config.runbookURLPattern % rule.alert } }
        else rule
        for rule in group.rules
      ],
    }
    for group in groups
  ],

  prometheusRules+:: {
    groups+: (if overrides.rules == [] then [] else [overrides])
             + defaults
             + rules(importstr '../../alerts/knowbe4-recording.rules.yml'),
  },

  prometheusAlerts+:: {
    groups+: alerts(
      rules(importstr '../../alerts/knowbe4-security.rules.yml')
      + rules(importstr '../../alerts/knowbe4-exporter.rules.yml')
    ),
  },

  local dashboard(board) = board { title: config.dashboardNamePrefix + board.title, tags: board.tags + config.dashboardTags },
  grafanaDashboards+:: {
    'knowbe4-accounts.json': dashboard(import '../../dashboards/knowbe4-accounts.json'),
    'knowbe4-board.json': dashboard(import '../../dashboards/knowbe4-board.json'),
    'knowbe4-exporter.json': dashboard(import '../../dashboards/knowbe4-exporter.json'),
    'knowbe4-groups.json': dashboard(import '../../dashboards/knowbe4-groups.json'),
    'knowbe4-overview.json': dashboard(import '../../dashboards/knowbe4-overview.json'),
    'knowbe4-phishing.json': dashboard(import '../../dashboards/knowbe4-phishing.json'),
    'knowbe4-training.json': dashboard(import '../../dashboards/knowbe4-training.json'),
  },
}
