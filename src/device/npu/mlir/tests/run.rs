//! What a core does, by its statements and by its text.

use std::collections::HashMap;

use super::super::super::design::{CoreProgram, Operand, Scalar, Statement, Tile};
use super::reader::{Operation, Region, list};

/// Something that is seen from outside of a core.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Lock and amount.
    Acquire(usize, i64),
    Release(usize, i64),
    /// Kernel, addresses of its buffers, and scalars.
    Call(String, Vec<usize>, Vec<i32>),
}

/// So many rounds of a tile's program.
pub fn of_statements(tile: &Tile, program: &CoreProgram, parameters: &[i32], rounds: usize) -> Vec<Event> {
    let mut run = Statements {
        tile,
        program,
        parameters,
        positions: vec![0; program.rings.len()],
        counts: vec![],
        events: vec![],
    };
    (0..rounds).for_each(|_| run.run(&program.body));
    run.events
}

struct Statements<'a> {
    tile: &'a Tile,
    program: &'a CoreProgram,
    parameters: &'a [i32],
    positions: Vec<usize>,
    counts: Vec<i32>,
    events: Vec<Event>,
}

impl Statements<'_> {
    fn run(&mut self, statements: &[Statement]) {
        for statement in statements {
            match statement {
                Statement::Take(ring) => self.events.push(Event::Acquire(self.program.rings[*ring].take, 1)),
                Statement::Give(ring) => {
                    self.events.push(Event::Release(self.program.rings[*ring].give, 1));
                    self.positions[*ring] = (self.positions[*ring] + 1) % self.program.rings[*ring].buffers.len();
                }
                Statement::Call { kernel, operands, scalars } => {
                    let address = |operand: &Operand| match *operand {
                        Operand::Buffer { buffer, offset_bytes } => self.tile.buffers[buffer].address + offset_bytes,
                        Operand::Ring(ring) => {
                            self.tile.buffers[self.program.rings[ring].buffers[self.positions[ring]]].address
                        }
                    };
                    let addresses = operands.iter().map(address).collect();
                    let scalars = scalars.iter().map(|scalar| self.scalar(*scalar)).collect();
                    self.events.push(Event::Call(kernel.name().to_owned(), addresses, scalars));
                }
                Statement::Repeat { times, body } => {
                    for count in 0..self.scalar(*times) {
                        self.counts.push(count);
                        self.run(body);
                        self.counts.pop();
                    }
                }
                Statement::Select { case, cases } => {
                    let case = self.scalar(*case) as usize;
                    cases.get(case).into_iter().for_each(|body| self.run(body));
                }
            }
        }
    }

    fn scalar(&self, scalar: Scalar) -> i32 {
        let count = |depth: usize| self.counts[self.counts.len() - 1 - depth];
        match scalar {
            Scalar::Constant(number) => number,
            Scalar::Parameter(word) => self.parameters[word],
            Scalar::Loop(depth) => count(depth),
            Scalar::Sum { parameter, depth } => self.parameters[parameter] + count(depth),
        }
    }
}

/// So many rounds of the text of a tile's core.
pub fn of_text(file: &Operation, tile: &Tile, parameters: &[i32], rounds: usize) -> Vec<Event> {
    let value = format!("%tile_{}_{}", tile.place.column, tile.place.row);
    let mut run = Text { parameters, rounds, values: HashMap::new(), events: Vec::new(), parameters_at: 0 };
    for buffer in file.named("aie.buffer") {
        let parts = buffer.captures(r"aie\.buffer\((\S+)\) \{address = (\d+) : i32, .*");
        if parts[1] == value {
            run.values.insert(buffer.results[0].clone(), parts[2].parse().unwrap());
        }
    }
    for lock in file.named("aie.lock") {
        let parts = lock.captures(r"aie\.lock\((\S+), (\d+)\) .*");
        if parts[1] == value {
            run.values.insert(lock.results[0].clone(), parts[2].parse().unwrap());
        }
    }
    run.parameters_at = tile.core.as_ref().map_or(0, |core| tile.buffers[core.parameters].address as i64);
    let cores = file.named("aie.core");
    let core = cores.into_iter().find(|core| core.text == format!("aie.core({value})")).expect("a core");
    run.region(&core.regions[0]);
    run.events
}

struct Text<'a> {
    parameters: &'a [i32],
    rounds: usize,
    /// Numbers, addresses of buffers, and numbers of locks.
    values: HashMap<String, i64>,
    events: Vec<Event>,
    parameters_at: i64,
}

