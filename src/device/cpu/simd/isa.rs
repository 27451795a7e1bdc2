//! Which instruction sets the processor has.

use std::fmt;

use crate::device::DeviceError;

/// Environment variable that names the instruction set to use instead of the best one.
const VARIABLE: &str = "WHISPERNPU_ISA";

/// An instruction set that this processor has: there is no other way to get one than by a check.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Isa(pub(super) Set);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    /// What every processor has.
    Portable,
    /// AVX2, FMA, F16C.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX2 with AVX-VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx2Vnni,
    /// AVX-512 F, BW, VL, DQ and VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// The same and BF16.
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16,
    /// NEON with the dot product.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Isa {
    /// All that this processor has, the best one last.
    pub fn all() -> Vec<Self> {
        let mut sets = vec![Set::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            let avx2 = has!("avx2") && has!("fma") && has!("f16c");
            let avx512 = avx2
                && has!("avx512f")
                && has!("avx512bw")
                && has!("avx512vl")
                && has!("avx512dq")
                && has!("avx512vnni");
            let sets_by_need = [
                (Set::Avx2, avx2),
                (Set::Avx2Vnni, avx2 && has!("avxvnni")),
                (Set::Avx512, avx512),
                (Set::Avx512Bf16, avx512 && has!("avx512bf16")),
            ];
            sets.extend(sets_by_need.into_iter().filter(|(_, present)| *present).map(|(set, _)| set));
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") && std::arch::is_aarch64_feature_detected!("dotprod") {
            sets.push(Set::Neon);
        }
        sets.into_iter().map(Self).collect()
    }

    /// The best one, or the one that WHISPERNPU_ISA names.
    ///
    /// Errors: a name that is none of this processor's.
    pub fn choose() -> Result<Self, DeviceError> {
        match std::env::var(VARIABLE) {
            Ok(name) => Self::named(&name),
            Err(_) => Ok(Self::all().pop().expect("the portable set is always there")),
        }
    }

    /// The one of this name. Errors: a name that is none of this processor's.
    pub fn named(name: &str) -> Result<Self, DeviceError> {
        let all = Self::all();
        all.iter().copied().find(|isa| isa.name() == name).ok_or_else(|| DeviceError::Isa {
            variable: VARIABLE,
            name: name.into(),
            present: all.iter().map(|isa| isa.name()).collect::<Vec<_>>().join(" "),
        })
    }

    /// Name as users see it.
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2Vnni => "avx2-vnni",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "avx512-vnni",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Bf16 => "avx512-bf16",
            #[cfg(target_arch = "aarch64")]
            Set::Neon => "neon-dotprod",
        }
    }

    /// Columns of a packed panel of a product's right matrix: the width of a tile.
    pub fn panel_columns(self) -> usize {
        self.run(PanelColumns)
    }
}

impl fmt::Debug for Isa {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

struct PanelColumns;

impl super::Kernel for PanelColumns {
    type Output = usize;

    #[inline(always)]
    fn run<S: super::Simd>(self, _: S) -> usize {
        S::LANES * S::VECTORS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_is_found_by_its_name_and_no_other_name_is() {
        for isa in Isa::all() {
            assert_eq!(Isa::named(isa.name()), Ok(isa));
            assert_eq!(isa.panel_columns() % 16, 0, "{isa:?}: panels are whole lines");
        }
        let error = Isa::named("mmx").unwrap_err().to_string();
        assert!(error.contains("WHISPERNPU_ISA=\"mmx\"") && error.contains("portable"), "{error}");
    }
}
