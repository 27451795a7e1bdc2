//! The builds of the kernels, one for each level of the instruction set, all with the same results.

/// A build of the kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// What every processor of the target has.
    Baseline,
    /// x86-64-v3: AVX2.
    #[cfg(target_arch = "x86_64")]
    V3,
    /// x86-64-v4: AVX-512.
    #[cfg(target_arch = "x86_64")]
    V4,
}

impl Variant {
    /// All builds, the fastest last.
    pub const ALL: &[Self] = &[
        Self::Baseline,
        #[cfg(target_arch = "x86_64")]
        Self::V3,
        #[cfg(target_arch = "x86_64")]
        Self::V4,
    ];

    /// Whether this machine can run it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Self::V3 => has_v3(),
            #[cfg(target_arch = "x86_64")]
            Self::V4 => has_v3() && has_v4(),
        }
    }

    /// The fastest that this machine can run.
    pub fn fastest() -> Self {
        Self::ALL.iter().copied().rfind(|variant| variant.is_available()).unwrap_or(Self::Baseline)
    }
}

#[cfg(target_arch = "x86_64")]
fn has_v3() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("f16c")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("movbe")
}

#[cfg(target_arch = "x86_64")]
fn has_v4() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512cd")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}
