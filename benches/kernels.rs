//! Each operation at Whisper's sizes, in multiplications a second and as a fraction of what the processor can do; and the
//! log-mel front end in frames a second, beside the transform alone of the crate `realfft`.
//!
//!     cargo bench --no-default-features --bench kernels
//!     cargo bench --no-default-features --bench kernels -- int8 tiny      # lines with all of these words
//!
//! The peak is a loop of the instruction itself on registers, measured just before and after each operation, because
//! these machines' clocks and neighbours change. One line an operation; figures are medians, and the best time beside.
#![allow(unsafe_code, reason = "the peak is measured with the instruction itself")]

use std::hint::black_box;
use std::time::Instant;

use gstwhispernpu::device::cpu::{Cpu, Isa, Precision};
use gstwhispernpu::device::{
    Activation, DataType, Device, DeviceError, Extent, Mask, Operation, Program, Rows, TensorView, Tensors, Value,
};
use gstwhispernpu::mel::filter_bank;

fn main() {
    let threads_available = std::thread::available_parallelism().map_or(1, |count| count.get());
    let isa = Isa::choose().expect("WHISPERNPU_ISA is unset or names an instruction set of this processor");
    println!("instruction set {}, {threads_available} processors", isa.name());
    println!(
        "{:<44} {:>7} {:>7} {:>8} {:>8} {:>8} {:>9}",
        "operation", "numbers", "threads", "ms", "best ms", "GMAC/s", "of peak"
    );
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for threads in [1, threads_available.min(2)] {
        for precision in [Precision::Int8, Precision::Bf16, Precision::F32] {
            for case in cases() {
                let line = format!("{} {}", case.name, precision.name());
                if words.iter().all(|word| line.contains(word)) {
                    case.measure(isa, precision, threads);
                }
            }
        }
    }
    println!("\n{:<44} {:>8} {:>9}", "3000 frames of 400 samples, 1 thread", "ms", "frames/s");
    for precision in [Precision::Int8, Precision::F32] {
        measure_log_mel(isa, precision);
    }
    measure_realfft();
}

/// Frames of a window.
const FRAMES: usize = 3000;

fn measure_log_mel(isa: Isa, precision: Precision) {
    const FRAMES_AT_A_TIME: usize = 250;
    let mut program = Program::default();
    let samples = program.value("samples", Rows::Fixed(FRAMES_AT_A_TIME * 160 + 240), 1);
    let mel = program.value("mel", Rows::Step(FRAMES_AT_A_TIME), 80);
    let filters = filter_bank(80).into();
    let operation = Operation::LogMel { samples, mel, filters, window_samples: 400, hop_samples: 160 };
    let run = program.procedure(vec![operation]);
    let cpu = Cpu::with_isa(1, precision, isa).expect("threads start");
    let mut session = cpu.prepare(&program, &Noise).expect("a front end has no weights").session(1);
    session.write(samples, &noise(FRAMES_AT_A_TIME * 160 + 240, 1));
    let extents = [Extent::new(0, FRAMES_AT_A_TIME, 0)];
    let window = || (0..FRAMES / FRAMES_AT_A_TIME).for_each(|_| session.run(run, &extents).expect("the rows fit"));
    let arithmetic = if precision == Precision::F32 { "the reference, f64" } else { "log-mel, 80 bins" };
    print_frames(arithmetic, window);
}

fn measure_realfft() {
    let transform = realfft::RealFftPlanner::<f32>::new().plan_fft_forward(400);
    let (mut frame, mut spectrum) = (transform.make_input_vec(), transform.make_output_vec());
    let mut scratch = transform.make_scratch_vec();
    frame.copy_from_slice(&noise(400, 1));
    print_frames("realfft, f32, the transform alone", || {
        for _ in 0..FRAMES {
            transform.process_with_scratch(&mut frame, &mut spectrum, &mut scratch).expect("the lengths fit");
            black_box(&mut spectrum);
        }
    });
}

