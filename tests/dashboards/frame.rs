//! What makes a dashboard provisionable and whole, apart from its expressions.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

use crate::board::{Board, list, text};

/// What can't be right about a dashboard among `boards`.
pub fn mistakes(board: &Board, boards: &[Board]) -> Vec<String> {
    let mut found = Vec::new();
    head(board, boards, &mut found);
    variables(board, &mut found);
    everywhere(&board.json, boards, &mut found);
    windows(board, &mut found);
    for panel in board.panels() {
        let mut mistakes = Vec::new();
        self::panel(panel, &mut mistakes);
        found.extend(
            mistakes
                .iter()
                .map(|m| format!("{:?}: {m}", text(&panel["title"]))),
        );
    }
    grid(board, &mut found);
    found
        .iter()
        .map(|mistake| format!("{}: {mistake}", board.name))
        .collect()
}

fn want(ok: bool, what: &str, found: &mut Vec<String>) {
    if !ok {
        found.push(what.to_owned());
    }
}

fn head(board: &Board, boards: &[Board], found: &mut Vec<String>) {
    let json = &board.json;
    let same = |key: &str| boards.iter().filter(|other| other.json[key] == json[key]).count();
    want(
        json["uid"] == board.name.as_str(),
        "the uid is not the file's name",
        found,
    );
    want(
        same("uid") == 1 && same("title") == 1,
        "uid or title is taken",
        found,
    );
    want(
        json["schemaVersion"].as_u64() >= Some(39),
        "an old schemaVersion",
        found,
    );
    want(
        json["editable"] == false,
        "editable, though the file is the source",
        found,
    );
    want(!text(&json["description"]).is_empty(), "no description", found);
    want(
        json.get("id").is_none_or(Value::is_null),
        "the id of some Grafana",
        found,
    );
    want(
        json.get("__inputs").is_none(),
        "__inputs can't be provisioned",
        found,
    );
    let refresh = text(&json["refresh"]);
    want(
        refresh.ends_with(['m', 'h']),
        "refreshes more often than once a minute",
        found,
    );
    let tag = &json["links"][0]["tags"][0];
    let tagged = |other: &Board| list(&other.json["tags"]).any(|other| other == tag);
    want(
        boards.iter().all(tagged),
        "the link does not lead to the whole set",
        found,
    );
}

fn variables(board: &Board, found: &mut Vec<String>) {
    let names: Vec<_> = board
        .variables()
        .map(|variable| text(&variable["name"]))
        .collect();
    let mut wanted = vec!["datasource", "account", "job", "instance"];
    if names.contains(&"target_phish_prone") {
        wanted.extend(["target_phish_prone", "target_report_rate"]);
    }
    // The link to the console goes where this one says.
    let json = board.json.to_string();
    if json.contains(r#""url":"${console}/ui/dashboard""#) {
        wanted.push("console");
    }
    want(names == wanted, "other variables", found);
    // One organisation's dashboards begin with one.
    let is_about_one =
        ["knowbe4-overview", "knowbe4-board", "knowbe4-phishing"].contains(&board.name.as_str());
    for variable in board.variables() {
        let name = text(&variable["name"]);
        want(
            !text(&variable["label"]).is_empty(),
            &format!("variable {name} has no label"),
            found,
        );
        if variable["type"] == "query" {
            let all = variable["includeAll"] == true && variable["allValue"] == ".*";
            let one = is_about_one && name == "account";
            let fits = variable["multi"] == true && all != one;
            want(
                fits,
                &format!("variable {name} offers All where it shouldn't, or doesn't"),
                found,
            );
        }
    }
}

/// Data sources and links, wherever they stand.
fn everywhere(value: &Value, boards: &[Board], found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if key == "datasource" {
                    let variable = member["uid"] == "${datasource}" && member["type"] == "prometheus";
                    want(
                        variable,
                        &format!("the data source {member} is no variable"),
                        found,
                    );
                }
                if let Some(path) = member
                    .as_str()
                    .filter(|_| key == "url")
                    .and_then(|url| url.strip_prefix("/d/"))
                {
                    let uid = path.split('?').next().unwrap_or_default();
                    let known = boards.iter().any(|board| board.json["uid"] == uid);
                    want(known, &format!("no dashboard {uid} to link to"), found);
                }
                everywhere(member, boards, found);
            }
        }
        Value::Array(members) => members
            .iter()
            .for_each(|member| everywhere(member, boards, found)),
        _ => {}
    }
}

