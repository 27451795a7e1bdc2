//! What is played: clips and pauses, as one stream of samples.

use std::{error::Error, ops::Range};

use crate::{
    common::audio::{Recording, SAMPLE_RATE},
    manifest::Clip,
};

/// What is to be played.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The shortest and the longest pause between clips.
    pub pause_s: (f64, f64),
    /// None for each clip once.
    pub minutes: Option<f64>,
    /// The pipeline is flushed this often.
    pub flush_s: Option<f64>,
    /// Between these minutes all processors are busy.
    pub hog: Option<(f64, f64)>,
}

impl Default for Plan {
    fn default() -> Self {
        Self { pause_s: (0.2, 2.0), minutes: None, flush_s: None, hog: None }
    }
}

/// A clip that was played.
pub struct Play {
    /// Which of the programme's clips.
    pub clip: usize,
    /// Where, in seconds of the stream.
    pub place: Range<f64>,
}

/// Samples to come, and what was played.
pub struct Programme {
    pub ids: Vec<String>,
    clips: Vec<Vec<f32>>,
    plan: Plan,
    next: usize,
    ready: Vec<f32>,
    played_samples: usize,
    random: u64,
    pub plays: Vec<Play>,
}

impl Programme {
    /// Reads the clips.
    pub fn new(clips: &[Clip], plan: Plan) -> Result<Self, Box<dyn Error>> {
        let samples = clips.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self {
            ids: clips.iter().map(|clip| clip.id.clone()).collect(),
            clips: samples,
            plan,
            next: 0,
            ready: Vec::new(),
            played_samples: 0,
            random: 1,
            plays: Vec::new(),
        })
    }

    /// The next samples, fewer at the end.
    pub fn take(&mut self, count: usize) -> Vec<f32> {
        while self.ready.len() < count && !self.is_over() {
            let clip = self.next % self.clips.len();
            let start = self.played_samples + self.ready.len();
            self.ready.extend(&self.clips[clip]);
            let end = self.played_samples + self.ready.len();
            self.plays.push(Play { clip, place: seconds(start)..seconds(end) });
            let (shortest, longest) = self.plan.pause_s;
            let pause = shortest + self.random() * (longest - shortest);
            self.ready.resize(self.ready.len() + (pause * f64::from(SAMPLE_RATE)) as usize, 0.0);
            self.next += 1;
        }
        let taken: Vec<f32> = self.ready.drain(..count.min(self.ready.len())).collect();
        self.played_samples += taken.len();
        taken
    }

    fn is_over(&self) -> bool {
        match self.plan.minutes {
            Some(minutes) => seconds(self.played_samples + self.ready.len()) >= minutes * 60.0,
            None => self.next >= self.clips.len(),
        }
    }

    /// 0 to 1, the same in each run (Marsaglia, 2003, "Xorshift RNGs").
    fn random(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn read(clip: &Clip) -> Result<Vec<f32>, Box<dyn Error>> {
    let mut recording = Recording::open(&clip.file)?;
    let mut samples = Vec::new();
    while let Some(block) = recording.next_block()? {
        samples.extend(block);
    }
    Ok(samples)
}

fn seconds(samples: usize) -> f64 {
    samples as f64 / f64::from(SAMPLE_RATE)
}
