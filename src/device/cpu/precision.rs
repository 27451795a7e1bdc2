//! What the processor computes in.

use std::str::FromStr;

/// What numbers products and attention are computed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// f32 throughout, the oracle of the others.
    F32,
    /// Operands in bf16, sums in f32.
    Bf16,
    /// Weights in 8 bits with a scale for each output, activations in 8 bits with a range for each row, sums in 32 bits.
    #[default]
    Int8,
}

impl Precision {
    /// All of them, most exact first.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::Int8];

    /// Name as users see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|precision| precision.name() == name).ok_or("expected f32, bf16 or int8".into())
    }
}
