//! The program of a core: it takes a header from its column's stream, does what the header says, and takes the next.
//!
//! The words of a header are numbered by the constants in [`word`].

use super::design::{CoreProgram, Operand, Ring, RingIndex, Scalar, Statement};
use super::kernels::Kernel;
use super::layout;
use super::object::OBJECT_BYTES;
use super::overlay::RingOfTile;
use super::target::Target;

/// Reserved for the stack, at address 0.
pub const STACK_BYTES: usize = 2048;
/// What attention keeps about its queries.
pub use super::layout::STATE as STATE_BYTES;
/// Here the rings begin: the row stream's in the first bank, the others in the second, the scratch in the last two, so that the operands
/// of a product come from three banks.
pub const ROW_RING_ADDRESS: usize = 0x2000;
/// Accumulators of a product, retained rows, or what attention works on. What is left behind it is for the constants that
/// compiler and linker put there.
pub use super::layout::SCRATCH as SCRATCH_BYTES;

/// Bytes of a product's accumulators, 64 × 64.
pub use super::layout::ACCUMULATORS as ACCUMULATOR_BYTES;
/// In the scratch: 32 × 64 scores, and in another bank the queries and what is attended.
const SCORES: usize = 0;
const QUERIES: usize = ACCUMULATOR_BYTES;
const ATTENDED: usize = QUERIES + OBJECT_BYTES;
/// In the state: scales of retained rows.
const SCALES: usize = 0;

/// Numbers of operations, a header's first word.
pub mod operation {
    /// A tile of a product.
    pub const PRODUCT: i32 = 0;
    /// Normalises or quantises rows.
    pub const ROWS: i32 = 1;
    /// Attention of 32 queries of a head.
    pub const ATTENTION: i32 = 2;
}

/// What the words of a header mean, by operation.
pub mod word {
    use crate::device::npu::layout;

    /// The operation.
    pub const OPERATION: usize = 0;

    /// Product: pairs of objects that are multiplied.
    pub const DEPTH: usize = 1;
    /// Product: 0 for bf16, 1 for int8.
    pub const IS_INT8: usize = 2;
    /// Product: 1 if the sums become wide numbers with a bias, 0 if they stay as they are.
    pub const IS_FINISHED: usize = 6;
    /// Product and rows: groups of 4 rows that are computed.
    pub const ROW_GROUPS: usize = 3;
    /// Product: 1 if GELU follows.
    pub const GELU: usize = 4;
    /// Product: what comes out, see [`super::output`].
    pub const OUTPUT: usize = 5;
    /// Product whose greatest are kept: column of the whole product that is the tile's first.
    pub const FIRST_COLUMN: usize = 7;
    /// Product whose greatest are kept: columns of the tile that count.
    pub const COUNTED_COLUMNS: usize = 10;
    /// Product whose greatest are kept: 1 if the tile is the core's first.
    pub const IS_FIRST: usize = 11;
    /// Product of int8: right shift after the multiplier of the column.
    pub const COLUMN_SHIFT: usize = layout::WORD_FIRST_SHIFT;
    /// Product of int8: right shift after the scale of the row.
    pub const ROW_SHIFT: usize = layout::WORD_SECOND_SHIFT;

    /// Rows: objects of a core's rows.
    pub const OBJECTS: usize = 1;
    /// Rows: 0 for rows of bf16 taken as they are, 1 for wide ones that are normalised.
    pub const IS_NORMALISED: usize = 2;
    /// Rows: columns that count.
    pub const COLUMNS: usize = 4;
    /// Rows: columns that are stored, in wide rows.
    pub const PADDED_COLUMNS: usize = 5;
    /// Rows: objects of weight and bias.
    pub const WEIGHT_OBJECTS: usize = 6;
    /// Rows: where the weight is in the scratch.
    pub const WEIGHT_OFFSET: usize = 7;
    /// Rows: what comes out, see [`super::output`].
    pub const ROWS_OUTPUT: usize = 8;
    /// Rows: objects of a core's results.
    pub const RESULT_OBJECTS: usize = 9;
    /// Rows: blocks of 32 columns.
    pub const COLUMN_BLOCKS: usize = 10;
    /// Rows: 1 if the rows are bf16, 0 if they are wide.
    pub const IS_BF16: usize = 11;