impl Text<'_> {
    /// Runs a region; the values that it yields.
    fn region(&mut self, region: &Region) -> Vec<i64> {
        for operation in &region.operations {
            if operation.name() == "scf.yield" {
                let values = operation.text.trim_start_matches("scf.yield").split(" : ").next().unwrap().trim();
                return list(values).iter().map(|value| self.values[value]).collect();
            }
            let results = self.operation(operation);
            operation.results.iter().zip(results).for_each(|(name, value)| {
                self.values.insert(name.clone(), value);
            });
        }
        Vec::new()
    }

    fn operation(&mut self, operation: &Operation) -> Vec<i64> {
        let captures = |pattern| operation.captures(pattern);
        match operation.name() {
            "arith.constant" => vec![captures(r"arith\.constant (\S+) : .*")[1].parse().unwrap()],
            "arith.addi" => {
                let parts = captures(r"arith\.addi (\S+), (\S+) : .*");
                vec![self.values[&parts[1]] + self.values[&parts[2]]]
            }
            "arith.cmpi" => {
                let parts = captures(r"arith\.cmpi eq, (\S+), (\S+) : .*");
                vec![(self.values[&parts[1]] == self.values[&parts[2]]).into()]
            }
            "arith.select" => {
                let parts = captures(r"arith\.select (\S+), (\S+), (\S+) : .*");
                vec![self.values[&parts[if self.values[&parts[1]] == 1 { 2 } else { 3 }]]]
            }
            "arith.index_cast" => vec![self.values[&captures(r"arith\.index_cast (\S+) : .*")[1]]],
            "memref.load" => {
                let parts = captures(r"memref\.load (\S+)\[(\S+)\] : .*");
                assert_eq!(self.values[&parts[1]], self.parameters_at);
                vec![self.parameters[self.values[&parts[2]] as usize].into()]
            }
            "memref.view" => {
                let parts = captures(r"memref\.view (\S+)\[(\S+)\]\[\] : .*");
                vec![self.values[&parts[1]] + self.values[&parts[2]]]
            }
            "aie.use_lock" => {
                let parts = captures(r"aie\.use_lock\((\S+), (\w+), (\d+)\)");
                let (lock, amount) = (self.values[&parts[1]] as usize, parts[3].parse().unwrap());
                let is_release = &parts[2] == "Release";
                self.events.push(if is_release { Event::Release(lock, amount) } else { Event::Acquire(lock, amount) });
                vec![]
            }
            "func.call" => {
                let parts = captures(r"func\.call @(\w+)\((.*)\) : \((.*)\) -> \(\)");
                let (mut addresses, mut scalars) = (Vec::new(), Vec::new());
                for (value, of) in list(&parts[2]).iter().zip(list(&parts[3])) {
                    let value = self.values[value];
                    if of == "i32" { scalars.push(value as i32) } else { addresses.push(value as usize) }
                }
                self.events.push(Event::Call(parts[1].to_owned(), addresses, scalars));
                vec![]
            }
            "scf.for" => self.repeat(operation),
            "scf.index_switch" => {
                let parts = captures(r"scf\.index_switch (\S+).*");
                let case = format!("case {}", self.values[&parts[1]]);
                let regions = &operation.regions;
                let region = regions.iter().find(|region| region.case == case).unwrap_or(&regions[regions.len() - 1]);
                self.region(region)
            }
            "aie.end" => vec![],
            name => panic!("{name} in a core"),
        }
    }

    fn repeat(&mut self, operation: &Operation) -> Vec<i64> {
        let parts = operation.captures(r"scf\.for (\S+) = (\S+) to (\S+) step (\S+)(?: iter_args\((.*)\) -> .*)?");
        let carried = parts.get(5).map_or(Vec::new(), |carried| list(carried.as_str()));
        let carried: Vec<(&str, &str)> = carried.iter().map(|part| part.split_once(" = ").unwrap()).collect();
        let mut positions: Vec<i64> = carried.iter().map(|(_, value)| self.values[*value]).collect();
        let (from, to, step) = (self.values[&parts[2]], self.values[&parts[3]], self.values[&parts[4]]);
        let to = if to == i64::MAX { self.rounds as i64 } else { to };
        let mut count = from;
        while count < to {
            self.values.insert(parts[1].to_owned(), count);
            for ((argument, _), position) in carried.iter().zip(&positions) {
                self.values.insert((*argument).to_owned(), *position);
            }
            positions = self.region(&operation.regions[0]);
            count += step;
        }
        positions
    }
}
