//! One tile's memory, aligned as its kernels demand.

#![allow(unsafe_code)]

use std::ops::{Deref, DerefMut};

/// What every buffer of a kernel is aligned to, in bytes: the widest load.
pub const ALIGNMENT: usize = 64;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; ALIGNMENT]);

/// One allocation of bytes, aligned to [`ALIGNMENT`]: a tile's data memory, or a test's.
#[derive(Clone)]
pub struct TileMemory {
    lines: Box<[Line]>,
}

impl TileMemory {
    /// Zero bytes, as many as asked for, rounded up to whole lines of [`ALIGNMENT`].
    pub fn new(bytes: usize) -> Self {
        Self { lines: vec![Line([0; ALIGNMENT]); bytes.div_ceil(ALIGNMENT)].into_boxed_slice() }
    }
}

impl Deref for TileMemory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: a line is ALIGNMENT bytes without padding, lines lie one behind the other, and every byte is initialised.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), size_of_val(&*self.lines)) }
    }
}

impl DerefMut for TileMemory {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, every bit pattern of a byte is a line's, and the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), size_of_val(&*self.lines)) }
    }
}
