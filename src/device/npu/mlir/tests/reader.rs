//! The text as operations with regions.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::{Captures, Regex};

/// An operation, or the label of a block.
#[derive(Debug, Default)]
pub struct Operation {
    /// The values that it defines, as they are used: `%a`, or `%a#0`, `%a#1`.
    pub results: Vec<String>,
    /// What follows the values.
    pub text: String,
    /// What follows the last region.
    pub attributes: String,
    pub regions: Vec<Region>,
}

#[derive(Debug, Default)]
pub struct Region {
    /// The case of a switch.
    pub case: String,
    pub operations: Vec<Operation>,
}

/// Reads a text with a line for an operation, a beginning or an end of a region. Panics if regions do not balance.
pub fn read(text: &str) -> Operation {
    let mut open = vec![(Operation::default(), Region::default())];
    for line in text.lines().map(str::trim) {
        if let Some(attributes) = line.strip_prefix('}') {
            let (mut operation, region) = open.pop().expect("a region is open");
            operation.regions.push(region);
            operation.attributes = attributes.trim().to_owned();
            open.last_mut().expect("not the outermost region").1.operations.push(operation);
            continue;
        }
        match line.strip_suffix(" {") {
            Some(case) if case == "default" || case.starts_with("case ") => {
                let switch = open.last_mut().and_then(|(_, region)| region.operations.pop()).expect("a switch");
                open.push((switch, Region { case: case.to_owned(), ..Region::default() }));
            }
            Some(opening) => open.push((operation(opening), Region::default())),
            None => open.last_mut().expect("a region is open").1.operations.push(operation(line)),
        }
    }
    let (mut file, region) = open.pop().expect("the outermost region");
    assert!(open.is_empty(), "a region is not closed");
    file.regions.push(region);
    file
}

fn operation(line: &str) -> Operation {
    assert!(!line.contains('\t') && line.matches('{').count() == line.matches('}').count(), "{line}");
    let Some((results, text)) = line.split_once(" = ").filter(|_| line.starts_with('%')) else {
        return Operation { text: line.to_owned(), ..Operation::default() };
    };
    let results = match results.split_once(':') {
        None => vec![results.to_owned()],
        Some((value, count)) => (0..count.parse().unwrap()).map(|index: usize| format!("{value}#{index}")).collect(),
    };
    Operation { results, text: text.to_owned(), ..Operation::default() }
}

impl Operation {
    /// Its name: what is before a space or a parenthesis.
    pub fn name(&self) -> &str {
        self.text.split([' ', '(', '{']).next().unwrap_or_default()
    }

    /// The groups of a pattern that has to match all of its text.
    pub fn captures(&self, pattern: &str) -> Captures<'_> {
        thread_local! {
            /// To compile a pattern takes longer than all matches.
            static COMPILED: RefCell<HashMap<String, Regex>> = RefCell::default();
        }
        COMPILED.with_borrow_mut(|compiled| {
            let whole = || Regex::new(&format!("^{pattern}$")).unwrap();
            let whole = compiled.entry(pattern.to_owned()).or_insert_with(whole);
            whole.captures(&self.text).unwrap_or_else(|| panic!("{} is not {pattern}", self.text))
        })
    }

    /// All operations inside, in order.
    pub fn all(&self) -> Vec<&Operation> {
        let inner = self.regions.iter().flat_map(|region| &region.operations);
        inner.flat_map(|operation| std::iter::once(operation).chain(operation.all())).collect()
    }

    /// All operations of a name.
    pub fn named(&self, name: &str) -> Vec<&Operation> {
        self.all().into_iter().filter(|operation| operation.name() == name).collect()
    }
}

/// The parts of a list.
pub fn list(text: &str) -> Vec<String> {
    text.split(", ").filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
