//! A core's program without nesting, so that it can stop at any step.

use super::super::Kernel;
use super::super::design::{CoreProgram, Operand, Ring, Scalar, Statement, Tile};

/// Steps of a core.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) steps: Vec<Step>,
    pub(super) calls: Vec<Call>,
    pub(super) rings: Vec<Ring>,
    pub(super) parameters: usize,
}

/// One step; positions are in [`Code::steps`].
#[derive(Clone, Debug)]
pub(super) enum Step {
    Take(usize),
    Give(usize),
    /// Position in [`Code::calls`].
    Call(usize),
    /// Begins a loop; if it is empty goes to `end`.
    Repeat {
        times: Scalar,
        end: usize,
    },
    /// The end of a loop's body.
    Again {
        body: usize,
    },
    Select {
        case: Scalar,
        cases: Vec<usize>,
    },
    Go(usize),
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) kernel: Kernel,
    pub(super) operands: Vec<Operand>,
    pub(super) scalars: Vec<Scalar>,
}

impl Code {
    /// Error: what does not exist.
    pub(super) fn new(tile: &Tile, program: &CoreProgram) -> Result<Self, String> {
        let lock = |lock: usize| lock < tile.locks.len();
        for ring in &program.rings {
            if ring.buffers.is_empty() || ring.buffers.iter().any(|buffer| *buffer >= tile.buffers.len()) {
                return Err(format!("ring {} has no buffers or one that is not there", ring.name));
            }
            if !lock(ring.take) || !lock(ring.give) {
                return Err(format!("ring {} has a lock that is not there", ring.name));
            }
        }
        let rings = program.rings.clone();
        let mut code = Self { steps: Vec::new(), calls: Vec::new(), rings, parameters: program.parameters };
        code.add(tile, &program.body)?;
        Ok(code)
    }

    fn add(&mut self, tile: &Tile, body: &[Statement]) -> Result<(), String> {
        for statement in body {
            match statement {
                Statement::Take(ring) => self.steps.push(Step::Take(self.ring(*ring)?)),
                Statement::Give(ring) => self.steps.push(Step::Give(self.ring(*ring)?)),
                Statement::Call { kernel, operands, scalars } => {
                    self.fits(tile, *kernel, operands)?;
                    scalars.iter().try_for_each(|scalar| self.word(tile, *scalar))?;
                    self.steps.push(Step::Call(self.calls.len()));
                    self.calls.push(Call { kernel: *kernel, operands: operands.clone(), scalars: scalars.clone() });
                }
                Statement::Repeat { times, body } => {
                    self.word(tile, *times)?;
                    let start = self.steps.len();
                    self.steps.push(Step::Repeat { times: *times, end: 0 });
                    self.add(tile, body)?;
                    self.steps.push(Step::Again { body: start + 1 });
                    self.steps[start] = Step::Repeat { times: *times, end: self.steps.len() };
                }
                Statement::Select { case, cases } => self.select(tile, *case, cases)?,
            }
        }
        Ok(())
    }

    fn select(&mut self, tile: &Tile, case: Scalar, cases: &[Vec<Statement>]) -> Result<(), String> {
        self.word(tile, case)?;
        let start = self.steps.len();
        self.steps.push(Step::Go(0));
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        for body in cases {
            starts.push(self.steps.len());
            self.add(tile, body)?;
            ends.push(self.steps.len());
            self.steps.push(Step::Go(0));
        }
        let end = self.steps.len();
        ends.into_iter().for_each(|step| self.steps[step] = Step::Go(end));
        self.steps[start] = Step::Select { case, cases: starts };
        Ok(())
    }

    fn ring(&self, ring: usize) -> Result<usize, String> {
        if ring < self.rings.len() { Ok(ring) } else { Err(format!("the core has no ring {ring}")) }
    }

    fn word(&self, tile: &Tile, scalar: Scalar) -> Result<(), String> {
        let bytes = tile.buffers.get(self.parameters).map_or(0, |buffer| buffer.bytes);
        match scalar {
            Scalar::Parameter(word) | Scalar::Sum { parameter: word, .. } if (word + 1) * 4 > bytes => {
                Err(format!("the core has no parameter {word}"))
            }
            _ => Ok(()),
        }
    }

    fn fits(&self, tile: &Tile, kernel: Kernel, operands: &[Operand]) -> Result<(), String> {
        let name = kernel.name();
        if operands.len() != kernel.buffers().len() {
            return Err(format!("kernel {name} is called with {} buffers", operands.len()));
        }
        for (operand, signature) in operands.iter().zip(kernel.buffers()) {
            let bytes = signature.bytes;
            let (buffers, offset) = match operand {
                Operand::Buffer { buffer, offset_bytes } => (std::slice::from_ref(buffer), *offset_bytes),
                Operand::Ring(ring) => (self.rings[self.ring(*ring)?].buffers.as_slice(), 0),
            };
            let fits = |buffer: &usize| tile.buffers.get(*buffer).is_some_and(|buffer| offset + bytes <= buffer.bytes);
            if !buffers.iter().all(fits) {
                return Err(format!("kernel {name} needs {bytes} bytes where a buffer has less"));
            }
        }
        Ok(())
    }
}
