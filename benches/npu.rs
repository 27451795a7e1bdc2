//! The emulated array: every kernel in every host build, and a whole encoder on it beside the same encoder on the processor.
//!
//!     cargo bench --no-default-features --features npu-emulator --bench npu
//!
//! Runs the encoder of the models that `WHISPERNPU_BENCH_MODELS` names, separated by spaces; without it of tiny.en. What the array
//! in silicon would take is predicted, not measured, and printed as such.
#![allow(clippy::panic, reason = "a bench that cannot run has nobody to tell but its reader")]

use std::ops::Range;
use std::time::Instant;

use gstwhispernpu::device::npu::{Kernel, TileMemory, Variant};
use gstwhispernpu::encoder::Encoder;
use gstwhispernpu::model::{self, Model};
use gstwhispernpu::scheduler::{DeviceChoice, Devices, Placement};

fn main() {
    println!("{:<18} {:<10} {:>10} {:>9}", "kernel", "build", "us a call", "GMAC/s");
    for &kernel in Kernel::ALL {
        for &variant in Variant::ALL.iter().filter(|variant| variant.is_available()) {
            measure_kernel(kernel, variant);
        }
    }
    println!("\n{:<44} {:>9} {:>13}", "encoder, one window, medians of 5", "seconds", "predicted ms");
    let names = std::env::var("WHISPERNPU_BENCH_MODELS").unwrap_or_else(|_| "tiny.en".into());
    for name in names.split_whitespace() {
        let path = model::find(name).unwrap_or_else(|error| panic!("{error}"));
        let model = Model::open(&path).expect("the model is whole");
        for device in [DeviceChoice::Cpu, DeviceChoice::NpuEmulator] {
            measure_encoder(name, &model, device);
        }
    }
}

fn measure_kernel(kernel: Kernel, variant: Variant) {
    const CALLS: u32 = 200;
    const RUNS: usize = 9;
    let mut end = 0;
    let places: Vec<Range<usize>> = kernel
        .buffers()
        .iter()
        .map(|buffer| {
            end += buffer.bytes;
            end - buffer.bytes..end
        })
        .collect();
    let mut memory = TileMemory::new(end);
    fill(&mut memory);
    let scalars = match kernel {
        Kernel::ProductBf16 | Kernel::ProductInt8 => vec![16],
        Kernel::Normalise => vec![2, 512, 512, 16384],
        Kernel::StoreRowsBf16 => vec![2, 0, 16],
        Kernel::Maxima => vec![2, 16, 0],
        Kernel::StoreRowsInt8 => vec![2, 0, 16, 0],
        _ => kernel.scalars().iter().map(|range| *range.start()).collect(),
    };
    let products = match kernel {
        Kernel::ProductInt8 => 64 * 64 * 64,
        Kernel::ProductBf16 => 64 * 32 * 64,
        Kernel::Scores | Kernel::Values => 32 * 64 * 32,
        _ => 0,
    };
    let seconds = median(RUNS, || {
        let begin = Instant::now();
        for _ in 0..CALLS {
            kernel.call(variant, &mut memory, &places, &scalars).expect("places and scalars are the kernel's");
        }
        begin.elapsed().as_secs_f64() / f64::from(CALLS)
    });
    let rate = match products {
        0 => String::new(),
        products => format!("{:.2}", f64::from(products) / seconds / 1e9),
    };
    println!("{:<18} {:<10} {:>10.2} {rate:>9}", kernel.name(), format!("{variant:?}"), seconds * 1e6);
}

/// bf16 around 1, which are numbers of moderate size in f32 as well.
fn fill(memory: &mut TileMemory) {
    let mut state = 50u32;
    for pair in memory.chunks_exact_mut(2) {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        pair.copy_from_slice(&(0x3e00 | (state >> 16) as u16 & 0x81ff).to_le_bytes());
    }
}

fn measure_encoder(name: &str, model: &Model, device: DeviceChoice) {
    let devices = Devices::choose(&Placement { device, threads: 2, ..Placement::default() }).expect("threads start");
    let mut encoder =
        Encoder::new(&*devices.encoder, &model.config, &model.weights).expect("the encoder fits").session();
    let frames = 2 * model.config.audio_positions;
    let mel: Vec<f32> =
        (0..frames * model.config.mel_bins).map(|index| ((index * 7919) % 2001) as f32 / 1000.0 - 1.0).collect();
    let predicted = || devices.encoder.completed().map_or(0.0, |completed| completed.predicted_seconds);
    let before = predicted();
    encoder.encode(&mel).expect("the encoder runs");
    let predicted_ms = (predicted() - before) * 1e3;
    let seconds = median(5, || {
        let begin = Instant::now();
        encoder.encode(&mel).expect("the encoder runs");
        begin.elapsed().as_secs_f64()
    });
    let line = format!("{name} on {}", devices.encoder.name());
    println!(
        "{line:<44} {seconds:>9.3} {:>13}",
        if predicted_ms > 0.0 { format!("{predicted_ms:.1}") } else { "-".into() }
    );
}

fn median(runs: usize, mut run: impl FnMut() -> f64) -> f64 {
    let mut seconds: Vec<f64> = (0..runs).map(|_| run()).collect();
    seconds.sort_by(f64::total_cmp);
    seconds[runs / 2]
}
