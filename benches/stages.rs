//! Each stage on one 30 s window: log-mel, encoder, one decoder step, and the whole window to text.
//!
//! Runs on the models that `WHISPERNPU_BENCH_MODELS` names, separated by spaces; without it on tiny.en.
#![allow(clippy::panic, reason = "a bench that cannot run has nobody to tell but its reader")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use gstwhispernpu::decoder::{Decoder, Options};
use gstwhispernpu::device::cpu::Precision;
use gstwhispernpu::encoder::Encoder;
use gstwhispernpu::mel::{FrontEnd, WINDOW_FRAMES, WINDOW_SAMPLES, normalise};
use gstwhispernpu::model::{self, Model};
use gstwhispernpu::scheduler::{Devices, Pipeline, Placement};
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
    let placement = Placement { threads, precision: Some(precision), ..Placement::default() };
    let devices = Devices::choose(&placement).expect("threads start");
    let model = Arc::new(Model::open(path).expect("the model is whole"));
    let samples = speech();
    let front = FrontEnd::new(&*devices.mel, model.config.mel_bins).expect("the front end fits");
    let mut encoder =
        Encoder::new(&*devices.encoder, &model.config, &model.weights).expect("the encoder fits").session();
    let mut decoder = Decoder::new(&*devices.decoder, &model).expect("the decoder fits").session(1);
    let mut group = criterion.benchmark_group(format!("{name}, {precision:?}, {threads} threads"));
    group.sample_size(10);
    group.bench_function("log-mel", |bench| bench.iter(|| black_box(log_mel(&front, &samples, WINDOW_SAMPLES).len())));
    group.bench_function("log-mel, as 20 ms at a time come", |bench| {
        bench.iter(|| black_box(log_mel(&front, &samples, WINDOW_SAMPLES / 1500).len()))
    });
    let log_mel = log_mel(&front, &samples, WINDOW_SAMPLES);
    let mut mel = vec![0.0; WINDOW_FRAMES * model.config.mel_bins];
    group.bench_function("scaling of the window's log-mel", |bench| bench.iter(|| normalise(&log_mel, &mut mel)));
    group.bench_function("encoder", |bench| bench.iter(|| black_box(encoder.encode(&mel).map(|states| states[0]))));
    let states = encoder.encode(&mel).expect("the spectrogram fits").to_vec();
    group.bench_function("cross-attention keys and values", |bench| bench.iter(|| decoder.listen(0, &states)));
    group.bench_function("decoder, 64 tokens", |bench| {
        bench.iter(|| {
            decoder.listen(0, &states)?;
            (0..64).try_for_each(|token| {
                decoder
                    .step([(0, [token].as_slice())].into_iter())
                    .map(|logits| assert!(black_box(logits[0]).is_finite()))
            })
        })
    });
    let pipeline = Pipeline::new(model.clone(), &devices).expect("the model fits");
    let mut session = pipeline.session(1);
    let window =
        Window { start_samples: 0, length_samples: WINDOW_SAMPLES, log_mel, is_last: true, ..Window::default() };
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

/// The logarithms of a window that comes in pieces.
fn log_mel(front: &FrontEnd, samples: &[f32], piece_samples: usize) -> Vec<f32> {
    let mut spectrogram = front.spectrogram();
    samples.chunks(piece_samples).for_each(|piece| spectrogram.push(piece).expect("the device runs"));
    spectrogram.end().expect("the device runs");
    spectrogram.window(&(0..WINDOW_SAMPLES as u64)).expect("the stream is at its end").to_vec()
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
