//! Every kernel, what it takes, and the call into it.
//!
//! The kernels are C++ (`kernels/`) and trust their arguments as the hardware would. Here the arguments are checked: as many
//! buffers as the signature says, each of its size, inside the memory, aligned and disjoint, and scalars that keep the kernel
//! inside its buffers whatever their contents.

#![allow(unsafe_code)]

use std::ops::{Range, RangeInclusive};

use super::layout::{ACCUMULATORS, BLOCK_ROWS, OBJECT, SCALE_PIECE, SCORES, SCRATCH, STATE};
use super::memory::{ALIGNMENT, TileMemory};
use super::variant::Variant;

/// What a kernel does with a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reads it.
    Read,
    /// Writes all of it and reads nothing of what was there.
    Write,
    /// Reads it and writes all or a part of it.
    Update,
}

/// A buffer argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Name of the argument.
    pub name: &'static str,
    /// What the kernel does with it.
    pub role: Role,
    /// Size in bytes.
    pub bytes: usize,
}

/// Why a kernel was not called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// Another number of buffers than the kernel takes.
    #[error("{kernel} takes {expected} buffers, not {received}")]
    Buffers {
        /// The kernel's name.
        kernel: &'static str,
        /// Buffers that it takes.
        expected: usize,
        /// Buffers that came.
        received: usize,
    },
    /// A buffer of another size.
    #[error("{kernel}: buffer {buffer} has {expected} bytes, not {received}")]
    Size {
        /// The kernel's name.
        kernel: &'static str,
        /// The buffer's name.
        buffer: &'static str,
        /// Bytes that it has.
        expected: usize,
        /// Bytes that came.
        received: usize,
    },
    /// A buffer that does not begin at a multiple of [`ALIGNMENT`], or ends outside the memory.
    #[error("{kernel}: buffer {buffer} at {start} is not aligned or not inside {memory} bytes")]
    Place {
        /// The kernel's name.
        kernel: &'static str,
        /// The buffer's name.
        buffer: &'static str,
        /// Where it begins, in bytes.
        start: usize,
        /// Bytes of the memory.
        memory: usize,
    },
    /// Two buffers share bytes, and one of them is written.
    #[error("{kernel}: buffers {first} and {second} overlap")]
    Overlap {
        /// The kernel's name.
        kernel: &'static str,
        /// A buffer's name.
        first: &'static str,
        /// The other buffer's name.
        second: &'static str,
    },
    /// Another number of scalars, or one that would lead the kernel out of its buffers.
    #[error("{kernel} cannot take the scalars {received:?}")]
    Scalars {
        /// The kernel's name.
        kernel: &'static str,
        /// Scalars that came.
        received: Vec<i32>,
    },
    /// This machine lacks the instructions of the build.
    #[error("this machine cannot run the kernels' build {variant:?}")]
    Variant {
        /// The build that was asked for.
        variant: Variant,
    },
}

const MOST_BUFFERS: usize = 4;
const MOST_SCALARS: usize = 4;

type Pointers = [*mut u8; MOST_BUFFERS];
type Scalars = [i32; MOST_SCALARS];