    /// Attention: blocks of 64 keys.
    pub const KEY_BLOCKS: usize = 1;
    /// Attention: keys.
    pub const KEYS: usize = layout::WORD_KEYS;
    /// Attention: factor of a score.
    pub const SCORE_FACTOR: usize = layout::WORD_SCORE_SCALE;
    /// Attention: 1 if a query sees only some keys.
    pub const IS_CAUSAL: usize = layout::WORD_CAUSAL;
    /// Attention: last key that the first query sees.
    pub const FIRST_LAST_KEY: usize = layout::WORD_LAST_KEY;
}

/// Forms in which results leave a core.
pub mod output {
    /// Operand of bf16.
    pub const BF16: i32 = 0;
    /// Wide.
    pub const WIDE: i32 = 1;
    /// Product: wide, added to what comes with the column's stream.
    pub const SUM: i32 = 2;
    /// Product: operand of bf16, the power of numbers whose parts stand side by side.
    pub const POWER: i32 = 3;
    /// Product: wide, the logarithm.
    pub const LOGARITHM: i32 = 4;
    /// Product: operand of bf16, while each row's greatest is kept.
    pub const GREATEST: i32 = 5;
    /// Product of nothing: what was kept of each row's greatest.
    pub const KEPT: i32 = 6;
    /// Rows: operand of int8 with scales.
    pub const INT8: i32 = 2;
}

/// A core's memory: positions of its buffers, and its rings.
pub struct Memory {
    pub parameters: usize,
    pub state: usize,
    pub scratch: usize,
    pub row: RingOfTile,
    pub stream: RingOfTile,
    pub result: RingOfTile,
}

const ROW: RingIndex = 0;
const COLUMN: RingIndex = 1;
const RESULT: RingIndex = 2;

/// The program of the core in this column and row of cores.
pub fn program(memory: Memory, target: Target, column: usize, core_row: usize) -> CoreProgram {
    let input =
        |name, ring: &RingOfTile| Ring { name, buffers: ring.buffers.clone(), take: ring.full, give: ring.empty };
    let rings = vec![
        input("row", &memory.row),
        input("column", &memory.stream),
        Ring {
            name: "result",
            buffers: memory.result.buffers.clone(),
            take: memory.result.empty,
            give: memory.result.full,
        },
    ];
    let writer = Writer { parameters: memory.parameters, state: memory.state, scratch: memory.scratch };
    let body = vec![
        Statement::Take(COLUMN),
        call(Kernel::CopyObject, [Operand::Ring(COLUMN), writer.parameters()], []),
        Statement::Give(COLUMN),
        Statement::Select {
            case: Scalar::Parameter(word::OPERATION),
            cases: vec![
                writer.product(target, core_row),
                writer.rows(target, core_row),
                writer.attention(target, column, core_row),
            ],
        },
    ];
    CoreProgram { rings, parameters: memory.parameters, stack_bytes: STACK_BYTES, body }
}

struct Writer {
    parameters: usize,
    state: usize,
    scratch: usize,
}

