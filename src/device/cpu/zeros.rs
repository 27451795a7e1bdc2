//! Zeros that take memory where they are written, and give it back when they go.
#![allow(unsafe_code)]

use std::alloc::{Layout, handle_alloc_error};
use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

/// Numbers in pages of their own.
///
/// An allocator that reuses memory has to write its zeros, and keeps it for the thread that asked (glibc's from the first block on that
/// was freed): each engine that followed on another would have all lanes of all sessions resident, and keep them.
pub struct Zeros {
    /// Never empty.
    pages: MmapMut,
    length: usize,
}

impl Zeros {
    /// So many zeros. Without memory for them the process ends, as for a `Vec`.
    pub fn new(length: usize) -> Self {
        let layout = Layout::array::<f32>(length.max(1)).expect("a session is smaller than the address space");
        let pages = MmapMut::map_anon(layout.size()).unwrap_or_else(|_| handle_alloc_error(layout));
        Self { pages, length }
    }
}

impl Deref for Zeros {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: a mapping begins at a page, is this long, belongs to nobody else, and every pattern of bits is a number.
        unsafe { std::slice::from_raw_parts(self.pages.as_ptr().cast(), self.length) }
    }
}

impl DerefMut for Zeros {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above; the mapping may be written.
        unsafe { std::slice::from_raw_parts_mut(self.pages.as_mut_ptr().cast(), self.length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    fn resident_bytes() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_not_written_takes_no_memory_though_others_had_it_before() {
        const LENGTH: usize = 7 << 20;
        let before = resident_bytes();
        for _ in 0..6 {
            let mut zeros = Zeros::new(LENGTH);
            zeros[LENGTH / 2] = 1.0;
            let grown = resident_bytes().saturating_sub(before);
            assert!(grown < LENGTH * size_of::<f32>() / 2, "{grown} bytes");
        }
    }

    #[test]
    fn they_are_zeros_and_can_be_written() {
        assert!(Zeros::new(0).is_empty());
        let mut zeros = Zeros::new(5_000);
        assert!(zeros.len() == 5_000 && zeros.iter().all(|zero| *zero == 0.0));
        zeros[4_999] = 1.0;
        assert_eq!(zeros.iter().sum::<f32>(), 1.0);
    }
}
