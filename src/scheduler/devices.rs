//! Which device each stage of a model runs on.

use std::sync::Arc;

use super::{DeviceChoice, Placement};
use crate::device::cpu::{Cpu, Precision};
use crate::device::{Device, DeviceError};
use crate::model;

/// Stages that can be given to an array. What is not given to it runs on the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stages {
    /// Samples → log-mel.
    pub mel: bool,
    /// Log-mel → states.
    pub encoder: bool,
    /// States → tokens.
    pub decoder: bool,
}

impl std::str::FromStr for Stages {
    type Err = String;

    /// Names with `+` between them, as the element's property has them.
    fn from_str(names: &str) -> Result<Self, String> {
        let mut stages = Self { mel: false, encoder: false, decoder: false };
        for name in names.split('+').filter(|name| !name.is_empty()) {
            match name {
                "mel" => stages.mel = true,
                "encoder" => stages.encoder = true,
                "decoder" => stages.decoder = true,
                _ => return Err(format!("{name:?} is no stage; there are mel, encoder and decoder")),
            }
        }
        Ok(stages)
    }
}

/// A model's devices.
pub struct Devices {
    /// Of the log-mel front end.
    pub mel: Arc<dyn Device>,
    /// Of the encoder.
    pub encoder: Arc<dyn Device>,
    /// Of the decoder.
    pub decoder: Arc<dyn Device>,
    /// What runs everything that is asked of no other.
    pub processor: Arc<dyn Device>,
    /// The array, if there is one.
    pub array: Option<Arc<dyn Device>>,
    /// What the encoder's computes in.
    pub precision: Precision,
    /// What the processor uses.
    pub instruction_set: &'static str,
}

impl Default for Stages {
    /// The decoder reads all its weights for every token, which the processor does as fast and without a launch.
    fn default() -> Self {
        Self { mel: true, encoder: true, decoder: false }
    }
}

impl Devices {
    /// Makes the devices of a placement.
    pub fn choose(placement: &Placement) -> Result<Self, DeviceError> {
        let cpu = |precision| -> Result<Cpu, DeviceError> {
            Ok(Cpu::new(placement.threads, precision)?.with_cache(model::cache_folder()))
        };
        match placement.device {
            DeviceChoice::Auto | DeviceChoice::Cpu => {
                let precision = placement.precision.unwrap_or_default();
                let cpu = cpu(precision)?;
                let instruction_set = cpu.isa().name();
                let cpu: Arc<dyn Device> = Arc::new(cpu);
                Ok(Self {
                    mel: cpu.clone(),
                    encoder: cpu.clone(),
                    decoder: cpu.clone(),
                    processor: cpu,
                    array: None,
                    precision,
                    instruction_set,
                })
            }
            DeviceChoice::NpuEmulator => Self::emulated(placement, cpu),
        }
    }

    #[cfg(feature = "npu-emulator")]
    fn emulated(
        placement: &Placement,
        cpu: impl Fn(Precision) -> Result<Cpu, DeviceError>,
    ) -> Result<Self, DeviceError> {
        use crate::device::npu::{NpuEmulator, Target};
        let precision = placement.precision.unwrap_or(Precision::Bf16);
        if precision == Precision::F32 {
            let (device, others) = ("npu-emulator", "bf16, int8");
            return Err(DeviceError::Precision { device, precision: precision.name(), others });
        }
        let cpu = cpu(placement.precision.unwrap_or_default())?;
        let instruction_set = cpu.isa().name();
        let cpu: Arc<dyn Device> = Arc::new(cpu);
        let array = NpuEmulator::new(Target::NPU1, placement.threads, precision == Precision::Int8)?;
        let array: Arc<dyn Device> = Arc::new(array);
        let of = |is_on_array| if is_on_array { array.clone() } else { cpu.clone() };
        let Stages { mel, encoder, decoder } = placement.stages;
        let (mel, encoder, decoder) = (of(mel), of(encoder), of(decoder));
        Ok(Self { mel, encoder, decoder, processor: cpu, array: Some(array), precision, instruction_set })
    }

    #[cfg(not(feature = "npu-emulator"))]
    fn emulated(_: &Placement, _: impl Fn(Precision) -> Result<Cpu, DeviceError>) -> Result<Self, DeviceError> {
        Err(DeviceError::NotBuilt { device: "npu-emulator", feature: "npu-emulator" })
    }

    /// Name of the device of each stage.
    pub fn names(&self) -> [(&'static str, &'static str); 3] {
        [("mel", self.mel.name()), ("encoder", self.encoder.name()), ("decoder", self.decoder.name())]
    }
}
