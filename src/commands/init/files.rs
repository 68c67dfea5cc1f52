//! The files that `init` writes, as text.

use std::path::Path;

use super::answers::Answers;
use crate::cli::{PrometheusPlace, Target};

/// The unit of the packages.
const UNIT: &str = include_str!("../../../deploy/systemd/knowbe4-exporter.service");

/// The port that needs no flag.
const PORT: u16 = 10524;

/// One file to be written.
#[derive(Debug)]
pub(super) struct File {
    pub(super) name: &'static str,
    /// For people, in a few words.
    pub(super) purpose: &'static str,
    pub(super) text: String,
}

/// What the answers make.
pub(super) fn of(answers: &Answers) -> Vec<File> {
    let mut files = Vec::new();
    match answers.target {
        Target::Kubernetes => files.push(File {
            name: "values.yaml",
            purpose: "values of the Helm chart",
            text: values(answers),
        }),
        Target::Systemd | Target::Other => files.push(File {
            name: "knowbe4.yml",
            purpose: "the configuration",
            text: configuration(answers),
        }),
    }
    if answers.target == Target::Systemd {
        files.push(File {
            name: "knowbe4-exporter.service",
            purpose: "the systemd unit",
            text: unit(answers),
        });
    }
    if answers.prometheus != PrometheusPlace::Operator {
        files.push(File {
            name: "prometheus-knowbe4.yml",
            purpose: "what Prometheus needs: a file for scrape_config_files, or to copy from",
            text: scrape(answers),
        });
    }
    files
}

/// How it goes on.
pub(super) fn next_steps(answers: &Answers, folder: &Path) -> String {
    let folder = folder.display();
    let name = &answers.account;
    match answers.target {
        Target::Systemd => format!(
            "\nNext, as root:\n\
             \x20 install -D -m 644 {folder}/knowbe4.yml /etc/knowbe4-exporter/knowbe4.yml\n\
             \x20 install -m 644 {folder}/knowbe4-exporter.service /etc/systemd/system/\n\
             \x20 systemctl daemon-reload && systemctl enable --now knowbe4-exporter\n\
             What trying the key cost is recorded in {folder}/data: copy it to /var/lib/knowbe4-exporter before the\n\
             first start, and the budget knows of it.\n"
        ),
        Target::Kubernetes => format!(
            "\nNext:\n\
             \x20 kubectl create secret generic knowbe4 --from-file={name}={}\n\
             \x20 helm install knowbe4-exporter deploy/helm/knowbe4-exporter -f {folder}/values.yaml\n",
            answers.key_file.display()
        ),
        Target::Other => format!(
            "\nNext:\n\
             \x20 knowbe4-exporter --config.file={folder}/knowbe4.yml --storage.path={folder}/data\n"
        ),
    }
}

/// `region: EU` or `base_url: ...`.
fn place(answers: &Answers) -> String {
    match &answers.base_url {
        Some(url) => format!("base_url: {url}"),
        None => format!("region: {}", answers.region),
    }
}

/// The account's keys as both the configuration and the values have them.
fn account(answers: &Answers) -> String {
    format!(
        "    budget:
      # What KnowBe4 allows the key a day.
      requests_per_day: {}
      # The part of it that the exporter may use; the rest is for others. It never sends more.
      share: {}
    # More that can be said, with its defaults:
    # phishing: {{ windows: [30d, 90d, 365d], max_tests: 500 }}
    # groups: {{ include: \".*\", exclude: \"\", min_size: 1 }}   # min_size hides the scores of smaller groups
    # segments: [department]          # aggregates users by an attribute
    # segment_min_size: 5             # smaller segments are left out
    # collectors:
    #   enrollments: {{ min_interval: 6h }}
    #   policies: {{ enabled: false }}
",
        answers.requests_per_day,
        answers.share()
    )
}

fn configuration(answers: &Answers) -> String {
    let key = match answers.target {
        Target::Systemd => format!(
            "    # The key is the systemd credential of this name: LoadCredential= in the unit says where it comes from.
    api_key_credential: {}
",
            answers.account
        ),
        Target::Kubernetes | Target::Other => format!(
            "    # Read again when it changes: a new key needs no restart.
    api_key_file: {}
",
            quoted(&answers.key_file)
        ),
    };
    format!(
        "# knowbe4-exporter --config.file=knowbe4.yml
# `knowbe4-exporter check` says what is wrong with it, `plan` what it costs, and SIGHUP reads it again.
accounts:
  - name: {}
    {}
{key}{}# A collector's series leave once its last success is this old.
stale_after: 3d
",
        answers.account,
        place(answers),
        account(answers)
    )
}

fn values(answers: &Answers) -> String {
    let operator = answers.prometheus == PrometheusPlace::Operator;
    format!(
        "# helm install knowbe4-exporter deploy/helm/knowbe4-exporter -f values.yaml
# The account's keys are those of the configuration file.
accounts:
  - name: {name}
    {}
    existingSecret: {{ name: knowbe4, key: {name} }}
{}serviceMonitor:
  enabled: {operator}
prometheusRule:
  enabled: {operator}
dashboards:
  enabled: {operator}
",
        place(answers),
        account(answers),
        name = answers.account,
    )
}

/// The unit of the packages with this program, its configuration and its key.
fn unit(answers: &Answers) -> String {
    let listen = match answers.prometheus {
        PrometheusPlace::Here => format!(" --web.listen-address=127.0.0.1:{PORT}"),
        PrometheusPlace::Elsewhere | PrometheusPlace::Operator => String::new(),
    };
    UNIT.replace(
        "/usr/bin/knowbe4-exporter serve",
        &format!("/usr/bin/knowbe4-exporter serve --config.file=/etc/knowbe4-exporter/knowbe4.yml{listen}"),
    )
    .replace(
        "LoadCredential=knowbe4_api_key",
        &format!(
            "LoadCredential={}:{}",
            answers.account,
            answers.key_file.display()
        ),
    )
}

fn scrape(answers: &Answers) -> String {
    let target = match (answers.prometheus, answers.target) {
        (PrometheusPlace::Here, _) => format!("localhost:{PORT}"),
        (_, Target::Kubernetes) => format!("knowbe4-exporter.default.svc:{PORT}"),
        _ => format!("EXPORTER-HOST:{PORT}"),
    };
    format!(
        "# In prometheus.yml: scrape_config_files: [prometheus-knowbe4.yml]
scrape_configs:
  - job_name: knowbe4
    # The exporter's own labels account and endpoint stay as they are.
    honor_labels: true
    scrape_interval: 1m
    static_configs:
      - targets: [\"{target}\"]
"
    )
}

/// As YAML, whatever is in it.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}
