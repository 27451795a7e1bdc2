//! Lanes that go on from where another stands, and recall what another remembers.

use gstwhispernpu::device::{Activation, Extent, Mask, Operation, Procedure, Program, Rows, Session, Value};

use super::cases::numbers;
use super::{DEVICES, Row, Weights};

const WIDTH: usize = 32;
const HEADS: usize = 2;
const MEMORY_ROWS: usize = 20;

/// A small decoder's layer without its products: text attends to itself and to a memory.
struct Layer {
    session: Box<dyn Session>,
    input: Value,
    audio: Value,
    output: Value,
    remember: Procedure,
    step: Procedure,
    /// The same in which rows see all others of the lane.
    look: Procedure,
}

impl Layer {
    fn new(row: &Row) -> Self {
        let mut program = Program::default();
        let input = program.value("input", Rows::Step(8), WIDTH);
        let audio = program.value("audio", Rows::Step(MEMORY_ROWS), WIDTH);
        let (key, value) =
            (program.value("key", Rows::Grown(12), WIDTH), program.value("value", Rows::Grown(12), WIDTH));
        let mut step = |name| program.value(name, Rows::Step(8), WIDTH);
        let (query, attended, output) = (step("query"), step("attended"), step("output"));
        let (audio_key, audio_value) =
            (program.value("k", Rows::Step(MEMORY_ROWS), WIDTH), program.value("v", Rows::Step(MEMORY_ROWS), WIDTH));
        let memory = program.memory(MEMORY_ROWS, WIDTH, HEADS);
        let linear = |input, weight: &str, output| Operation::Linear {
            input,
            weight: weight.into(),
            bias: None,
            activation: Activation::None,
            residual: false,
            output,
        };
        let remember = program.procedure(vec![
            linear(audio, "a", audio_key),
            linear(audio, "b", audio_value),
            Operation::Remember { key: audio_key, value: audio_value, memory },
        ]);
        let [step, look] = [Mask::Causal, Mask::None].map(|mask| {
            program.procedure(vec![
                linear(input, "a", query),
                linear(input, "b", key),
                linear(input, "c", value),
                Operation::Attention { query, key, value, heads: HEADS, mask, output: attended },
                Operation::Recall { query: attended, memory, output },
            ])
        });
        let matrix = |seed| numbers(WIDTH * WIDTH, seed);
        let weights = Weights::default()
            .with("a", &[WIDTH, WIDTH], &matrix(60))
            .with("b", &[WIDTH, WIDTH], &matrix(61))
            .with("c", &[WIDTH, WIDTH], &matrix(62));
        let session = row.device.prepare(&program, &weights).unwrap().session(3);
        Self { session, input, audio, output, remember, step, look }
    }

    fn remember(&mut self, lane: usize, seed: u64) {
        self.session.write(self.audio, &numbers(MEMORY_ROWS * WIDTH, seed));
        self.session.run(self.remember, &[Extent::new(lane, MEMORY_ROWS, 0)]).unwrap();
    }

    fn step(&mut self, extents: &[Extent], seeds: &[u64]) -> Vec<f32> {
        self.run(self.step, extents, seeds)
    }

    fn look(&mut self, extent: Extent, seeds: &[u64]) -> Vec<f32> {
        self.run(self.look, &[extent], seeds)
    }

    fn run(&mut self, procedure: Procedure, extents: &[Extent], seeds: &[u64]) -> Vec<f32> {
        let rows: Vec<f32> = seeds.iter().flat_map(|seed| numbers(WIDTH, *seed)).collect();
        self.session.write(self.input, &rows);
        self.session.run(procedure, extents).unwrap();
        self.session.read(self.output)[..rows.len()].to_vec()
    }
}

#[test]
fn a_lane_goes_on_from_where_another_stands() {
    for row in DEVICES.iter() {
        let mut layer = Layer::new(row);
        layer.remember(0, 70);
        layer.remember(1, 71);
        layer.step(&[Extent::new(0, 3, 0)], &[1, 2, 3]);
        let alone = layer.step(&[Extent::new(0, 1, 3)], &[4]);

        layer.step(&[Extent::new(0, 4, 0), Extent::new(1, 4, 0)], &[1, 2, 3, 9, 1, 7, 8, 6]);
        // They have the first row in common.
        layer.session.copy_kept(0, 1, 1..3);
        let own = layer.step(&[Extent::new(1, 1, 3)], &[4]);
        assert_ne!(own, alone, "{}: lane 1 has a memory of its own", row.name);
        let shared = layer.step(&[Extent { memory_lane: 0, ..Extent::new(1, 1, 3) }], &[4]);
        assert_eq!(shared, alone, "{}", row.name);

        // Beside a lane that goes another way.
        layer.session.copy_kept(1, 2, 0..3);
        let extents = [Extent::new(0, 1, 3), Extent { memory_lane: 0, ..Extent::new(2, 1, 3) }];
        let beside = layer.step(&extents, &[5, 4]);
        assert_ne!(beside[..WIDTH], alone, "{}", row.name);
        // Products of f32 may be summed in another order where there are more rows.
        let worst = beside[WIDTH..].iter().zip(&alone).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        let tolerance = if row.name.contains("F32") { 1e-5 } else { 0.0 };
        assert!(worst <= tolerance, "{}: {worst}", row.name);
    }
}

#[test]
fn rows_see_what_their_lane_keeps() {
    for row in DEVICES.iter() {
        let mut layer = Layer::new(row);
        (0..2).for_each(|lane| layer.remember(lane, 70));
        let whole = layer.look(Extent::new(1, 8, 0), &[1, 2, 3, 4, 5, 6, 7, 8]);
        layer.look(Extent::new(0, 8, 0), &[9, 8, 7, 6, 5, 4, 3, 2]);
        layer.look(Extent::new(1, 5, 0), &[1, 2, 3, 4, 5]);
        let behind = layer.look(Extent::new(1, 3, 5), &[6, 7, 8]);
        // Products of f32 may be summed in another order where there are fewer rows.
        let worst = behind.iter().zip(&whole[5 * WIDTH..]).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        let tolerance = if row.name.contains("F32") { 1e-5 } else { 0.0 };
        assert!(worst <= tolerance, "{}: {worst}", row.name);
        let alone = layer.look(Extent::new(1, 3, 0), &[6, 7, 8]);
        assert_ne!(alone, behind, "{}", row.name);
    }
}
