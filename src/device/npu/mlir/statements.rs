//! The statements of a core's program.
//!
//! Which buffer of a ring is next is a value, not a place in memory: loops and switches that move a ring on take its position and
//! yield it.

use std::collections::BTreeMap;

use super::super::design::{CoreProgram, Operand, RingIndex, Scalar, Statement, Tile};
use super::super::kernels::Kernel;
use super::core;
use super::lines::Lines;
use super::names::{self, Element};

/// What the statements of a region can see.
#[derive(Clone)]
pub struct Scope {
    /// Position of each ring in its buffers.
    positions: Vec<String>,
    /// Buffer that a ring has taken, if the region can see it.
    taken: Vec<Option<String>>,
    /// Counts of the loops, the outermost first.
    counts: Vec<String>,
}

impl Scope {
    /// At the start of a program, with all rings at this position.
    pub fn new(program: &CoreProgram, first: String) -> Self {
        let rings = program.rings.len();
        Self { positions: vec![first; rings], taken: vec![None; rings], counts: Vec::new() }
    }
}

/// Writes statements.
pub struct Writer<'a> {
    tile: &'a Tile,
    program: &'a CoreProgram,
    elements: Vec<Element>,
    lines: Lines,
    /// Values of constants, by type and number.
    constants: BTreeMap<(&'static str, i64), String>,
    values: usize,
}

impl<'a> Writer<'a> {
    pub fn new(tile: &'a Tile, program: &'a CoreProgram, depth: usize) -> Self {
        let (lines, elements) = (Lines::inside(depth), names::elements(tile));
        Self { tile, program, elements, lines, constants: BTreeMap::new(), values: 0 }
    }

    /// What was written.
    pub fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Value and definition of each constant that was used.
    pub fn constants(&self) -> impl Iterator<Item = (&str, String)> {
        self.constants.iter().map(|((of, number), value)| (value.as_str(), format!("{number} : {of}")))
    }

    /// A constant for positions and bounds.
    pub fn index(&mut self, number: i64) -> String {
        self.constants.entry(("index", number)).or_insert_with(|| format!("%c{number}")).clone()
    }

    fn word(&mut self, number: i32) -> String {
        self.constants.entry(("i32", number.into())).or_insert_with(|| format!("%c{number}_i32")).clone()
    }

    fn value(&mut self) -> String {
        self.values += 1;
        format!("%v{}", self.values)
    }

    /// A line that defines a value.
    fn define(&mut self, operation: impl AsRef<str>) -> String {
        let value = self.value();
        self.lines.line(format!("{value} = {}", operation.as_ref()));
        value
    }

    /// A loop from 0, with a count that the body's scalars know of or not. The scope that follows it.
    pub fn repeat(&mut self, scope: &Scope, times: &str, body: &[Statement], is_counted: bool) -> Scope {
        let moved = self.moved([body]);
        let (zero, one) = (self.index(0), self.index(1));
        let count = self.value();
        let mut inner = scope.clone();
        let arguments: Vec<String> = moved
            .iter()
            .map(|&ring| {
                let argument = self.value();
                format!("{argument} = {}", std::mem::replace(&mut inner.positions[ring], argument.clone()))
            })
            .collect();
        inner.counts.extend(is_counted.then(|| count.clone()));
        // What was taken before may be given on by an earlier round.
        moved.iter().for_each(|&ring| inner.taken[ring] = None);
        let carried = match moved.len() {
            0 => String::new(),
            _ => format!(" iter_args({}) -> ({})", arguments.join(", "), types(&moved)),
        };
        let (results, after) = self.results(scope, &moved);
        self.lines.open(format!("{results}scf.for {count} = {zero} to {times} step {one}{carried}"));
        let last = self.statements(inner, body);
        self.yields(&last, &moved);
        self.lines.close("");
        after
    }

