//! Every value is defined once and before it is used, in a region that sees it, and used with its type; every label and function
//! is there.

use std::collections::{HashMap, HashSet};

use super::reader::{Operation, Region, list};

/// What an operation uses, with the types that it takes, and the types that it defines.
struct Typing {
    uses: Vec<(String, String)>,
    results: Vec<String>,
}

/// Panics where the rules are broken.
pub fn check(file: &Operation) {
    let mut checker = Checker { scopes: vec![HashMap::new()], functions: HashMap::new(), symbols: HashSet::new() };
    checker.region(&file.regions[0], &[], &[]);
}

struct Checker {
    scopes: Vec<HashMap<String, String>>,
    functions: HashMap<String, String>,
    symbols: HashSet<String>,
}

impl Checker {
    /// A region with these arguments, whose last operation yields these types.
    fn region(&mut self, region: &Region, arguments: &[(String, String)], yields: &[String]) {
        self.scopes.push(HashMap::new());
        arguments.iter().for_each(|(value, of)| self.define(value, of));
        let labels: Vec<&str> =
            region.operations.iter().filter_map(|operation| operation.text.strip_suffix(':')).collect();
        assert_eq!(labels.iter().collect::<HashSet<_>>().len(), labels.len(), "{labels:?}");
        for operation in &region.operations {
            if operation.text.starts_with('^') {
                continue;
            }
            let targets = operation.text.split([' ', ',', ')']).filter(|word| word.starts_with('^'));
            targets.for_each(|target| assert!(labels.contains(&target), "{}", operation.text));
            self.operation(operation, yields);
        }
        self.scopes.pop();
    }

    fn define(&mut self, value: &str, of: &str) {
        // An inner region must not hide an outer value either.
        let base = value.split('#').next().unwrap();
        assert!(value != base || self.lookup(base).is_none(), "{value} is defined twice");
        self.scopes.last_mut().unwrap().insert(value.to_owned(), of.to_owned());
    }

    fn lookup(&self, value: &str) -> Option<&String> {
        self.scopes.iter().rev().find_map(|scope| scope.get(value))
    }

    fn operation(&mut self, operation: &Operation, yields: &[String]) {
        let Typing { uses, results } = self.typing(operation, yields);
        for (value, of) in uses {
            assert_eq!(self.lookup(&value), Some(&of), "{value} in {}", operation.text);
        }
        assert_eq!(operation.results.len(), results.len(), "{}", operation.text);
        let inner = if operation.name().starts_with("scf.") { results.clone() } else { Vec::new() };
        let arguments = self.arguments(operation);
        if matches!(operation.name(), "aie.mem" | "aie.memtile_dma" | "aie.core") {
            operation.regions.iter().for_each(terminated);
        }
        if !inner.is_empty() {
            let yielding = |region: &Region| region.operations.last().is_some_and(|last| last.name() == "scf.yield");
            assert!(operation.regions.iter().all(yielding), "{}", operation.text);
        }
        operation.regions.iter().for_each(|region| self.region(region, &arguments, &inner));
        operation.results.iter().zip(&results).for_each(|(value, of)| self.define(value, of));
    }

