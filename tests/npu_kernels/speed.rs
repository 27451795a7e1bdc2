//! What a build does in a second: `cargo nextest run --release --run-ignored all -E 'test(speed)' --no-capture`.

use std::ops::Range;
use std::time::Instant;

use gstwhispernpu::device::npu::{Kernel, TileMemory, Variant};

use crate::harness::Random;

#[test]
#[ignore = "a measurement"]
fn speed_of_every_kernel() {
    let mut random = Random::new(50);
    for &variant in Variant::ALL.iter().filter(|variant| variant.is_available()) {
        for &kernel in Kernel::ALL {
            let mut memory = TileMemory::new(1 << 17);
            // Halves and singles of moderate size: exponents around 1.
            for pair in memory.chunks_exact_mut(2) {
                pair.copy_from_slice(&(0x3e00 | random.bits() as u16 & 0x81ff).to_le_bytes());
            }
            let mut end = 0;
            let places: Vec<Range<usize>> = kernel
                .buffers()
                .iter()
                .map(|buffer| {
                    end += buffer.bytes;
                    end - buffer.bytes..end
                })
                .collect();
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
            let begin = Instant::now();
            let mut calls = 0u32;
            while begin.elapsed().as_millis() < 100 {
                kernel.call(variant, &mut memory, &places, &scalars).unwrap();
                calls += 1;
            }
            let seconds = begin.elapsed().as_secs_f64() / f64::from(calls);
            let rate = f64::from(products) / seconds / 1e9;
            println!("{variant:?} {}: {:.2} us, {rate:.2} GMAC/s", kernel.name(), seconds * 1e6);
        }
    }
}