/// Declares the kernels once: name in Rust, name in C, buffers with role and size, scalars with their range.
macro_rules! kernels {
    ($($(#[$doc:meta])* $kernel:ident $symbol:ident
        ($($buffer:ident: $role:ident $bytes:expr),*; $($scalar:ident: $range:expr),*);)*) => {
        /// A kernel.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kernel {
            $($(#[$doc])* $kernel,)*
        }

        impl Kernel {
            /// All kernels.
            pub const ALL: &[Self] = &[$(Self::$kernel),*];

            /// Name of its entry point.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kernel => stringify!($symbol),)* }
            }

            /// Its buffers, in the order of its arguments.
            pub const fn buffers(self) -> &'static [Buffer] {
                match self {
                    $(Self::$kernel => &[
                        $(Buffer { name: stringify!($buffer), role: Role::$role, bytes: $bytes }),*
                    ],)*
                }
            }

            /// The ranges of its scalars, which follow the buffers, in the order of its arguments.
            pub const fn scalars(self) -> &'static [RangeInclusive<i32>] {
                match self { $(Self::$kernel => &[$($range),*],)* }
            }
        }

        kernels!(@build baseline "_baseline" $($kernel $symbol ($($buffer)*; $($scalar)*))*);
        #[cfg(target_arch = "x86_64")]
        kernels!(@build v3 "_v3" $($kernel $symbol ($($buffer)*; $($scalar)*))*);
        #[cfg(target_arch = "x86_64")]
        kernels!(@build v4 "_v4" $($kernel $symbol ($($buffer)*; $($scalar)*))*);
    };
    (@build $build:ident $suffix:literal
        $($kernel:ident $symbol:ident ($($buffer:ident)*; $($scalar:ident)*))*) => {
        mod $build {
            use super::{Kernel, Pointers, Scalars};

            mod symbols {
                unsafe extern "C" {
                    $(
                        #[link_name = concat!(stringify!($symbol), $suffix)]
                        pub fn $symbol($($buffer: *mut u8,)* $($scalar: i32),*);
                    )*
                }
            }

            /// # Safety
            ///
            /// As many of the pointers as the kernel has buffers lead to buffers of its signature, the scalars have been
            /// admitted, and the machine has the build's instructions.
            pub unsafe fn call(kernel: Kernel, pointers: Pointers, scalars: Scalars) {
                match kernel {
                    $(Kernel::$kernel => {
                        let [$($buffer,)* ..] = pointers;
                        let [$($scalar,)* ..] = scalars;
                        // SAFETY: the caller keeps what the kernel's signature asks for.
                        unsafe { symbols::$symbol($($buffer,)* $($scalar),*) }
                    })*
                }
            }
        }
    };
}

kernels! {
    /// An object from one buffer to another.
    CopyObject copy_object(object: Read OBJECT, target: Write OBJECT;);
    /// Zeroes a tile's results.
    Clear clear(acc: Write ACCUMULATORS;);
    /// acc += A(64 x 32) . B(32 x 64) in bf16.
    ProductBf16 product_bf16(a: Read OBJECT, b: Read OBJECT, acc: Update ACCUMULATORS; row_groups: 0..=16);
    /// acc += A(64 x 64) . B(64 x 64) in int8.
    ProductInt8 product_int8(a: Read OBJECT, b: Read OBJECT, acc: Update ACCUMULATORS; row_groups: 0..=16);
    /// f32 results to wide ones, with the bias.
    FinishBf16 finish_bf16(acc: Update ACCUMULATORS, parameters: Read OBJECT;);
    /// i32 results to wide ones, with multiplier, scale and bias.
    FinishInt8 finish_int8(acc: Update ACCUMULATORS, scales: Read OBJECT, parameters: Read OBJECT;);
    /// GELU of wide results.
    Gelu gelu(acc: Update ACCUMULATORS, parameters: Read OBJECT;);
    /// Half of a tile as operand bf16.
    StoreBf16 store_bf16(acc: Read ACCUMULATORS, object: Write OBJECT; half: 0..=1);
    /// A quarter of a tile as wide object.
    StoreWide store_wide(acc: Read ACCUMULATORS, object: Write OBJECT; quarter: 0..=3);
    /// Power of a tile whose left half is real and whose right half imaginary, as operand bf16.
    StorePower store_power(acc: Read ACCUMULATORS, object: Write OBJECT;);
    /// log10 of a quarter of a tile as wide object.
    StoreLogarithm store_logarithm(acc: Read ACCUMULATORS, parameters: Read OBJECT, object: Write OBJECT; quarter: 0..=3);
    /// A quarter of a tile plus what was there before.
    StoreSum store_sum(acc: Read ACCUMULATORS, before: Read OBJECT, object: Write OBJECT; quarter: 0..=3);
    /// The greatest of each row so far and its column; a first tile begins anew.
    Greatest greatest(acc: Read ACCUMULATORS, best: Update STATE;
        row_groups: 0..=16, first_column: 0..=1048576, columns: 0..=64, begins: 0..=1);
    /// The greatest of each row as the first bytes of an object.
    StoreGreatest store_greatest(best: Read STATE, object: Write OBJECT; row_groups: 0..=16);
    /// A piece of rows into the scratch.
    Keep keep(object: Read OBJECT, scratch: Update SCRATCH; index: 0..=6);
    /// Layer normalisation of retained rows; gamma and beta lie at byte `offset` of the scratch.
    Normalise normalise(scratch: Update SCRATCH;
        row_groups: 1..=2, columns: 1..=2048, padded_columns: 32..=2048, offset: 0..=28672);
    /// An object of retained rows as they are.
    StoreRowsWide store_rows_wide(scratch: Read SCRATCH, object: Write OBJECT; row_groups: 1..=2, index: 0..=6);
    /// An object of retained wide rows as operand pieces in bf16.
    StoreRowsBf16 store_rows_bf16(scratch: Read SCRATCH, object: Write OBJECT;
        row_groups: 1..=2, index: 0..=64, column_blocks: 0..=64);
    /// Greatest sizes of retained rows.
    Maxima maxima(scratch: Read SCRATCH, scales: Write SCALE_PIECE;
        row_groups: 1..=2, column_blocks: 0..=128, is_bf16: 0..=1);
    /// An object of retained rows as operand pieces in int8, with their scales behind the last.
    StoreRowsInt8 store_rows_int8(scratch: Read SCRATCH, scales: Read SCALE_PIECE, object: Write OBJECT;
        row_groups: 1..=2, index: 0..=64, column_blocks: 0..=128, is_bf16: 0..=1);
    /// A block of queries before its first keys.
    AttendBegin attend_begin(object: Read OBJECT, query: Write OBJECT, output: Write SCORES, state: Write STATE;);
    /// Scores of 32 queries and 64 keys, over one half of the columns.
    Scores scores(query: Read OBJECT, keys: Read OBJECT, scores: Update SCORES; half: 0..=1);
    /// Scores to probabilities, output and sum to the new maximum.
    Softmax softmax(scores: Update SCORES, output: Update SCORES, state: Update STATE, parameters: Read OBJECT;
        block: 0..=1048575, first_query: 0..=1048575);
    /// output += P . V, for one half of the columns.
    Values values(scores: Read SCORES, values: Read OBJECT, output: Update SCORES; half: 0..=1);
    /// Output by sum as operand bf16.
    AttendFinish attend_finish(output: Read SCORES, state: Read STATE, object: Write OBJECT;);
}