    /// What an operation's regions get.
    fn arguments(&self, operation: &Operation) -> Vec<(String, String)> {
        let typed = |part: &str| part.split_once(": ").map(|(value, of)| (value.to_owned(), of.to_owned())).unwrap();
        match operation.name() {
            "scf.for" => {
                let parts = operation.captures(FOR);
                let carried = parts.get(5).map_or(Vec::new(), |carried| list(carried.as_str()));
                let carried = carried.iter().map(|part| (part.split_once(" = ").unwrap().0.to_owned(), index()));
                std::iter::once((parts[1].to_owned(), index())).chain(carried).collect()
            }
            "aie.runtime_sequence" => {
                list(&operation.captures(r"aie\.runtime_sequence\((.*)\)")[1]).iter().map(|part| typed(part)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn typing(&mut self, operation: &Operation, yields: &[String]) -> Typing {
        let of = |value: &str, of: &str| (value.to_owned(), of.to_owned());
        let none = |uses: Vec<(String, String)>| Typing { uses, results: Vec::new() };
        let one = |uses: Vec<(String, String)>, result: &str| Typing { uses, results: vec![result.to_owned()] };
        let captures = |pattern| operation.captures(pattern);
        match operation.name() {
            "module" | "aie.end" | "aie.next_bd" | "aie.runtime_sequence" => none(vec![]),
            "aie.device" => none(vec![]),
            "aie.tile" => one(vec![], "tile"),
            "aie.buffer" => {
                let parts = captures(r#"aie\.buffer\((\S+)\) \{address = \d+ : i32, sym_name = "(\w+)"\} : (\S+)"#);
                assert!(self.symbols.insert(parts[2].to_owned()));
                one(vec![of(&parts[1], "tile")], &parts[3])
            }
            "aie.lock" => {
                let parts = captures(r#"aie\.lock\((\S+), \d+\) \{init = -?\d+ : i32, sym_name = "(\w+)"\}"#);
                assert!(self.symbols.insert(parts[2].to_owned()));
                one(vec![of(&parts[1], "tile")], "lock")
            }
            "aie.flow" => {
                let parts = captures(r"aie\.flow\((\S+), DMA : \d+, (\S+), DMA : \d+\)");
                none(vec![of(&parts[1], "tile"), of(&parts[2], "tile")])
            }
            "func.func" => {
                let parts = captures(r#"func\.func private @(\w+)\((.*)\) attributes \{link_with = "kernels\.o"\}"#);
                assert!(self.functions.insert(parts[1].to_owned(), parts[2].to_owned()).is_none());
                assert!(self.symbols.insert(parts[1].to_owned()));
                none(vec![])
            }
            "aie.shim_dma_allocation" => {
                let parts = captures(r"aie\.shim_dma_allocation @(\w+) \((\S+), (?:MM2S|S2MM), \d+\)");
                assert!(self.symbols.insert(parts[1].to_owned()));
                none(vec![of(&parts[2], "tile")])
            }
            "aie.mem" | "aie.memtile_dma" => one(vec![of(&captures(r"aie\.\w+\((\S+)\)")[1], "tile")], "index"),
            "aie.core" => one(vec![of(&captures(r"aie\.core\((\S+)\)")[1], "tile")], "index"),
            "aie.dma_start" => {
                captures(r"aie\.dma_start\((?:MM2S|S2MM), \d+, \^\w+, \^\w+\)");
                one(vec![], "i1")
            }
            "aie.use_lock" => {
                let parts =
                    captures(r"aie\.use_lock\((\S+), (?:AcquireGreaterEqual|Release), \d+\)( \{acq_en = false\})?");
                none(vec![of(&parts[1], "lock")])
            }
            "aie.dma_bd" => {
                let parts = captures(
                    r"aie\.dma_bd\((\S+) : (\S+), \d+, \d+(?:, \[(?:<size = \d+, stride = \d+>(?:, )?)+\])?\) \{bd_id = \d+ : i32\}",
                );
                none(vec![of(&parts[1], &parts[2])])
            }
            "arith.constant" => one(vec![], &captures(r"arith\.constant -?\d+ : (\w+)")[1]),
            "arith.addi" => {
                let parts = captures(r"arith\.addi (\S+), (\S+) : (\w+)");
                one(vec![of(&parts[1], &parts[3]), of(&parts[2], &parts[3])], &parts[3])
            }
            "arith.cmpi" => {
                let parts = captures(r"arith\.cmpi eq, (\S+), (\S+) : (\w+)");
                one(vec![of(&parts[1], &parts[3]), of(&parts[2], &parts[3])], "i1")
            }
            "arith.select" => {
                let parts = captures(r"arith\.select (\S+), (\S+), (\S+) : (\w+)");
                one(vec![of(&parts[1], "i1"), of(&parts[2], &parts[4]), of(&parts[3], &parts[4])], &parts[4])
            }
            "arith.index_cast" => {
                let parts = captures(r"arith\.index_cast (\S+) : (\w+) to (\w+)");
                assert!(matches!((&parts[2], &parts[3]), ("i32", "index") | ("index", "i32")));
                one(vec![of(&parts[1], &parts[2])], &parts[3])
            }
            "memref.load" => {
                let parts = captures(r"memref\.load (\S+)\[(\S+)\] : (memref<\d+xi32>)");
                one(vec![of(&parts[1], &parts[3]), of(&parts[2], "index")], "i32")
            }
            "memref.view" => {
                let parts = captures(r"memref\.view (\S+)\[(\S+)\]\[\] : (memref<\d+xi8>) to (memref<\d+xi32>)");
                one(vec![of(&parts[1], &parts[3]), of(&parts[2], "index")], &parts[4])
            }
            "scf.for" => {
                let parts = captures(FOR);
                let mut uses: Vec<_> = (2..5).map(|part| of(&parts[part], "index")).collect();
                let carried = parts.get(5).map_or(Vec::new(), |carried| list(carried.as_str()));
                uses.extend(carried.iter().map(|part| (part.split_once(" = ").unwrap().1.to_owned(), index())));
                let results = parts.get(6).map_or(Vec::new(), |types| list(types.as_str()));
                assert_eq!(carried.len(), results.len());
                Typing { uses, results }
            }
            "scf.index_switch" => {
                let parts = captures(r"scf\.index_switch (\S+)(?: -> (.*))?");
                let cases: Vec<String> = operation.regions.iter().map(|region| region.case.clone()).collect();
                let mut expected: Vec<String> = (0..cases.len() - 1).map(|case| format!("case {case}")).collect();
                expected.push("default".to_owned());
                assert_eq!(cases, expected);
                let results = parts.get(2).map_or(Vec::new(), |types| list(types.as_str()));
                Typing { uses: vec![of(&parts[1], "index")], results }
            }
            "scf.yield" => {
                let parts = captures(r"scf\.yield(?: (.*) : (.*))?");
                let types = parts.get(2).map_or(Vec::new(), |types| list(types.as_str()));
                assert_eq!(types, yields);
                let values = parts.get(1).map_or(Vec::new(), |values| list(values.as_str()));
                assert_eq!(values.len(), types.len());
                none(values.into_iter().zip(types).collect())
            }
            "func.call" => {
                let parts = captures(r"func\.call @(\w+)\((.*)\) : \((.*)\) -> \(\)");
                assert_eq!(self.functions.get(&parts[1]).map(String::as_str), Some(&parts[3]));
                let (values, types) = (list(&parts[2]), list(&parts[3]));
                assert_eq!(values.len(), types.len(), "{}", operation.text);
                none(values.into_iter().zip(types).collect())
            }
            name if name.starts_with("aiex.npu.") => none(vec![]),
            name => panic!("unknown operation {name}"),
        }
    }
}

/// The last operation is the end, and each block's one that leaves it.
fn terminated(region: &Region) {
    let operations = &region.operations;
    assert_eq!(operations.last().map(|last| last.text.as_str()), Some("aie.end"));
    for pair in operations.windows(2).filter(|pair| pair[1].text.starts_with('^')) {
        assert!(matches!(pair[0].name(), "aie.dma_start" | "aie.next_bd"), "{}", pair[1].text);
    }
}

const FOR: &str = r"scf\.for (\S+) = (\S+) to (\S+) step (\S+)(?: iter_args\((.*)\) -> \((.*)\))?";

fn index() -> String {
    "index".to_owned()
}
