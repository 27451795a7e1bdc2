//! Programs of the cores: what they name is there, and kernels get what they take.

use std::ops::Range;

use super::super::design::{CoreProgram, Operand, Scalar, Statement, Tile};
use super::super::target::{Kind, WORD_BYTES};
use super::super::{ALIGNMENT, Kernel, Role};
use super::Violation;

pub(super) fn check(tile: &Tile, violations: &mut Vec<Violation>) {
    let Some(program) = &tile.core else { return };
    let place = tile.place;
    if place.kind() != Kind::Core {
        violations.push(Violation::CoreKind { place });
    }
    for ring in &program.rings {
        if ring.buffers.is_empty() {
            violations.push(Violation::RingBuffer { place, ring: ring.name, buffer: None });
        }
        for buffer in ring.buffers.iter().filter(|buffer| **buffer >= tile.buffers.len()) {
            violations.push(Violation::RingBuffer { place, ring: ring.name, buffer: Some(*buffer) });
        }
    }
    Check { tile, program, violations }.body(&program.body, 0);
}

struct Check<'a> {
    tile: &'a Tile,
    program: &'a CoreProgram,
    violations: &'a mut Vec<Violation>,
}

impl Check<'_> {
    fn body(&mut self, body: &[Statement], loops: usize) {
        for statement in body {
            match statement {
                Statement::Take(ring) | Statement::Give(ring) => self.ring(*ring),
                Statement::Call { kernel, operands, scalars } => {
                    self.operands(*kernel, operands);
                    self.scalars(*kernel, scalars, loops);
                }
                Statement::Repeat { times, body } => {
                    self.scalar(*times, loops);
                    self.body(body, loops + 1);
                }
                Statement::Select { case, cases } => {
                    self.scalar(*case, loops);
                    cases.iter().for_each(|body| self.body(body, loops));
                }
            }
        }
    }

    fn ring(&mut self, ring: usize) {
        let count = self.program.rings.len();
        if ring >= count {
            self.violations.push(Violation::RingMissing { place: self.tile.place, ring, count });
        }
    }

    fn scalar(&mut self, scalar: Scalar, loops: usize) {
        let place = self.tile.place;
        match scalar {
            Scalar::Constant(_) => {}
            Scalar::Sum { parameter, depth } => {
                self.scalar(Scalar::Parameter(parameter), loops);
                self.scalar(Scalar::Loop(depth), loops);
            }
            Scalar::Parameter(word) => {
                let words =
                    self.tile.buffers.get(self.program.parameters).map_or(0, |buffer| buffer.bytes / WORD_BYTES);
                if word >= words {
                    self.violations.push(Violation::Parameter { place, word, words });
                }
            }
            Scalar::Loop(depth) => {
                if depth >= loops {
                    self.violations.push(Violation::Loop { place, depth, loops });
                }
            }
        }
    }

    fn scalars(&mut self, kernel: Kernel, scalars: &[Scalar], loops: usize) {
        let place = self.tile.place;
        let (expected, received) = (kernel.scalars().len(), scalars.len());
        if expected != received {
            self.violations.push(Violation::ScalarCount { place, kernel: kernel.name(), expected, received });
        }
        for (index, (scalar, range)) in scalars.iter().zip(kernel.scalars()).enumerate() {
            self.scalar(*scalar, loops);
            if let Scalar::Constant(value) = *scalar
                && !range.contains(&value)
            {
                self.violations.push(Violation::ScalarRange { place, kernel: kernel.name(), scalar: index, value });
            }
        }
    }

    fn operands(&mut self, kernel: Kernel, operands: &[Operand]) {
        let place = self.tile.place;
        let signatures = kernel.buffers();
        let (expected, received) = (signatures.len(), operands.len());
        if expected != received {
            self.violations.push(Violation::OperandCount { place, kernel: kernel.name(), expected, received });
        }
        let mut ranges = Vec::new();
        for (operand, signature) in operands.iter().zip(signatures) {
            ranges.push(self.operand(kernel, *operand, signature.bytes));
        }
        for (second, later) in ranges.iter().enumerate() {
            for (first, earlier) in ranges[..second].iter().enumerate() {
                let (one, other) = (&signatures[first], &signatures[second]);
                let (first, second, kernel) = (one.name, other.name, kernel.name());
                let both_read = one.role == Role::Read && other.role == Role::Read;
                if !both_read && meet(earlier, later) {
                    self.violations.push(Violation::OperandOverlap { place, kernel, first, second });
                }
                // A load from a bank that another one reads or writes in the same cycle waits (AMD AM020 chapter 2).
                if kernel.starts_with("product_") && meet(&self.banks(earlier), &self.banks(later)) {
                    self.violations.push(Violation::OperandBank { place, kernel, first, second });
                }
            }
        }
    }

    /// The addresses that an operand can have.
    fn operand(&mut self, kernel: Kernel, operand: Operand, bytes: usize) -> Vec<Range<usize>> {
        let place = self.tile.place;
        let (buffers, offset) = match operand {
            Operand::Buffer { buffer, offset_bytes } => (vec![buffer], offset_bytes),
            Operand::Ring(ring) => {
                self.ring(ring);
                (self.program.rings.get(ring).map_or(Vec::new(), |ring| ring.buffers.clone()), 0)
            }
        };
        let mut ranges = Vec::new();
        let kernel = kernel.name();
        for index in buffers {
            let Some(buffer) = self.tile.buffers.get(index) else {
                self.violations.push(Violation::OperandBuffer { place, kernel, buffer: index });
                continue;
            };
            let (name, end) = (|| buffer.name.clone(), offset + bytes);
            if end > buffer.bytes {
                let violation = Violation::OperandEnd { place, kernel, buffer: name(), end, bytes: buffer.bytes };
                self.violations.push(violation);
            }
            let address = buffer.address + offset;
            if !address.is_multiple_of(ALIGNMENT) {
                self.violations.push(Violation::OperandAlignment { place, kernel, buffer: name(), address });
            }
            ranges.push(address..address + bytes);
        }
        ranges
    }

    fn banks(&self, ranges: &[Range<usize>]) -> Vec<Range<usize>> {
        let limits = Kind::Core.limits();
        let bank = limits.memory_bytes / limits.banks;
        ranges.iter().map(|range| range.start / bank..range.end.div_ceil(bank)).collect()
    }
}

fn meet(some: &[Range<usize>], others: &[Range<usize>]) -> bool {
    some.iter().any(|one| others.iter().any(|other| one.start < other.end && other.start < one.end))
}
