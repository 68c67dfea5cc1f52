//! What an expression reads, which labels its result has, and what can't be right about it.

use std::collections::BTreeSet;

use knowbe4_exporter::Kind;
use promql_parser::parser::{
    self, AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, VectorMatchCardinality, VectorSelector,
};

use crate::families::{Families, Labels};

/// Functions that a counter is read through.
const OF_COUNTERS: [&str; 3] = ["rate", "increase", "irate"];

/// Aggregations that keep the labels of what they choose.
const CHOOSING: [&str; 4] = ["topk", "bottomk", "limitk", "limit_ratio"];

/// Labels that a scrape may add, which may be taken away without being there.
const PERHAPS: [&str; 3] = ["job", "instance", "pod"];

/// What is found in one expression.
#[derive(Debug, Default)]
pub struct Reading {
    pub families: BTreeSet<String>,
    /// Names that nobody exposes or records.
    pub unknown: BTreeSet<String>,
    /// Of the result; none for a number.
    pub labels: Option<Labels>,
    pub mistakes: Vec<String>,
}

impl Reading {
    pub fn of(expression: &str, families: &Families) -> Self {
        let mut reader = Reader {
            families,
            found: Self::default(),
        };
        match parser::parse(expression) {
            Ok(parsed) => reader.found.labels = reader.labels(&parsed, None),
            Err(error) => reader.found.mistakes.push(format!("{error} in {expression}")),
        }
        reader.found
    }
}

struct Reader<'a> {
    families: &'a Families,
    found: Reading,
}

