//! The cases of each operation.

use gstwhispernpu::device::{Activation, Extent, Mask, Operation, Program, Rows};
use gstwhispernpu::mel::filter_bank;

use super::{Case, Weights, reference};

/// Deterministic numbers in −1..1 without a pattern that a kernel's lanes could share.
pub fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn step(rows: usize) -> Vec<Extent> {
    vec![Extent::new(0, rows, 0)]
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| x as f64).collect()
}

/// One, a vector's width and its neighbours, primes, and Whisper's own.
const SIZES: &[(usize, usize, usize)] =
    &[(1, 1, 1), (1, 15, 17), (1, 384, 31), (1, 1, 97), (2, 16, 16), (7, 31, 33), (13, 64, 129), (65, 127, 3)];

pub fn linear() -> Vec<Case> {
    let mut cases = Vec::new();
    for &(rows, inputs, outputs) in SIZES {
        for (activation, biased, residual) in [
            (Activation::None, false, false),
            (Activation::None, true, true),
            (Activation::None, true, false),
            (Activation::Gelu, true, false),
        ] {
            let (x, w) = (numbers(rows * inputs, 1), numbers(outputs * inputs, 2));
            let (bias, before) = (numbers(outputs, 3), numbers(rows * outputs, 4));
            let mut program = Program::default();
            let input = program.value("input", Rows::Step(rows + 3), inputs);
            let output = program.value("output", Rows::Step(rows + 3), outputs);
            let mut expected = reference::linear(&x, &w, biased.then_some(&bias), rows, inputs, outputs);
            if activation == Activation::Gelu {
                expected.iter_mut().for_each(|y| *y = reference::gelu(*y));
            }
            if residual {
                expected.iter_mut().zip(&before).for_each(|(y, before)| *y += *before as f64);
            }
            cases.push(Case {
                name: format!("linear {rows}x{inputs}x{outputs} {activation:?} bias {biased} residual {residual}"),
                program,
                operations: vec![Operation::Linear {
                    input,
                    weight: "w".into(),
                    bias: biased.then(|| "b".into()),
                    activation,
                    residual,
                    output,
                }],
                weights: Weights::default().with("w", &[outputs, inputs], &w).with("b", &[outputs], &bias),
                inputs: vec![(input, x), (output, before)],
                tokens: None,
                extents: step(rows),
                output,
                expected,
            });
        }
    }
    cases
}

pub fn attention() -> Vec<Case> {
    let mut cases = Vec::new();
    // (queries, keys held before, head width, heads); 129 queries cross two of any power-of-two blocks up to 64.
    for (rows, past, depth, heads) in
        [(1, 0, 1, 1), (1, 6, 17, 3), (1, 1499, 64, 2), (3, 0, 16, 2), (5, 11, 31, 1), (129, 0, 8, 3), (67, 40, 64, 6)]
    {
        for mask in [Mask::None, Mask::Causal] {
            let (width, keys) = (depth * heads, past + rows);
            let (q, k, v) = (numbers(rows * width, 5), numbers(keys * width, 6), numbers(keys * width, 7));
            // Large scores, so that a softmax without the maximum subtracted would overflow somewhere.
            let q: Vec<f32> = q.iter().map(|x| x * 8.0).collect();
            let mut program = Program::default();
            let query = program.value("query", Rows::Step(rows), width);
            let key = program.value("key", Rows::Grown(keys + 2), width);
            let value = program.value("value", Rows::Grown(keys + 2), width);
            let output = program.value("output", Rows::Step(rows), width);
            let visible = |row: usize| if mask == Mask::Causal { past + row + 1 } else { keys };
            cases.push(Case {
                name: format!("attention {rows} queries, {keys} keys, {heads} heads of {depth}, {mask:?}"),
                program,
                operations: vec![Operation::Attention { query, key, value, heads, mask, output }],
                weights: Weights::default(),
                expected: reference::attention([&q, &k, &v], width, heads, visible),
                inputs: vec![(query, q), (key, k), (value, v)],
                tokens: None,
                extents: vec![Extent::new(0, rows, past)],
                output,
            });
        }
    }
    cases
}