fn print_frames(name: &str, mut window: impl FnMut()) {
    let mut seconds = Vec::new();
    for _ in 0..60 {
        let start = Instant::now();
        window();
        seconds.push(start.elapsed().as_secs_f64());
    }
    let seconds = median(seconds);
    println!("{name:<44} {:>8.3} {:>9.0}", seconds * 1e3, FRAMES as f64 / seconds);
}

struct Case {
    name: &'static str,
    program: Program,
    operation: Operation,
    output: Value,
    rows: usize,
    macs: f64,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let linears = [
        ("attention's products, tiny: 1500x384x384", 1500, 384, 384, Activation::None),
        ("up with GELU, tiny: 1500x384x1536", 1500, 384, 1536, Activation::Gelu),
        ("down, tiny: 1500x1536x384", 1500, 1536, 384, Activation::None),
        ("up with GELU, base: 1500x512x2048", 1500, 512, 2048, Activation::Gelu),
        ("down, base: 1500x2048x512", 1500, 2048, 512, Activation::None),
        ("logits of one row, tiny: 1x384x51864", 1, 384, 51864, Activation::None),
        ("logits of eight rows, tiny: 8x384x51864", 8, 384, 51864, Activation::None),
    ];
    for (name, rows, inputs, outputs, activation) in linears {
        let mut program = Program::default();
        let input = program.value("input", Rows::Step(rows), inputs);
        let output = program.value("output", Rows::Step(rows), outputs);
        let weight = format!("{outputs} {inputs}");
        let operation = Operation::Linear { input, weight, bias: None, activation, residual: false, output };
        cases.push(Case { name, program, operation, output, rows, macs: (rows * inputs * outputs) as f64 });
    }
    for (name, width, heads) in
        [("attention, tiny: 1500 rows, 6 heads of 64", 384, 6), ("attention, base: 1500 rows, 8 heads of 64", 512, 8)]
    {
        let mut program = Program::default();
        let mut value = |name| program.value(name, Rows::Step(1500), width);
        let (query, key, value, output) = (value("query"), value("key"), value("value"), value("output"));
        let operation = Operation::Attention { query, key, value, heads, mask: Mask::None, output };
        cases.push(Case { name, program, operation, output, rows: 1500, macs: 2.0 * 1500.0 * 1500.0 * width as f64 });
    }
    cases
}