impl Reader<'_> {
    /// Labels of the result: none for a number or a text. `function` is what a range is read through.
    fn labels(&mut self, expression: &Expr, function: Option<&str>) -> Option<Labels> {
        match expression {
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => None,
            Expr::Paren(inner) => self.labels(&inner.expr, function),
            Expr::Unary(inner) => self.labels(&inner.expr, function),
            Expr::Subquery(inner) => self.labels(&inner.expr, None),
            Expr::VectorSelector(selector) => Some(self.selected(selector, None)),
            Expr::MatrixSelector(range) => Some(self.selected(&range.vs, function)),
            Expr::Call(call) => self.called(call),
            Expr::Aggregate(aggregate) => Some(self.aggregated(aggregate)),
            Expr::Binary(binary) => self.joined(binary),
        }
    }

    fn mistake(&mut self, text: String) {
        self.found.mistakes.push(text);
    }

    fn wants(&mut self, wanted: &[String], labels: &Labels, place: &str) {
        for label in wanted {
            if !labels.contains(label) {
                self.mistake(format!("{place}: no label {label} among {labels:?}"));
            }
        }
    }

    fn selected(&mut self, selector: &VectorSelector, function: Option<&str>) -> Labels {
        let named = selector
            .matchers
            .matchers
            .iter()
            .find(|one| one.name == "__name__");
        // Of several families the first stands for all.
        let named = named.map(|one| one.value.split('|').next().unwrap_or_default().to_owned());
        let name = selector.name.clone().or(named).unwrap_or_default();
        let Some(readable) = self.families.get(&name).cloned() else {
            self.mistake(format!("nobody exposes or records {name:?}"));
            self.found.unknown.insert(name);
            return Labels::new();
        };
        self.found.families.insert(readable.family);
        // One that is younger than the time in question has no increase: it is looked at by its value.
        let newborn = matches!(function, Some("last_over_time" | "max_over_time"));
        let grows = function.is_some_and(|function| OF_COUNTERS.contains(&function));
        match readable.kind {
            Kind::Counter | Kind::Histogram if !grows && !newborn => {
                self.mistake(format!(
                    "{name} is a counter: only rate() or increase() of it means something"
                ));
            }
            Kind::Gauge | Kind::Info if grows => {
                self.mistake(format!(
                    "{name} is a gauge: rate() and increase() of it mean nothing"
                ));
            }
            _ => {}
        }
        let matchers = &selector.matchers;
        let matchers = matchers
            .matchers
            .iter()
            .chain(matchers.or_matchers.iter().flatten());
        let matched: Vec<_> = matchers
            .map(|matcher| matcher.name.clone())
            .filter(|label| label != "__name__")
            .collect();
        self.wants(&matched, &readable.labels, &name);
        readable.labels
    }

    fn called(&mut self, call: &Call) -> Option<Labels> {
        let name = call.func.name;
        let arguments: Vec<_> = call
            .args
            .args
            .iter()
            .map(|arg| self.labels(arg, Some(name)))
            .collect();
        let labels = arguments.into_iter().flatten().next();
        match name {
            "scalar" | "time" => None,
            "vector" | "absent" | "absent_over_time" => Some(Labels::new()),
            "label_replace" => {
                let mut labels = labels?;
                let text = |index: usize| match call.args.args.get(index).map(AsRef::as_ref) {
                    Some(Expr::StringLiteral(text)) => text.val.clone(),
                    _ => String::new(),
                };
                // Without a source it adds a label.
                if !text(3).is_empty() {
                    self.wants(&[text(3)], &labels, name);
                }
                labels.insert(text(1));
                Some(labels)
            }
            "histogram_quantile" => {
                let mut labels = labels?;
                self.wants(&["le".to_owned()], &labels, name);
                labels.remove("le");
                Some(labels)
            }
            _ => labels,
        }
    }

    fn aggregated(&mut self, aggregate: &AggregateExpr) -> Labels {
        let name = aggregate.op.to_string();
        if let Some(parameter) = &aggregate.param {
            self.labels(parameter, None);
        }
        let inner = self.labels(&aggregate.expr, None).unwrap_or_default();
        let outer = match &aggregate.modifier {
            None => Labels::new(),
            Some(LabelModifier::Include(by)) => {
                self.wants(&by.labels, &inner, &name);
                by.labels.iter().cloned().collect()
            }
            Some(LabelModifier::Exclude(without)) => {
                let sure = without
                    .labels
                    .iter()
                    .filter(|label| !PERHAPS.contains(&label.as_str()));
                let sure: Vec<_> = sure.cloned().collect();
                self.wants(&sure, &inner, &name);
                let left = inner.iter().filter(|label| !without.labels.contains(label));
                left.cloned().collect()
            }
        };
        let mut outer = outer;
        if let (true, Some(Expr::StringLiteral(label))) = (name == "count_values", aggregate.param.as_deref())
        {
            outer.insert(label.val.clone());
        }
        if CHOOSING.contains(&name.as_str()) {
            inner
        } else {
            outer
        }
    }

    fn joined(&mut self, binary: &BinaryExpr) -> Option<Labels> {
        let name = binary.op.to_string();
        let (left, right) = (self.labels(&binary.lhs, None), self.labels(&binary.rhs, None));
        let (left, right) = match (left, right) {
            (Some(left), Some(right)) => (left, right),
            (left, right) => return left.or(right),
        };
        let modifier = binary.modifier.as_ref();
        let on = match modifier.and_then(|modifier| modifier.matching.as_ref()) {
            Some(LabelModifier::Include(on)) => {
                self.wants(&on.labels, &left, &name);
                self.wants(&on.labels, &right, &name);
                on.labels.iter().cloned().collect()
            }
            Some(LabelModifier::Exclude(ignored)) => {
                let left = left.iter().filter(|label| !ignored.labels.contains(label));
                left.cloned().collect()
            }
            None => {
                if left != right && name != "or" {
                    self.mistake(format!("{name}: {left:?} and {right:?} never match"));
                }
                left.clone()
            }
        };
        match modifier.map(|modifier| &modifier.card) {
            _ if name == "or" => Some(left.union(&right).cloned().collect()),
            Some(VectorMatchCardinality::ManyToOne(more)) => {
                self.wants(&more.labels, &right, &name);
                Some(left.into_iter().chain(more.labels.iter().cloned()).collect())
            }
            Some(VectorMatchCardinality::OneToMany(more)) => {
                self.wants(&more.labels, &left, &name);
                Some(right.into_iter().chain(more.labels.iter().cloned()).collect())
            }
            Some(VectorMatchCardinality::ManyToMany) => Some(left),
            _ => Some(on),
        }
    }
}