pub fn layer_norm() -> Vec<Case> {
    let sizes = [(1, 1), (1, 17), (3, 64), (33, 384), (70, 31)];
    let case = |(rows, width): (usize, usize)| {
        let x: Vec<f32> = numbers(rows * width, 8).iter().map(|x| x * 30.0 + 7.0).collect();
        let (weight, bias) = (numbers(width, 9), numbers(width, 10));
        let mut program = Program::default();
        let input = program.value("input", Rows::Step(rows), width);
        let output = program.value("output", Rows::Step(rows), width);
        Case {
            name: format!("layer norm {rows}x{width}"),
            program,
            operations: vec![Operation::LayerNorm { input, weight: "w".into(), bias: "b".into(), output }],
            weights: Weights::default().with("w", &[width], &weight).with("b", &[width], &bias),
            expected: reference::layer_norm(&x, &weight, &bias),
            inputs: vec![(input, x)],
            tokens: None,
            extents: step(rows),
            output,
        }
    };
    sizes.into_iter().map(case).collect()
}

pub fn convolution() -> Vec<Case> {
    let mut cases = Vec::new();
    for (rows, inputs, outputs, stride) in [(2, 1, 1, 1), (2, 1, 1, 2), (30, 80, 17, 1), (46, 31, 33, 2), (9, 5, 3, 1)]
    {
        let (x, w, bias) = (numbers(rows * inputs, 11), numbers(outputs * inputs * 3, 12), numbers(outputs, 13));
        let mut program = Program::default();
        let input = program.value("input", Rows::Fixed(rows), inputs);
        let output = program.value("output", Rows::Fixed(rows / stride), outputs);
        let expected = reference::convolution(&x, &w, &bias, inputs, stride);
        cases.push(Case {
            name: format!("convolution {rows}x{inputs} to {outputs}, stride {stride}"),
            program,
            operations: vec![Operation::Convolution {
                input,
                weight: "w".into(),
                bias: "b".into(),
                stride,
                activation: Activation::Gelu,
                output,
            }],
            weights: Weights::default().with("w", &[outputs, inputs, 3], &w).with("b", &[outputs], &bias),
            inputs: vec![(input, x)],
            tokens: None,
            extents: step(rows),
            output,
            expected: expected.into_iter().map(reference::gelu).collect(),
        });
    }
    cases
}

pub fn embedding() -> Vec<Case> {
    let case = |(tokens, past): (&[u32], usize)| {
        let (vocabulary, width, positions) = (11, 5, 9);
        let (weight, place) = (numbers(vocabulary * width, 14), numbers(positions * width, 15));
        let mut program = Program::default();
        let input = program.value("tokens", Rows::Step(positions), 1);
        let output = program.value("output", Rows::Step(positions), width);
        let mut expected = Vec::new();
        for (row, &token) in tokens.iter().enumerate() {
            for i in 0..width {
                let position = place[(past + row) * width + i];
                expected.push(weight[token as usize * width + i] as f64 + position as f64);
            }
        }
        Case {
            name: format!("embedding of {tokens:?} at {past}"),
            program,
            operations: vec![Operation::Embedding { tokens: input, weight: "w".into(), positions: "p".into(), output }],
            weights: Weights::default().with("w", &[vocabulary, width], &weight).with("p", &[positions, width], &place),
            inputs: Vec::new(),
            tokens: Some((input, tokens.to_vec())),
            extents: vec![Extent::new(0, tokens.len(), past)],
            output,
            expected,
        }
    };
    [(&[10u32][..], 0), (&[3, 0, 10, 3][..], 5)].into_iter().map(case).collect()
}

/// Positions through a linear layer whose weights are integers: what is rounded is the rows.
pub fn text() -> Vec<Case> {
    let case = |(rows, inputs, outputs): (usize, usize, usize)| {
        let (weight, place) = (integers(outputs, inputs, 29), numbers(rows * inputs, 30));
        let tokens: Vec<u32> = (0..rows as u32).map(|row| row % 3).collect();
        let mut program = Program::default();
        let input = program.value("tokens", Rows::Step(rows), 1);
        let states = program.value("states", Rows::Step(rows), inputs);
        let output = program.value("output", Rows::Step(rows), outputs);
        let linear = Operation::Linear {
            input: states,
            weight: "w".into(),
            bias: None,
            activation: Activation::None,
            residual: false,
            output,
        };
        Case {
            name: format!("text {rows}x{inputs}x{outputs}"),
            program,
            operations: vec![
                Operation::Embedding { tokens: input, weight: "e".into(), positions: "p".into(), output: states },
                linear,
            ],
            weights: Weights::default().with("w", &[outputs, inputs], &weight).with("p", &[rows, inputs], &place).with(
                "e",
                &[3, inputs],
                &vec![0.0; 3 * inputs],
            ),
            inputs: Vec::new(),
            tokens: Some((input, tokens)),
            extents: step(rows),
            output,
            expected: reference::linear(&place, &weight, None, rows, inputs, outputs),
        }
    };
    [(1, 17, 5), (1, 384, 65), (2, 1543, 67), (7, 384, 3), (13, 1300, 131)].into_iter().map(case).collect()
}

