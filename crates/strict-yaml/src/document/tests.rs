//! What is YAML, where its parts stand, and what isn't YAML.

use proptest::prelude::*;

use super::*;

/// Every scalar and key of the tree with its position, in reading order.
fn positions(text: &str) -> Vec<(String, (usize, usize))> {
    fn visit(node: &Node, out: &mut Vec<(String, (usize, usize))>) {
        let at = (node.at.line, node.at.column);
        let mut push = |name: &str| out.push((name.to_owned(), at));
        match &node.value {
            Value::List(list) => {
                push("[");
                list.iter().for_each(|node| visit(node, out));
            }
            Value::Map(map) => {
                push("{");
                for (key, value) in map {
                    visit(key, out);
                    visit(value, out);
                }
            }
            Value::Null => push("null"),
            Value::Bool(value) => push(&value.to_string()),
            Value::Integer(value) => push(&value.to_string()),
            Value::Float(value) => push(&value.to_string()),
            Value::Text(text) => push(text),
        }
    }
    let mut out = Vec::new();
    visit(&Document::parse(text).expect(text).root, &mut out);
    out
}

#[test]
fn every_node_is_found_again() {
    let text = "\u{feff}# who\na:\n  - x\n  - {b: 1, 'c': true}\na: ~\n\"ü\": y\n";
    let expected = [
        ("{", (2, 1)),
        ("a", (2, 1)),
        ("[", (3, 3)),
        ("x", (3, 5)),
        ("{", (4, 5)),
        ("b", (4, 6)),
        ("1", (4, 9)),
        ("c", (4, 12)),
        ("true", (4, 17)),
        ("a", (5, 1)),
        ("null", (5, 4)),
        ("ü", (6, 1)),
        ("y", (6, 6)),
    ];
    let expected: Vec<(String, (usize, usize))> = expected.map(|(name, at)| (name.to_owned(), at)).into();
    assert_eq!(positions(text), expected);
}

#[test]
fn nothing_is_a_document_too() {
    for empty in [
        "",
        "\n",
        "# comment\n",
        "---\n",
        "---\n...\n",
        "\u{feff}",
        "\u{feff}# comment\n",
    ] {
        assert!(
            matches!(Document::parse(empty).expect(empty).root.value, Value::Null),
            "{empty:?}"
        );
    }
}

#[test]
fn what_is_no_document_is_told_with_its_place() {
    for (text, position, message) in [
        (
            "a: [1, 2\nb: 3\n",
            (2, 2),
            "illegal placement of ':' indicator, after a [ at line 1 column 4 that isn't closed",
        ),
        (
            "a: 1\n---\nb: 2\n",
            (2, 1),
            "found a second document, expected one",
        ),
        (
            "a: 1\nb: !secret x\n",
            (2, 4),
            "found a YAML tag, expected plain values",
        ),
        ("a: *nobody\n", (1, 4), "while parsing node, found unknown anchor"),
        (
            "a: 1\n\tb: 2\n",
            (1, 4),
            "while scanning a plain scalar, found a tab",
        ),
    ] {
        let error = Document::parse(text).expect_err(text);
        assert_eq!(
            (
                (error.position.line, error.position.column),
                error.message.as_str()
            ),
            (position, message),
            "{text:?}"
        );
    }
}

#[test]
fn neither_depth_nor_aliases_take_long() {
    let deep = "[".repeat(500_000);
    assert_eq!(
        Document::parse(&deep).expect_err("deep").position.to_string(),
        "1:256"
    );
    assert!(Document::parse(&"- ".repeat(1000)).is_err());
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..8 {
        let aliases = vec![format!("*a{}", i - 1); 10].join(", ");
        bomb.push_str(&format!("a{i}: &a{i} [{aliases}]\n"));
    }
    assert!(Document::parse(&bomb).is_err());
    assert!(Document::parse("&a [*a]").is_err());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}") {
        let _ = Document::parse(&text);
    }

    #[test]
    fn nor_does_what_looks_like_yaml(text in "([-:,?&*!|>'\"%@`#{}\\[\\]<~ \n\tab0.]|: |- |\n  ){0,60}") {
        let _ = Document::parse(&text);
    }
}
