//! How fast the emulator is; run by hand: `cargo test --release --test npu speed -- --ignored --nocapture`.

use std::time::Instant;

use gstwhispernpu::device::npu::emulator::DdrMemory;

use super::workshop::*;

#[test]
#[ignore = "prints a measurement"]
fn objects_through_a_column() {
    for threads in [1, 2] {
        let bytes = 16384 * OBJECT;
        let mut emulator = emulator(super::determinism::columns(), threads);
        let mut ddr = [DdrMemory::from_bytes(sample(bytes)), DdrMemory::new(bytes)];
        let begin = Instant::now();
        let report = emulator.run(&super::determinism::in_columns(bytes / 4), &mut ddr).unwrap();
        let seconds = begin.elapsed().as_secs_f64();
        println!(
            "{threads} threads: {:.2} GB/s of streams, {:.2} us a call, {} calls, predicted {:.1} ms",
            report.stream_bytes as f64 / seconds / 1e9,
            seconds * 1e6 / report.kernels["copy_object"].calls as f64,
            report.kernels["copy_object"].calls,
            report.seconds * 1e3
        );
    }
}
