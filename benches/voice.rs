//! Voice activity on 30 s of sound. The time for one second of it is the fraction of a core that it takes at 1x.
#![allow(clippy::panic, reason = "a bench that cannot run has nobody to tell but its reader")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gstwhispernpu::segment::voice::{self, Voice};

const SECONDS: usize = 30;

fn voice(criterion: &mut Criterion) {
    let path = voice::find().unwrap_or_else(|error| panic!("{error}"));
    let voice = Voice::open(&path).unwrap_or_else(|error| panic!("{error}"));
    let samples: Vec<f32> =
        (0..SECONDS * 16_000).map(|n| 0.3 * (n as f32 * 0.05).sin() * (n as f32 * 1e-3).cos()).collect();
    let mut listener = voice.listener();
    let mut probabilities = Vec::with_capacity(samples.len());
    let mut group = criterion.benchmark_group("voice activity");
    group.throughput(Throughput::Elements(SECONDS as u64));
    group.bench_function("30 s of sound", |bench| {
        bench.iter(|| {
            probabilities.clear();
            listener.push(black_box(&samples), &mut probabilities);
            black_box(probabilities.len())
        })
    });
    drop(listener);
    drop(voice);
    group.throughput(Throughput::Elements(1));
    group.bench_function("opening the weights", |bench| {
        bench.iter(|| Voice::open(&path).map(|voice| black_box(voice.listener())))
    });
    group.finish();
}

criterion_group!(benches, voice);
criterion_main!(benches);