/// Rows of 127ths, with 1 among them.
fn integers(rows: usize, columns: usize, seed: u64) -> Vec<f32> {
    let mut integers: Vec<f32> = numbers(rows * columns, seed).iter().map(|x| (x * 127.0).round() / 127.0).collect();
    integers.chunks_mut(columns).for_each(|row| row[0] = 1.0);
    integers
}

/// Rows at the beginning of their lane, and behind others.
pub fn add() -> Vec<Case> {
    let case = |past: usize| {
        let (before, addend) = (numbers(21, 16), numbers(42, 17));
        let mut program = Program::default();
        let value = program.value("value", Rows::Step(3), 7);
        let added = &addend[past * 7..][..21];
        Case {
            name: format!("add 3x7 behind {past} rows"),
            program,
            operations: vec![Operation::Add { value, addend: "a".into() }],
            expected: widen(&before).iter().zip(added).map(|(x, a)| x + *a as f64).collect(),
            weights: Weights::default().with("a", &[6, 7], &addend),
            inputs: vec![(value, before)],
            tokens: None,
            extents: vec![Extent::new(0, 3, past)],
            output: value,
        }
    };
    [0, 2].into_iter().map(case).collect()
}

pub fn last_row() -> Vec<Case> {
    let x = numbers(12, 18);
    let mut program = Program::default();
    let input = program.value("input", Rows::Step(9), 3);
    let output = program.value("output", Rows::Each(2), 3);
    vec![Case {
        name: "last row of four".into(),
        program,
        operations: vec![Operation::LastRow { input, output }],
        weights: Weights::default(),
        expected: widen(&x[9..]),
        inputs: vec![(input, x)],
        tokens: None,
        extents: step(4),
        output,
    }]
}

pub fn log_mel() -> Vec<Case> {
    let (window, hop) = (400, 160);
    let case = |name: &str, frames: usize, bins: usize, samples: &[f32]| {
        let filters = filter_bank(bins);
        let samples = samples[..(frames - 1) * hop + window].to_vec();
        let mut program = Program::default();
        let input = program.value("samples", Rows::Fixed(samples.len() + 2 * hop), 1);
        let mel = program.value("mel", Rows::Step(frames + 2), bins);
        Case {
            name: format!("log-mel of {name}, {frames} frames, {bins} bins"),
            program,
            operations: vec![Operation::LogMel {
                samples: input,
                mel,
                filters: filters.clone().into(),
                window_samples: window,
                hop_samples: hop,
            }],
            weights: Weights::default(),
            expected: reference::log_mel(&samples, &filters, window, hop),
            inputs: vec![(input, samples)],
            tokens: None,
            extents: step(frames),
            output: mel,
        }
    };
    let noise = numbers(50 * hop, 19);
    let level = |level: f32| -> Vec<f32> { noise.iter().map(|x| x * level).collect() };
    let mut gap = noise.clone();
    gap[..500].iter_mut().for_each(|x| *x *= 1e-3);
    gap[900..1500].fill(0.0);
    let silence = vec![0.0; noise.len()];
    let mut cases: Vec<Case> =
        [1, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 31, 37].map(|frames| case("noise with a gap", frames, 80, &gap)).into();
    cases.extend([case("noise", 17, 128, &noise), case("noise", 5, 3, &noise), case("silence", 9, 80, &silence)]);
    cases.extend([1e-2, 1e-5, 1e-9, 1e-30, 3e3].map(|x| case(&format!("noise at {x}"), 7, 80, &level(x))));
    cases
}