/// Counters are read over windows that follow the dashboard; and no variable is misspelt.
fn windows(board: &Board, found: &mut Vec<String>) {
    let window = Regex::new(r"(?:rate|increase)\([^\[]*\[([^\]]*)\]").expect("a pattern");
    let variable = Regex::new(r"\$\{?(\w+)").expect("a pattern");
    let own = ["__rate_interval", "__interval", "__range", "__range_s"];
    let names: Vec<_> = board.variables().map(|v| text(&v["name"])).chain(own).collect();
    for target in board.panels().iter().flat_map(|panel| list(&panel["targets"])) {
        let expression = text(&target["expr"]);
        for found_window in window.captures_iter(expression) {
            let fits = ["$__rate_interval", "$__range"].contains(&&found_window[1]);
            want(fits, &format!("a counter over [{}]", &found_window[1]), found);
        }
        for name in variable.captures_iter(expression) {
            // $1 is a part of what label_replace has matched.
            let is_part = name[1].bytes().all(|b| b.is_ascii_digit());
            want(
                is_part || names.contains(&&name[1]),
                &format!("no variable {}", &name[1]),
                found,
            );
        }
    }
}

fn panel(panel: &Value, found: &mut Vec<String>) {
    let defaults = &panel["fieldConfig"]["defaults"];
    for (what, value) in [
        ("title", &panel["title"]),
        ("description", &panel["description"]),
        ("unit", &defaults["unit"]),
        ("noValue", &defaults["noValue"]),
    ] {
        want(!text(value).is_empty(), &format!("no {what}"), found);
    }
    let letters: BTreeSet<_> = list(&panel["targets"])
        .map(|target| text(&target["refId"]))
        .collect();
    let targets = list(&panel["targets"]).count();
    want(
        targets > 0 && letters.len() == targets,
        "no query, or two with the same refId",
        found,
    );

    // An override for a name that no field has is a column that looks wrong.
    let legends = list(&panel["targets"]).map(|target| text(&target["legendFormat"]));
    let columns = list(&panel["transformations"]).flat_map(|t| t["options"]["renameByName"].as_object());
    let columns = columns.flat_map(|names| names.values().map(text));
    let names: BTreeSet<_> = legends.chain(columns).collect();
    for field in list(&panel["fieldConfig"]["overrides"]).map(|o| &o["matcher"]) {
        let missing = field["id"] == "byName" && !names.contains(text(&field["options"]));
        // A legend made of a label may have any name.
        let open = names.iter().any(|name| name.contains("{{"));
        want(
            !missing || open,
            &format!("an override for {}, which is not there", field["options"]),
            found,
        );
    }
    if panel["fieldConfig"].to_string().contains("__data.fields.Account") {
        want(
            names.contains("Account"),
            "a link needs the column Account",
            found,
        );
    }
}

fn grid(board: &Board, found: &mut Vec<String>) {
    let all: Vec<_> = list(&board.json["panels"]).collect();
    let ids: BTreeSet<_> = all.iter().map(|panel| panel["id"].as_u64()).collect();
    want(
        ids.len() == all.len() && !ids.contains(&None),
        "ids are missing or not unique",
        found,
    );
    let mut taken = BTreeSet::new();
    for panel in all {
        let at = |key: &str| panel["gridPos"][key].as_u64().expect("a place in the grid");
        let (x, y, w, h) = (at("x"), at("y"), at("w"), at("h"));
        want(w > 0 && h > 0 && x + w <= 24, "a panel outside the grid", found);
        for cell in (y..y + h).flat_map(|row| (x..x + w).map(move |column| (row, column))) {
            if !taken.insert(cell) {
                found.push(format!("{} lies on another panel", panel["title"]));
                break;
            }
        }
    }
}