impl Writer {
    fn product(&self, target: Target, core_row: usize) -> Vec<Statement> {
        let accumulators = self.scratch(0);
        let multiply = |kernel| {
            vec![call(
                kernel,
                [Operand::Ring(ROW), Operand::Ring(COLUMN), accumulators],
                [Scalar::Parameter(word::ROW_GROUPS)],
            )]
        };
        let store = |kernel| vec![call(kernel, [accumulators, Operand::Ring(RESULT)], [Scalar::Loop(0)])];
        let add =
            call(Kernel::StoreSum, [accumulators, Operand::Ring(COLUMN), Operand::Ring(RESULT)], [Scalar::Loop(0)]);
        let logarithm =
            call(Kernel::StoreLogarithm, [accumulators, self.parameters(), Operand::Ring(RESULT)], [Scalar::Loop(0)]);
        let state = Operand::Buffer { buffer: self.state, offset_bytes: 0 };
        let greatest = call(
            Kernel::Greatest,
            [accumulators, state],
            [word::ROW_GROUPS, word::FIRST_COLUMN, word::COUNTED_COLUMNS, word::IS_FIRST].map(Scalar::Parameter),
        );
        let kept = call(Kernel::StoreGreatest, [state, Operand::Ring(RESULT)], [Scalar::Parameter(word::ROW_GROUPS)]);
        let halves = || repeat(Scalar::Constant(2), with(&[RESULT], store(Kernel::StoreBf16)));
        // What is added comes for one core after the other.
        let sums = (0..target.core_rows).map(|row| {
            let body = match row == core_row {
                true => with(&[COLUMN, RESULT], vec![add.clone()]),
                false => with(&[COLUMN], vec![]),
            };
            repeat(Scalar::Constant(4), body)
        });
        vec![
            call(Kernel::Clear, [accumulators], []),
            repeat(
                Scalar::Parameter(word::DEPTH),
                with(
                    &[ROW, COLUMN],
                    vec![select(word::IS_INT8, vec![multiply(Kernel::ProductBf16), multiply(Kernel::ProductInt8)])],
                ),
            ),
            repeat(
                Scalar::Parameter(word::IS_FINISHED),
                vec![select(
                    word::IS_INT8,
                    vec![
                        vec![call(Kernel::FinishBf16, [accumulators, self.parameters()], [])],
                        with(
                            &[ROW],
                            vec![call(Kernel::FinishInt8, [accumulators, Operand::Ring(ROW), self.parameters()], [])],
                        ),
                    ],
                )],
            ),
            repeat(Scalar::Parameter(word::GELU), vec![call(Kernel::Gelu, [accumulators, self.parameters()], [])]),
            select(
                word::OUTPUT,
                vec![
                    vec![halves()],
                    vec![repeat(Scalar::Constant(4), with(&[RESULT], store(Kernel::StoreWide)))],
                    sums.collect(),
                    with(&[RESULT], vec![call(Kernel::StorePower, [accumulators, Operand::Ring(RESULT)], [])]),
                    vec![repeat(Scalar::Constant(4), with(&[RESULT], vec![logarithm]))],
                    vec![greatest, halves()],
                    with(&[RESULT], vec![kept]),
                ],
            ),
        ]
    }

    fn rows(&self, target: Target, core_row: usize) -> Vec<Statement> {
        let (scratch, scales) = (self.scratch(0), Operand::Buffer { buffer: self.state, offset_bytes: SCALES });
        let keep = |index| call(Kernel::Keep, [Operand::Ring(COLUMN), scratch], [index]);
        let (row_groups, blocks, is_bf16) = (
            Scalar::Parameter(word::ROW_GROUPS),
            Scalar::Parameter(word::COLUMN_BLOCKS),
            Scalar::Parameter(word::IS_BF16),
        );
        // All that comes is taken before anything is put out: the cores of a column wait for each other at both.
        let mut statements = vec![
            call(Kernel::Clear, [scratch], []),
            call(Kernel::Clear, [self.scratch(SCRATCH_BYTES - ACCUMULATOR_BYTES)], []),
            repeat(
                Scalar::Parameter(word::WEIGHT_OBJECTS),
                with(&[COLUMN], vec![keep(Scalar::Sum { parameter: word::OBJECTS, depth: 0 })]),
            ),
        ];
        statements.extend((0..target.core_rows).map(|row| {
            let body = if row == core_row { vec![keep(Scalar::Loop(0))] } else { vec![] };
            repeat(Scalar::Parameter(word::OBJECTS), with(&[COLUMN], body))
        }));
        let normalise = call(
            Kernel::Normalise,
            [scratch],
            [
                row_groups,
                Scalar::Parameter(word::COLUMNS),
                Scalar::Parameter(word::PADDED_COLUMNS),
                Scalar::Parameter(word::WEIGHT_OFFSET),
            ],
        );
        let results = |kernel, operands: &[Operand], scalars: &[Scalar]| {
            let mut all = vec![scratch];
            all.extend_from_slice(operands);
            all.push(Operand::Ring(RESULT));
            let mut numbers = vec![row_groups, Scalar::Loop(0)];
            numbers.extend_from_slice(scalars);
            let store = Statement::Call { kernel, operands: all, scalars: numbers };
            repeat(Scalar::Parameter(word::RESULT_OBJECTS), with(&[RESULT], vec![store]))
        };
        statements.extend([
            repeat(Scalar::Parameter(word::IS_NORMALISED), vec![normalise]),
            select(
                word::ROWS_OUTPUT,
                vec![
                    vec![results(Kernel::StoreRowsBf16, &[], &[blocks])],
                    vec![results(Kernel::StoreRowsWide, &[], &[])],
                    vec![
                        call(Kernel::Maxima, [scratch, scales], [row_groups, blocks, is_bf16]),
                        results(Kernel::StoreRowsInt8, &[scales], &[blocks, is_bf16]),
                    ],
                ],
            ),
        ]);
        statements
    }