impl Kernel {
    /// Calls a build of the kernel on buffers that lie at `places` of `memory`, in the order of its arguments.
    ///
    /// Errors: buffers or scalars that the kernel does not take, or a build that the machine cannot run. Nothing has been
    /// written then.
    pub fn call(
        self,
        variant: Variant,
        memory: &mut TileMemory,
        places: &[Range<usize>],
        scalars: &[i32],
    ) -> Result<(), KernelError> {
        if !variant.is_available() {
            return Err(KernelError::Variant { variant });
        }
        self.check_places(memory.len(), places)?;
        let scalars = self.admitted(scalars)?;
        let base = memory.as_mut_ptr();
        let mut pointers: Pointers = [std::ptr::null_mut(); MOST_BUFFERS];
        for (pointer, place) in pointers.iter_mut().zip(places) {
            *pointer = base.wrapping_add(place.start);
        }
        // SAFETY: the buffers are of the signature's number and sizes, inside the borrowed memory, aligned, and disjoint where
        // one is written; the scalars are in the ranges that keep the kernel inside them; the machine has the instructions.
        unsafe {
            match variant {
                Variant::Baseline => baseline::call(self, pointers, scalars),
                #[cfg(target_arch = "x86_64")]
                Variant::V3 => v3::call(self, pointers, scalars),
                #[cfg(target_arch = "x86_64")]
                Variant::V4 => v4::call(self, pointers, scalars),
            }
        }
        Ok(())
    }

    fn check_places(self, memory: usize, places: &[Range<usize>]) -> Result<(), KernelError> {
        let kernel = self.name();
        let buffers = self.buffers();
        if places.len() != buffers.len() {
            return Err(KernelError::Buffers { kernel, expected: buffers.len(), received: places.len() });
        }
        for (index, (buffer, place)) in buffers.iter().zip(places).enumerate() {
            if place.len() != buffer.bytes {
                let (expected, received) = (buffer.bytes, place.len());
                return Err(KernelError::Size { kernel, buffer: buffer.name, expected, received });
            }
            if !place.start.is_multiple_of(ALIGNMENT) || place.end > memory {
                return Err(KernelError::Place { kernel, buffer: buffer.name, start: place.start, memory });
            }
            for (other, taken) in buffers.iter().zip(places).take(index) {
                let both_read = buffer.role == Role::Read && other.role == Role::Read;
                if !both_read && place.start < taken.end && taken.start < place.end {
                    return Err(KernelError::Overlap { kernel, first: other.name, second: buffer.name });
                }
            }
        }
        Ok(())
    }

