//! Every error message of the sources, with what its documentation says of it.

use std::fs;

use regex::Regex;

use crate::{files, root};

/// The messages as a Markdown table, in the order of the alphabet.
pub(super) fn markdown() -> String {
    let pattern = Regex::new(
        r#"(?m)((?:^[ \t]*///[^\n]*\n)+)(?:^[ \t]*#\[(?:derive|expect)[^\n]*\n)*^[ \t]*#\[error\(\s*"((?:[^"\\]|\\.|\\\n)*)""#,
    )
    .expect("a pattern");
    let placeholder = Regex::new(r"\{[^{}]*\}").expect("a pattern");
    let mut rows = Vec::new();
    let mut sources = files("src", "rs");
    for entry in fs::read_dir(root().join("crates")).expect("crates") {
        let source = entry.expect("an entry").path().join("src");
        let relative = source
            .strip_prefix(root())
            .expect("inside")
            .to_string_lossy()
            .into_owned();
        sources.extend(files(&relative, "rs"));
    }
    let (mut seen, mut found) = (0, 0);
    for source in sources {
        let code = fs::read_to_string(&source).expect("readable");
        let code = code.split("#[cfg(test)]\nmod").next().unwrap_or_default();
        seen += code.matches("#[error(").count() - code.matches("#[error(transparent)").count();
        for captures in pattern.captures_iter(code) {
            found += 1;
            let message = placeholder
                .replace_all(&unescaped(&captures[2]), "{}")
                .into_owned();
            if message.chars().filter(|c| c.is_alphabetic()).count() < 5 {
                // All of it is said by its parts.
                continue;
            }
            let when: Vec<&str> = captures[1]
                .lines()
                .map(|line| line.trim().trim_start_matches('/').trim())
                .take_while(|line| !line.is_empty())
                .collect();
            rows.push(format!(
                "| `{}` | {} |\n",
                message.replace('|', "\\|"),
                plain(&when.join(" "))
            ));
        }
    }
    assert_eq!(found, seen, "every message has a line that says when it is said");
    rows.sort();
    rows.dedup();
    format!("| message | when |\n| --- | --- |\n{}", rows.concat())
}

/// As the compiler reads it, on one line.
fn unescaped(text: &str) -> String {
    let continued = Regex::new(r"\\\n\s*").expect("a pattern");
    continued
        .replace_all(text, "")
        .replace("\\\"", "\"")
        .replace("{{", "(")
        .replace("}}", ")")
        .replace('`', "'")
}

/// Documentation without the links that only rustdoc follows.
fn plain(text: &str) -> String {
    let link = Regex::new(r"\[(`[^`\]]*`)\](?:\([^)]*\))?").expect("a pattern");
    link.replace_all(text, "$1").replace('|', "\\|")
}
