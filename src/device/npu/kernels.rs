//! The kernels: what each reads and writes.

/// A function of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kernel {
    /// Copies an object.
    CopyObject,
    /// Zeroes accumulators.
    Clear,
}

/// What a kernel does with a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reads it.
    Read,
    /// Writes all of it.
    Write,
    /// Both.
    Update,
}

impl Kernel {
    /// Name in C.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::CopyObject => "copy_object",
            Kernel::Clear => "clear",
        }
    }

    /// Role and bytes of each buffer.
    pub fn operands(self) -> &'static [(Role, usize)] {
        match self {
            Kernel::CopyObject => &[(Role::Read, 4096), (Role::Write, 4096)],
            Kernel::Clear => &[(Role::Write, 16384)],
        }
    }

    /// Number of scalars.
    pub fn scalars(self) -> usize {
        0
    }

    /// Estimated cycles of a call.
    pub fn cycles(self, _scalars: &[i32]) -> u64 {
        match self {
            Kernel::CopyObject => 160,
            Kernel::Clear => 540,
        }
    }
}