    /// The scalars, if there are as many as the kernel takes, each in its range, and together they stay inside the scratch.
    fn admitted(self, scalars: &[i32]) -> Result<Scalars, KernelError> {
        let ranges = self.scalars();
        let in_range = ranges.len() == scalars.len() && ranges.iter().zip(scalars).all(|(range, x)| range.contains(x));
        if !in_range || !self.inside_scratch(scalars) {
            return Err(KernelError::Scalars { kernel: self.name(), received: scalars.to_vec() });
        }
        let mut all = [0; MOST_SCALARS];
        all[..scalars.len()].copy_from_slice(scalars);
        Ok(all)
    }

    /// Whether scalars that are each in range keep the operations on rows inside the scratch.
    fn inside_scratch(self, scalars: &[i32]) -> bool {
        let bytes = |row_groups: i32, columns: i32, element: i32| row_groups * BLOCK_ROWS as i32 * columns * element;
        let element = |is_bf16: i32| if is_bf16 != 0 { 2 } else { 4 };
        let scratch = SCRATCH as i32;
        match (self, scalars) {
            (Self::Normalise, &[row_groups, columns, padded, offset]) => {
                columns <= padded
                    && padded % 32 == 0
                    && offset % ALIGNMENT as i32 == 0
                    && bytes(row_groups, padded, 4) <= offset
                    && offset + 2 * 4 * padded <= scratch
            }
            (Self::StoreRowsBf16, &[row_groups, _, column_blocks]) => {
                bytes(row_groups, 32 * column_blocks, 4) <= scratch
            }
            (Self::Maxima, &[row_groups, column_blocks, is_bf16]) => {
                bytes(row_groups, 32 * column_blocks, element(is_bf16)) <= scratch
            }
            (Self::StoreRowsInt8, &[row_groups, _, column_blocks, is_bf16]) => {
                column_blocks % 2 == 0 && bytes(row_groups, 32 * column_blocks, element(is_bf16)) <= scratch
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(kernel: Kernel) -> Vec<Range<usize>> {
        let mut end = 0;
        kernel
            .buffers()
            .iter()
            .map(|buffer| {
                end += buffer.bytes;
                end - buffer.bytes..end
            })
            .collect()
    }

    #[test]
    fn every_build_copies() {
        for &variant in Variant::ALL.iter().filter(|variant| variant.is_available()) {
            let mut memory = TileMemory::new(65536);
            for (index, byte) in memory[..OBJECT].iter_mut().enumerate() {
                *byte = index as u8 ^ (index >> 8) as u8;
            }
            Kernel::CopyObject.call(variant, &mut memory, &places(Kernel::CopyObject), &[]).unwrap();
            assert!(memory[..OBJECT] == memory[OBJECT..2 * OBJECT]);
            assert!(memory[2 * OBJECT..].iter().all(|&byte| byte == 0));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut memory = TileMemory::new(65536);
        let mut call = |places: &[Range<usize>], scalars: &[i32]| {
            Kernel::StoreBf16.call(Variant::Baseline, &mut memory, places, scalars).unwrap_err()
        };
        let (acc, object) = (0..ACCUMULATORS, ACCUMULATORS..ACCUMULATORS + OBJECT);
        assert!(matches!(
            call(std::slice::from_ref(&acc), &[0]),
            KernelError::Buffers { expected: 2, received: 1, .. }
        ));
        assert!(matches!(call(&[acc.clone(), 0..OBJECT], &[0]), KernelError::Overlap { .. }));
        assert!(matches!(call(&[acc.clone(), 20000..20000 + OBJECT], &[0]), KernelError::Place { .. }));
        assert!(matches!(call(&[acc.clone(), 65536 - 64..65536 + 4032], &[0]), KernelError::Place { .. }));
        assert!(matches!(call(&[acc.clone(), 16384..16448], &[0]), KernelError::Size { received: 64, .. }));
        assert!(matches!(call(&[acc.clone(), object.clone()], &[2]), KernelError::Scalars { .. }));
        assert!(matches!(call(&[acc, object], &[]), KernelError::Scalars { .. }));
    }
}