    fn select(&mut self, scope: &Scope, case: Scalar, cases: &[Vec<Statement>]) -> Scope {
        let moved = self.moved(cases.iter().map(Vec::as_slice));
        let number = self.scalar(scope, case);
        let case = self.define(format!("arith.index_cast {number} : i32 to index"));
        let (results, after) = self.results(scope, &moved);
        let yielded = if moved.is_empty() { String::new() } else { format!(" -> {}", types(&moved)) };
        self.lines.line(format!("{results}scf.index_switch {case}{yielded}"));
        for (number, body) in cases.iter().enumerate() {
            self.lines.open(format!("case {number}"));
            let last = self.statements(scope.clone(), body);
            self.yields(&last, &moved);
            self.lines.close("");
        }
        self.lines.open("default");
        self.yields(scope, &moved);
        self.lines.close("");
        after
    }

    /// Rings that move on in any of these.
    fn moved<'b>(&self, bodies: impl IntoIterator<Item = &'b [Statement]>) -> Vec<RingIndex> {
        let mut moves = vec![false; self.program.rings.len()];
        for body in bodies {
            names::visit(body, &mut |statement| {
                if let Statement::Give(ring) = statement {
                    moves[*ring] = self.program.rings[*ring].buffers.len() > 1;
                }
            });
        }
        (0..moves.len()).filter(|&ring| moves[ring]).collect()
    }

    /// The left side of an operation that yields the positions of these rings, and the scope after it.
    fn results(&mut self, scope: &Scope, moved: &[RingIndex]) -> (String, Scope) {
        let mut after = scope.clone();
        moved.iter().for_each(|&ring| after.taken[ring] = None);
        match moved {
            [] => (String::new(), after),
            [ring] => {
                let value = self.value();
                after.positions[*ring] = value.clone();
                (format!("{value} = "), after)
            }
            _ => {
                let value = self.value();
                for (result, ring) in moved.iter().enumerate() {
                    after.positions[*ring] = format!("{value}#{result}");
                }
                (format!("{value}:{} = ", moved.len()), after)
            }
        }
    }

    fn yields(&mut self, scope: &Scope, moved: &[RingIndex]) {
        let positions: Vec<&str> = moved.iter().map(|&ring| scope.positions[ring].as_str()).collect();
        match positions.is_empty() {
            true => self.lines.line("scf.yield"),
            false => self.lines.line(format!("scf.yield {} : {}", positions.join(", "), types(moved))),
        }
    }

    fn statements(&mut self, mut scope: Scope, statements: &[Statement]) -> Scope {
        for statement in statements {
            match statement {
                Statement::Take(ring) => {
                    let lock = names::lock(self.tile, self.program.rings[*ring].take);
                    self.lines.line(format!("aie.use_lock({lock}, AcquireGreaterEqual, 1)"));
                    scope.taken[*ring] = Some(self.buffer_of(&scope, *ring));
                }
                Statement::Give(ring) => {
                    let lock = names::lock(self.tile, self.program.rings[*ring].give);
                    self.lines.line(format!("aie.use_lock({lock}, Release, 1)"));
                    scope.taken[*ring] = None;
                    self.step(&mut scope, *ring);
                }
                Statement::Call { kernel, operands, scalars } => self.call(&scope, *kernel, operands, scalars),
                Statement::Repeat { times, body } => {
                    let times = self.scalar(&scope, *times);
                    let times = self.define(format!("arith.index_cast {times} : i32 to index"));
                    scope = self.repeat(&scope, &times, body, true);
                }
                Statement::Select { case, cases } => scope = self.select(&scope, *case, cases),
            }
        }
        scope
    }

    /// The ring's buffer at its position.
    fn buffer_of(&mut self, scope: &Scope, ring: RingIndex) -> String {
        let buffers = &self.program.rings[ring].buffers;
        if let [only] = buffers[..] {
            return names::buffer(self.tile, only);
        }
        let of = self.of(buffers[0]);
        let position = &scope.positions[ring];
        let chosen = self.value();
        self.lines.line(format!("{chosen} = scf.index_switch {position} -> {of}"));
        for (index, &buffer) in buffers.iter().enumerate() {
            // The last stands for all other positions, of which there are none.
            self.lines.open(if index + 1 < buffers.len() { format!("case {index}") } else { "default".to_owned() });
            self.lines.line(format!("scf.yield {} : {of}", names::buffer(self.tile, buffer)));
            self.lines.close("");
        }
        chosen
    }

    fn step(&mut self, scope: &mut Scope, ring: RingIndex) {
        let count = self.program.rings[ring].buffers.len() as i64;
        if count == 1 {
            return;
        }
        let (zero, one, count) = (self.index(0), self.index(1), self.index(count));
        let next = self.define(format!("arith.addi {}, {one} : index", scope.positions[ring]));
        let is_end = self.define(format!("arith.cmpi eq, {next}, {count} : index"));
        scope.positions[ring] = self.define(format!("arith.select {is_end}, {zero}, {next} : index"));
    }

    fn call(&mut self, scope: &Scope, kernel: Kernel, operands: &[Operand], scalars: &[Scalar]) {
        let mut arguments = Vec::new();
        for (operand, taken) in operands.iter().zip(kernel.buffers()) {
            let (value, buffer, offset) = match *operand {
                Operand::Buffer { buffer, offset_bytes } => (names::buffer(self.tile, buffer), buffer, offset_bytes),
                Operand::Ring(ring) => {
                    let value = scope.taken[ring].clone().unwrap_or_else(|| self.buffer_of(scope, ring));
                    (value, self.program.rings[ring].buffers[0], 0)
                }
            };
            arguments.push(self.words_of(&value, buffer, offset, taken.bytes));
        }
        for scalar in scalars {
            arguments.push(self.scalar(scope, *scalar));
        }
        let types = core::arguments(kernel).join(", ");
        self.lines.line(format!("func.call @{}({}) : ({types}) -> ()", kernel.name(), arguments.join(", ")));
    }

    /// So many bytes of a buffer as words.
    fn words_of(&mut self, value: &str, buffer: usize, offset: usize, bytes: usize) -> String {
        match self.elements[buffer] {
            Element::Word => value.to_owned(),
            Element::Byte => {
                let offset = self.index(offset as i64);
                let (from, to) = (self.of(buffer), Element::Word.of(bytes));
                self.define(format!("memref.view {value}[{offset}][] : {from} to {to}"))
            }
        }
    }

    /// A number of 32 bits.
    fn scalar(&mut self, scope: &Scope, scalar: Scalar) -> String {
        match scalar {
            Scalar::Constant(number) => self.word(number),
            Scalar::Parameter(word) => {
                let buffer = self.program.parameters;
                let bytes = self.tile.buffers[buffer].bytes;
                let words = self.words_of(&names::buffer(self.tile, buffer), buffer, 0, bytes);
                let word = self.index(word as i64);
                self.define(format!("memref.load {words}[{word}] : {}", Element::Word.of(bytes)))
            }
            Scalar::Loop(depth) => {
                let count = &scope.counts[scope.counts.len() - 1 - depth];
                let cast = format!("arith.index_cast {count} : index to i32");
                self.define(cast)
            }
            Scalar::Sum { parameter, depth } => {
                let parameter = self.scalar(scope, Scalar::Parameter(parameter));
                let count = self.scalar(scope, Scalar::Loop(depth));
                self.define(format!("arith.addi {parameter}, {count} : i32"))
            }
        }
    }

    /// Type of a buffer.
    fn of(&self, buffer: usize) -> String {
        self.elements[buffer].of(self.tile.buffers[buffer].bytes)
    }
}

/// Types of so many positions.
fn types(rings: &[RingIndex]) -> String {
    vec!["index"; rings.len()].join(", ")
}