impl Case {
    fn measure(mut self, isa: Isa, precision: Precision, threads: usize) {
        let cpu = Cpu::with_isa(threads, precision, isa).expect("threads start");
        let procedure = self.program.procedure(vec![self.operation.clone()]);
        let prepared = cpu.prepare(&self.program, &Noise).expect("the weights fit");
        let mut session = prepared.session(1);
        if let Operation::Attention { query, key, value, .. } = self.operation {
            for (seed, value) in [query, key, value].into_iter().enumerate() {
                session.write(value, &noise(self.rows * 64, seed as u64 + 1));
            }
        } else if let Operation::Linear { input, .. } = self.operation {
            session.write(input, &noise(self.rows * 64, 1));
        }
        let extents = [Extent::new(0, self.rows, 0)];
        let repeats =
            (0.3e9 * if precision == Precision::Int8 { 20.0 } else { 4.0 } / self.macs).clamp(5.0, 60.0) as usize;
        let (mut seconds, mut peaks) = (Vec::new(), vec![peak(precision, threads)]);
        for _ in 0..repeats {
            let start = Instant::now();
            session.run(procedure, &extents).expect("the rows fit");
            seconds.push(start.elapsed().as_secs_f64());
            if seconds.len() % 5 == 0 {
                peaks.push(peak(precision, threads));
            }
        }
        black_box(session.read(self.output)[0]);
        let best = seconds.iter().copied().fold(f64::INFINITY, f64::min);
        let (seconds, peak) = (median(seconds), median(peaks));
        let rate = self.macs / seconds / 1e9;
        println!(
            "{:<44} {:>7} {threads:>7} {:>8.3} {:>8.3} {rate:>8.1} {:>8.0}%",
            self.name,
            precision.name(),
            seconds * 1e3,
            best * 1e3,
            rate / peak * 100.0
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Weights of any name, `outputs inputs`, made of noise.
struct Noise;

impl Tensors for Noise {
    fn tensor(&self, name: &str) -> Result<TensorView<'_>, DeviceError> {
        let shape: Vec<usize> = name.split(' ').filter_map(|size| size.parse().ok()).collect();
        let bytes: Vec<u8> = noise(shape.iter().product(), 7).iter().flat_map(|x| x.to_le_bytes()).collect();
        TensorView::new(name.to_owned(), shape, DataType::F32, Box::leak(bytes.into_boxed_slice()))
    }
}

/// GMAC/s of the instruction that products in this precision are made of, on so many threads.
fn peak(precision: Precision, threads: usize) -> f64 {
    const ROUNDS: usize = 200_000;
    let start = Instant::now();
    let macs: usize = std::thread::scope(|scope| {
        let loops: Vec<_> = (0..threads).map(|_| scope.spawn(|| registers(precision, ROUNDS))).collect();
        loops.into_iter().map(|handle| handle.join().expect("the loop ends")).sum()
    });
    macs as f64 / start.elapsed().as_secs_f64() / 1e9
}

#[cfg(target_arch = "x86_64")]
fn registers(precision: Precision, rounds: usize) -> usize {
    use std::arch::{asm, is_x86_feature_detected as has};
    if !has!("avx512f") || !has!("avx512vnni") {
        return scalar(rounds);
    }
    macro_rules! twelve {
        ($instruction:literal) => {
            // SAFETY: the features were checked; only registers are touched, and all of them are named.
            unsafe {
                asm!(
                    "vpxord zmm12, zmm12, zmm12",
                    "2:",
                    concat!($instruction, " zmm0, zmm12, zmm12"), concat!($instruction, " zmm1, zmm12, zmm12"),
                    concat!($instruction, " zmm2, zmm12, zmm12"), concat!($instruction, " zmm3, zmm12, zmm12"),
                    concat!($instruction, " zmm4, zmm12, zmm12"), concat!($instruction, " zmm5, zmm12, zmm12"),
                    concat!($instruction, " zmm6, zmm12, zmm12"), concat!($instruction, " zmm7, zmm12, zmm12"),
                    concat!($instruction, " zmm8, zmm12, zmm12"), concat!($instruction, " zmm9, zmm12, zmm12"),
                    concat!($instruction, " zmm10, zmm12, zmm12"), concat!($instruction, " zmm11, zmm12, zmm12"),
                    "dec {rounds}", "jnz 2b", "vzeroupper",
                    rounds = inout(reg) rounds => _,
                    out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _, out("xmm12") _,
                    options(nomem, nostack),
                );
            }
        };
    }
    let lanes = match precision {
        Precision::Int8 => {
            twelve!("vpdpbusd");
            64
        }
        Precision::Bf16 if has!("avx512bf16") => {
            twelve!("vdpbf16ps");
            32
        }
        Precision::Bf16 | Precision::F32 => {
            twelve!("vfmadd231ps");
            16
        }
    };
    rounds * 12 * lanes
}

#[cfg(not(target_arch = "x86_64"))]
fn registers(_: Precision, rounds: usize) -> usize {
    scalar(rounds)
}

/// Where no loop was written for the processor: what the compiler makes of sixteen sums.
fn scalar(rounds: usize) -> usize {
    let (mut sums, x) = ([0.0f32; 16], black_box(1.0f32));
    for _ in 0..rounds {
        sums.iter_mut().for_each(|sum| *sum = sum.mul_add(x, x));
    }
    black_box(sums);
    rounds * 16
}
