//! What is YAML, where its parts stand, and what is none.

use proptest::prelude::*;

use super::*;

/// Every scalar and key of the tree with its position, in reading order.
fn positions(text: &str) -> Vec<(String, Position)> {
    fn visit(node: &Node, document: &Document<'_>, out: &mut Vec<(String, Position)>) {
        let at = document.locate(node.id);
        match &node.value {
            Value::List(list) => {
                out.push(("[".to_owned(), at));
                list.iter().for_each(|node| visit(node, document, out));
            }
            Value::Map(map) => {
                out.push(("{".to_owned(), at));
                for (key, value) in map {
                    visit(key, document, out);
                    visit(value, document, out);
                }
            }
            Value::Text(text) => out.push((text.clone(), at)),
            other => out.push((format!("{other:?}"), at)),
        }
    }
    let document = Document::parse(text).expect(text);
    let mut out = Vec::new();
    visit(&document.root, &document, &mut out);
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
        ("Integer(1)", (4, 9)),
        ("c", (4, 12)),
        ("Bool(true)", (4, 17)),
        ("a", (5, 1)),
        ("Null", (5, 4)),
        ("ü", (6, 1)),
        ("y", (6, 6)),
    ];
    let expected: Vec<(String, Position)> = expected.map(|(name, at)| (name.to_owned(), at)).into();
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
            "did not find expected ',' or ']', while parsing a flow sequence at line 1 column 4",
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
        ("a: *nobody\n", (1, 4), "unknown anchor"),
        (
            "a: 1\n\tb: 2\n",
            (2, 1),
            "found a tab character that violates indentation, while scanning a plain scalar at line 1 column 4",
        ),
    ] {
        let error = Document::parse(text).expect_err(text);
        assert_eq!(
            (error.position, error.message.as_str()),
            (position, message),
            "{text:?}"
        );
    }
}

#[test]
fn neither_depth_nor_aliases_take_long() {
    let deep = "[".repeat(500_000);
    assert_eq!(Document::parse(&deep).expect_err("deep").position, (1, 65));
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
        if let Ok(document) = Document::parse(&text) {
            let _ = document.locate(0);
        }
    }
}
