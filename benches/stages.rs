//! Each stage on one 30 s window: log-mel, encoder, one decoder step, and the whole window to text.
//!
//! Runs on the models that `WHISPERNPU_BENCH_MODELS` names, separated by spaces; without it on tiny.en.
#![allow(clippy::panic, reason = "a bench that cannot run has nobody to tell but its reader")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use gstwhispernpu::decoder::{Decoder, Options};
use gstwhispernpu::device::cpu::{Cpu, Precision};
use gstwhispernpu::encoder::Encoder;
use gstwhispernpu::mel::{FrontEnd, WINDOW_SAMPLES};
use gstwhispernpu::model::{self, Model};
use gstwhispernpu::scheduler::Pipeline;
use gstwhispernpu::segment::Window;

const SPEECH: &str = "/usr/share/pocketsphinx/test/data/librivox";

fn stages(criterion: &mut Criterion) {
    let names = std::env::var("WHISPERNPU_BENCH_MODELS").unwrap_or_else(|_| "tiny.en".into());
    for name in names.split_whitespace() {
        let path = model::find(name).unwrap_or_else(|error| panic!("{error}"));
        for (threads, precision) in
            [(2, Precision::Int8), (1, Precision::Int8), (2, Precision::Bf16), (2, Precision::F32)]
        {
            bench_model(criterion, name, &path, threads, precision);
        }
    }
}

fn bench_model(criterion: &mut Criterion, name: &str, path: &Path, threads: usize, precision: Precision) {
    let cpu = Cpu::new(threads, precision).expect("threads start");
    let model = Arc::new(Model::open(path).expect("the model is whole"));
    let samples = speech();
    let mut front = FrontEnd::new(&cpu, model.config.mel_bins).expect("the front end fits").session();
    let mut encoder = Encoder::new(&cpu, &model.config, &model.weights).expect("the encoder fits").session();
    let mut decoder = Decoder::new(&cpu, &model).expect("the decoder fits").session(1);
    let mut group = criterion.benchmark_group(format!("{name}, {precision:?}, {threads} threads"));
    group.sample_size(10);
    group.bench_function("log-mel", |bench| bench.iter(|| black_box(front.of(&samples).map(|mel| mel[0]))));
    let mel = front.of(&samples).expect("the window fits").to_vec();
    group.bench_function("encoder", |bench| bench.iter(|| black_box(encoder.encode(&mel).map(|states| states[0]))));
    let states = encoder.encode(&mel).expect("the spectrogram fits").to_vec();
    group.bench_function("cross-attention keys and values", |bench| bench.iter(|| decoder.listen(0, &states)));
    group.bench_function("decoder, 64 tokens", |bench| {
        bench.iter(|| {
            decoder.listen(0, &states)?;
            (0..64).try_for_each(|token| {
                decoder.step(&[(0, &[token])]).map(|logits| assert!(black_box(logits[0]).is_finite()))
            })
        })
    });
    let pipeline = Pipeline::new(model.clone(), &cpu).expect("the model fits");
    let mut session = pipeline.session(1);
    let window = Window { start_samples: 0, samples, is_last: true };
    group.bench_function("window to text", |bench| {
        bench.iter(|| {
            session.begin(0, &window, &Options::default())?;
            loop {
                if let Some((_, transcript)) = session.step()?.pop() {
                    return Ok::<_, gstwhispernpu::Error>(transcript.timings.tokens);
                }
            }
        })
    });
    group.finish();
}

/// Sentences of Debian's pocketsphinx-testdata, one after another, to fill a window.
fn speech() -> Vec<f32> {
    let mut samples = Vec::new();
    for clip in ["0870", "0880", "0890", "0920", "0930"] {
        let path = format!("{SPEECH}/sense_and_sensibility_01_austen_64kb-{clip}.wav");
        let mut reader = hound::WavReader::open(&path)
            .unwrap_or_else(|error| panic!("{path}: {error}; install the Debian package pocketsphinx-testdata"));
        samples.extend(reader.samples::<i16>().map(|sample| sample.expect("the file is whole") as f32 / 32_768.0));
        samples.extend([0.0; 6_400]);
    }
    samples.resize(WINDOW_SAMPLES, 0.0);
    samples
}

criterion_group!(benches, stages);
criterion_main!(benches);