/// Programs that do not fit their weights, runs or tokens, and what the refusal says.
pub fn unfit() -> Vec<(Case, &'static str)> {
    let linear = |shape: &[usize], rows: usize, name: &str| {
        let mut case = self::linear().remove(4);
        let count = shape.iter().product();
        case.weights = Weights::default().with("b", &[17], &numbers(17, 1));
        if name == "w" {
            case.weights = case.weights.with("w", shape, &numbers(count, 2));
        }
        case.extents = step(rows);
        case
    };
    let mut outside = embedding().remove(0);
    outside.tokens = outside.tokens.map(|(value, _)| (value, vec![11]));
    vec![
        (linear(&[17, 15], 1, "other"), "no tensor w"),
        (linear(&[15, 17], 1, "w"), "should have the shape [17, 15], but it has [15, 17]"),
        (linear(&[17, 15], 5, "w"), "at most 4 rows, but the run needs 5"),
        (outside, "token 11 is outside the vocabulary of 11"),
    ]
}

/// Attention over all keys of the step, as an encoder's: few and many rows, keys around whole panels.
pub fn attention_to_the_step() -> Vec<Case> {
    let case = |(rows, depth, heads): (usize, usize, usize)| {
        let width = depth * heads;
        let [q, k, v] = [5, 6, 7].map(|seed| numbers(rows * width, seed));
        let q: Vec<f32> = q.iter().map(|x| x * 8.0).collect();
        // Offsets that are large against what differs between keys, as a trained model's are.
        let k: Vec<f32> = k.iter().enumerate().map(|(i, x)| x + (i % width % 7) as f32 * 0.2).collect();
        let mut program = Program::default();
        let mut declare = |name| program.value(name, Rows::Step(rows + 5), width);
        let (query, key, value, output) = (declare("query"), declare("key"), declare("value"), declare("output"));
        Case {
            name: format!("attention of {rows} rows to themselves, {heads} heads of {depth}"),
            program,
            operations: vec![Operation::Attention { query, key, value, heads, mask: Mask::None, output }],
            weights: Weights::default(),
            expected: reference::attention([&q, &k, &v], width, heads, |_| rows),
            inputs: vec![(query, q), (key, k), (value, v)],
            tokens: None,
            extents: step(rows),
            output,
        }
    };
    [(1, 64, 1), (2, 3, 2), (7, 16, 3), (15, 17, 1), (63, 64, 2), (64, 31, 2), (65, 64, 1), (211, 64, 3)]
        .into_iter()
        .map(case)
        .collect()
}

/// What some heads make of a memory that is not full, in an order of their own.
pub fn probabilities() -> Vec<Case> {
    let case = |(rows, depth, wanted): (usize, usize, &[usize])| {
        let (heads, limit) = (3, rows + 5);
        let width = depth * heads;
        let [q, k, v] = [5, 6, 7].map(|seed| numbers(rows * width, seed));
        let q: Vec<f32> = q.iter().map(|x| x * 8.0).collect();
        let mut program = Program::default();
        let mut declare = |name| program.value(name, Rows::Step(limit), width);
        let (query, key, value) = (declare("query"), declare("key"), declare("value"));
        let output = program.value("output", Rows::Step(rows), wanted.len() * limit);
        let memory = program.memory(limit, width, heads);
        let head = |x: &[f32], head: usize| -> Vec<f32> {
            x.chunks(width).flat_map(|row| row[head * depth..][..depth].to_vec()).collect()
        };
        let mut expected = Vec::new();
        for row in q.chunks(width) {
            for &index in wanted {
                expected.extend(reference::probabilities(&head(row, index), &head(&k, index)));
                expected.extend([0.0; 5]);
            }
        }
        Case {
            name: format!("probabilities of heads {wanted:?} of {depth} columns over {rows} keys"),
            program,
            operations: vec![
                Operation::Remember { key, value, memory },
                Operation::Probabilities { query, memory, heads: wanted.to_vec(), output },
            ],
            weights: Weights::default(),
            inputs: vec![(query, q), (key, k), (value, v)],
            tokens: None,
            extents: step(rows),
            output,
            expected,
        }
    };
    [(1, 1, &[0][..]), (2, 64, &[2, 0]), (15, 17, &[1]), (16, 64, &[1, 2]), (63, 31, &[0, 1, 2]), (130, 64, &[2])]
        .into_iter()
        .map(case)
        .collect()
}