    fn attention(&self, target: Target, column: usize, core_row: usize) -> Vec<Statement> {
        let (scores, queries, attended) = (self.scratch(SCORES), self.scratch(QUERIES), self.scratch(ATTENDED));
        let (state, stream) = (Operand::Buffer { buffer: self.state, offset_bytes: 0 }, Operand::Ring(COLUMN));
        // The row's stream brings the queries of one column after the other.
        let mut statements = vec![call(Kernel::Clear, [scores], [])];
        statements.extend((0..target.columns).flat_map(|of| {
            let begin = call(Kernel::AttendBegin, [Operand::Ring(ROW), queries, attended, state], []);
            with(&[ROW], if of == column { vec![begin] } else { vec![] })
        }));
        let halves = |call| repeat(Scalar::Constant(2), with(&[COLUMN], vec![call]));
        statements.extend([repeat(
            Scalar::Parameter(word::KEY_BLOCKS),
            vec![
                halves(call(Kernel::Scores, [queries, stream, scores], [Scalar::Loop(0)])),
                call(
                    Kernel::Softmax,
                    [scores, attended, state, self.parameters()],
                    [Scalar::Loop(0), Scalar::Constant((core_row * layout::QUERIES) as i32)],
                ),
                halves(call(Kernel::Values, [scores, stream, attended], [Scalar::Loop(0)])),
            ],
        )]);
        statements
            .extend(with(&[RESULT], vec![call(Kernel::AttendFinish, [attended, state, Operand::Ring(RESULT)], [])]));
        statements
    }

    fn parameters(&self) -> Operand {
        Operand::Buffer { buffer: self.parameters, offset_bytes: 0 }
    }

    fn scratch(&self, offset_bytes: usize) -> Operand {
        Operand::Buffer { buffer: self.scratch, offset_bytes }
    }
}

fn call<const O: usize, const S: usize>(kernel: Kernel, operands: [Operand; O], scalars: [Scalar; S]) -> Statement {
    Statement::Call { kernel, operands: operands.to_vec(), scalars: scalars.to_vec() }
}

fn repeat(times: Scalar, body: Vec<Statement>) -> Statement {
    Statement::Repeat { times, body }
}

fn select(word: usize, cases: Vec<Vec<Statement>>) -> Statement {
    Statement::Select { case: Scalar::Parameter(word), cases }
}

/// Takes a buffer of each of these rings, does something, and gives them on.
fn with(rings: &[RingIndex], body: Vec<Statement>) -> Vec<Statement> {
    let mut statements: Vec<Statement> = rings.iter().map(|&ring| Statement::Take(ring)).collect();
    statements.extend(body);
    statements.extend(rings.iter().map(|&ring| Statement::Give(ring)));
    statements
}
