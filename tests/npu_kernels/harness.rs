//! Calls a kernel in every build, and makes inputs.

use gstwhispernpu::device::npu::{Kernel, TileMemory, Variant};

/// What a kernel must not rely on: the contents of buffers that it only writes.
const POISON: u8 = 0xa5;

/// Calls the kernel with these contents of its buffers (empty: poison) in each build; gives the buffers after it.
///
/// Panics if two builds disagree, or if a byte around the buffers has changed.
pub fn call(kernel: Kernel, contents: &[&[u8]], scalars: &[i32]) -> Vec<Vec<u8>> {
    let results: Vec<_> = Variant::ALL
        .iter()
        .filter(|variant| variant.is_available())
        .map(|&variant| call_build(variant, kernel, contents, scalars))
        .collect();
    for result in &results {
        assert!(*result == results[0], "{kernel:?} {scalars:?}: builds disagree");
    }
    results.into_iter().next().unwrap()
}

fn call_build(variant: Variant, kernel: Kernel, contents: &[&[u8]], scalars: &[i32]) -> Vec<Vec<u8>> {
    const GAP: usize = 64;
    let mut memory = TileMemory::new(GAP + kernel.buffers().iter().map(|buffer| buffer.bytes + GAP).sum::<usize>());
    memory.fill(POISON);
    let mut end = 0;
    let mut places = Vec::new();
    for (buffer, content) in kernel.buffers().iter().zip(contents) {
        let start = end + GAP;
        end = start + buffer.bytes;
        memory[start..start + content.len()].copy_from_slice(content);
        places.push(start..end);
    }
    kernel.call(variant, &mut memory, &places, scalars).unwrap();
    let gaps = places.iter().map(|place| place.start - GAP..place.start).chain(std::iter::once(end..end + GAP));
    for gap in gaps {
        assert!(memory[gap].iter().all(|&byte| byte == POISON), "{kernel:?} wrote outside its buffers");
    }
    places.into_iter().map(|place| memory[place].to_vec()).collect()
}

/// Numbers from a seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn bits(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32
    }

    pub fn below(&mut self, limit: u32) -> u32 {
        ((u64::from(self.bits()) * u64::from(limit)) >> 32) as u32
    }

    /// From -1 to 1.
    pub fn unit(&mut self) -> f64 {
        f64::from(self.bits()) / f64::from(u32::MAX) * 2.0 - 1.0
    }

    /// Roughly normal, with deviation 1.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit() / 2.0).sum()
    }

    /// An i32 of any size.
    pub fn any_size(&mut self) -> i32 {
        let shift = self.below(32);
        self.bits() as i32 >> shift
    }
}
