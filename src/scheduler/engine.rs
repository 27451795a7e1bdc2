//! One model on one device, with its queue and worker; shared by everybody in the process who asks for the same.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::counters::Tally;
use super::devices::{Devices, Stages};
use super::queue::Queue;
use super::ticket::Slot;
use super::worker::Worker;
use super::{Counters, Pipeline, ScheduleError, Ticket, Urgency, registry};
use crate::Error;
use crate::decoder::Options;
use crate::device::cpu::Precision;
use crate::device::{Completed, Device, DeviceError, Origin};
use crate::mel::{FrontEnd, Spectrogram};
use crate::model::{self, Model};
use crate::segment::{Purpose, Window};

/// Which device to run on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DeviceChoice {
    /// The best that there is; the engine says which it took.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// An array of the NPU, emulated on the processor: for trying programs, and slow.
    NpuEmulator,
}

impl std::str::FromStr for DeviceChoice {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "npu-emulator" => Ok(Self::NpuEmulator),
            _ => Err(format!("{name:?} is no device; there are auto, cpu and npu-emulator")),
        }
    }
}

/// Where and how a model runs. Whoever asks for the same model and the same placement shares both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Placement {
    /// The device.
    pub device: DeviceChoice,
    /// What it computes in; None for the fastest that keeps the word error rate of f32.
    pub precision: Option<Precision>,
    /// Threads of the device, the one that runs a window included; 0 for one a processor, which is the most.
    pub threads: usize,
    /// Stages that the array runs, if the device has one.
    pub stages: Stages,
}

/// A model in memory and the worker that runs it.
pub struct Engine {
    model: Arc<Model>,
    devices: [(&'static str, &'static str); 3],
    array: Option<Arc<dyn Device>>,
    precision: Precision,
    instruction_set: &'static str,
    origins: [(&'static str, Origin); 2],
    front: FrontEnd,
    queue: Arc<Queue>,
    tally: Arc<Tally>,
    worker: Option<JoinHandle<()>>,
}

impl Engine {
    /// Opens a model by path or name on a device, or gives the one that somebody in the process holds already.
    ///
    /// Blocks while loading; whoever asks for the same meanwhile waits too. The engine goes when its last holder does.
    pub fn open(model: &str, placement: Placement) -> Result<Arc<Self>, Error> {
        let path = model::find(model)?;
        registry::share(&path, placement, || Self::load(&path, placement))
    }

    fn load(path: &std::path::Path, placement: Placement) -> Result<Self, Error> {
        let devices = Devices::choose(&placement)?;
        let model = Arc::new(Model::map(path)?);
        let front = FrontEnd::new(&*devices.mel, model.config.mel_bins)?;
        let pipeline = Pipeline::new(model.clone(), &devices).map_err(|error| match error {
            // The model's own error says which file it is.
            Error::Device(DeviceError::NotFinite { .. }) => {
                model.weights.check_finite().err().map_or(error, Error::from)
            }
            error => error,
        })?;
        let origins = pipeline.origins();
        let (queue, tally) = (Arc::<Queue>::default(), Arc::<Tally>::default());
        let worker = Worker::new(pipeline, queue.clone(), tally.clone());
        let worker = thread::Builder::new()
            .name("whispernpu".into())
            .spawn(move || worker.run())
            .map_err(|error| ScheduleError::Thread { reason: error.to_string() })?;
        Ok(Self {
            model,
            devices: devices.names(),
            array: devices.array,
            precision: devices.precision,
            instruction_set: devices.instruction_set,
            origins,
            front,
            queue,
            tally,
            worker: Some(worker),
        })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Name of the encoder's device, which has most of the work.
    pub fn device(&self) -> &'static str {
        let [_, (_, encoder), _] = self.devices;
        encoder
    }

    /// Name of each stage's device.
    pub fn devices(&self) -> &[(&'static str, &'static str)] {
        &self.devices
    }

    /// What the encoder's device computes in.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Instruction set that the processor uses.
    pub fn instruction_set(&self) -> &'static str {
        self.instruction_set
    }

    /// Where the packed weights of each stage are from.
    pub fn origins(&self) -> &[(&'static str, Origin)] {
        &self.origins
    }

    /// Whether the model can do what is asked.
    pub fn check(&self, options: &Options) -> Result<(), Error> {
        Ok(options.check(&self.model.vocabulary)?)
    }

    /// The spectrogram of a new stream, as the model wants it.
    pub fn spectrogram(&self) -> Spectrogram {
        self.front.spectrogram()
    }

    /// What was done since the engine was opened, for all streams.
    pub fn counters(&self) -> Counters {
        self.tally.read()
    }

    /// What the array has completed since the engine was opened, for all streams; None without an array.
    pub fn completed(&self) -> Option<Completed> {
        self.array.as_ref().and_then(|array| array.completed())
    }

    /// Queues a window.
    pub fn submit(&self, window: Window, options: Options, urgency: Urgency) -> Ticket {
        let options = Options { prefix: window.prefix.clone(), ..options };
        let options = match window.purpose {
            Purpose::Glance => options.hasty(),
            Purpose::Draft => options.once(),
            Purpose::Close | Purpose::Part | Purpose::Final => options,
        };
        let slot = Arc::<Slot>::default();
        self.queue.push(window, options, urgency, slot.clone());
        Ticket::new(slot)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").field("model", &self.model.path).field("device", &self.device()).finish()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.queue.close();
        // A worker may be in a window that nobody waits for any more; it ends by itself and keeps what it needs alive.
        drop(self.worker.take());
    }
}