/// A layer's row-wise half: what threads do block by block, and what they divide by columns where rows are few.
pub fn chain() -> Vec<Case> {
    let case = |(rows, width, hidden): (usize, usize, usize)| {
        let x = numbers(rows * width, 20);
        let (gamma, beta) = (numbers(width, 21), numbers(width, 22));
        let (up, up_bias) = (numbers(hidden * width, 23), numbers(hidden, 24));
        let (down, down_bias) = (numbers(width * hidden, 25), numbers(width, 26));
        let narrow = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect::<Vec<f32>>();
        let normed_x = narrow(reference::layer_norm(&x, &gamma, &beta));
        let mut middle = reference::linear(&normed_x, &up, Some(&up_bias), rows, width, hidden);
        middle.iter_mut().for_each(|y| *y = reference::gelu(*y));
        let mut expected = reference::linear(&narrow(middle), &down, Some(&down_bias), rows, hidden, width);
        expected.iter_mut().zip(&x).for_each(|(y, x)| *y += *x as f64);
        let mut program = Program::default();
        let value = program.value("x", Rows::Step(rows), width);
        let normed = program.value("normed", Rows::Step(rows), width);
        let inner = program.value("hidden", Rows::Step(rows), hidden);
        let linear = |input, name: &str, activation, residual, output| Operation::Linear {
            input,
            weight: name.into(),
            bias: Some(format!("{name}.bias")),
            activation,
            residual,
            output,
        };
        Case {
            name: format!("layer norm, linear with GELU, linear with residual: {rows}x{width}, {hidden}"),
            program,
            operations: vec![
                Operation::LayerNorm { input: value, weight: "g".into(), bias: "b".into(), output: normed },
                linear(normed, "up", Activation::Gelu, false, inner),
                linear(inner, "down", Activation::None, true, value),
            ],
            weights: Weights::default()
                .with("g", &[width], &gamma)
                .with("b", &[width], &beta)
                .with("up", &[hidden, width], &up)
                .with("up.bias", &[hidden], &up_bias)
                .with("down", &[width, hidden], &down)
                .with("down.bias", &[width], &down_bias),
            inputs: vec![(value, x)],
            tokens: None,
            extents: step(rows),
            output: value,
            expected,
        }
    };
    [(1, 31, 65), (12, 16, 64), (13, 48, 17), (49, 64, 130), (211, 33, 35)].into_iter().map(case).collect()
}

/// The greatest logit and the exact columns; what is promised of the others is only that they are not greater.
pub fn logits() -> Vec<Case> {
    let case = |(rows, width, outputs, exact_from): (usize, usize, usize, usize)| {
        logits_of(numbers(rows * width, 31), numbers(outputs * width, 32), (rows, width, outputs, exact_from))
    };
    [(1, 1, 1, 0), (1, 384, 5000, 4500), (2, 31, 700, 650), (7, 65, 1203, 1203), (8, 128, 2500, 2000)]
        .into_iter()
        .map(case)
        .collect()
}

/// Vectors that have most of their length in common, and states in which that part counts for nothing.
pub fn logits_of_vectors_alike() -> Vec<Case> {
    let (rows, width, outputs) = (2, 384, 1000);
    let (mut x, mut w, common) = (numbers(rows * width, 33), numbers(outputs * width, 34), numbers(width, 35));
    x.chunks_exact_mut(2).for_each(|pair| pair[1] = -pair[0]);
    for row in w.chunks_exact_mut(width) {
        row.iter_mut().enumerate().for_each(|(i, w)| *w = 0.05 * *w + common[i / 2]);
    }
    vec![logits_of(x, w, (rows, width, outputs, outputs - 100))]
}

fn logits_of(x: Vec<f32>, w: Vec<f32>, (rows, width, outputs, exact_from): (usize, usize, usize, usize)) -> Case {
    let mut program = Program::default();
    let input = program.value("input", Rows::Step(rows), width);
    let output = program.value("output", Rows::Step(rows), outputs);
    let mut expected = reference::linear(&x, &w, None, rows, width, outputs);
    for row in expected.chunks_mut(outputs) {
        let most = row[..exact_from].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row[..exact_from].iter_mut().filter(|y| **y < most).for_each(|y| *y = f64::NAN);
    }
    Case {
        name: format!("logits {rows}x{width}x{outputs}, exact from {exact_from}"),
        program,
        operations: vec![Operation::Logits { input, weight: "w".into(), exact_from, output }],
        weights: Weights::default().with("w", &[outputs, width], &w),
        inputs: vec![(input, x)],
        tokens: None,
        extents: step(rows),
        output,
        expected,
    }
}
