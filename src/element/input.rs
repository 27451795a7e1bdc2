//! Upstream's half of the data path: buffers of any raw audio become 16 kHz samples with positions.

use std::ops::Range;

use gst::ClockTime;
use gst_audio::{AudioBufferRef, AudioInfo, AudioLayout, AudioMeta};

use super::{
    converter::Converter,
    errors::Fault,
    position::{self, Position, Step},
    queue::Audio,
    time_line::TimeLine,
};

/// Louder than this (120 dB above full scale) is no sound but damage, like NaN and the infinities.
const LOUDEST: f32 = 1e6;

/// What a stream's input needs to know from one buffer to the next; replaced on flush and in READY.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// What timestamps mean.
    pub line: TimeLine,
    converter: Option<Converter>,
    position: Option<Position>,
    /// Where the last stretch of this time line ended, or the gap behind it.
    ended: Option<ClockTime>,
    /// Numbers the stretches.
    run: u64,
    /// The segment of the open stretch was announced again: whether it goes on shows with what comes next.
    pub announced: Option<gst::Event>,
    /// Unknown until upstream was asked.
    pub is_live: Option<bool>,
    /// Whether that may have changed.
    pub is_liveness_doubted: bool,
    /// The stretch was written as if it had ended, because nothing came; what comes next is no part of it.
    pub is_over: bool,
    /// A buffer that had nothing to be heard was marked DISCONT.
    is_marked: bool,
    /// Samples since the last look that were no numbers.
    pub damaged_samples: u64,
}

/// A buffer that was taken in.
#[derive(Debug, Default)]
pub(super) struct Admitted {
    /// What has to be heard before it: the rest of a stretch that it does not follow on, or silence for what was lost.
    pub before: Option<Audio>,
    /// As far as it lies within the segment.
    pub buffer: Option<gst::Buffer>,
    /// So many of its frames have been heard.
    pub heard_frames: usize,
}

/// What becomes of a stretch for which nothing was sent.
#[derive(Debug)]
pub(super) enum Bridge {
    /// It goes on, perhaps with silence.
    Stretch(Option<Audio>),
    /// There is none, or it is over; what the resampler held back of it.
    End(Option<Audio>),
}

impl Input {
    /// Audio comes in this format from now on. Returns what the resampler held back of the format before.
    pub fn set_format(&mut self, info: AudioInfo) -> Result<Option<Audio>, Fault> {
        if self.converter.as_ref().is_some_and(|converter| *converter.info() == info) {
            return Ok(None);
        }
        let tail = self.drain();
        let rate = info.rate();
        self.converter = Some(Converter::new(info)?);
        if let Some(position) = &mut self.position {
            position.change_rate(rate);
        }
        Ok(tail)
    }

    /// What comes next has a time line of its own, though it may be the same again.
    pub fn end_line(&mut self) {
        self.ended = None;
    }

    /// Whether timestamps go on to mean what they do, where something was heard, so that what was heard may go on.
    pub fn may_go_on_in(&self, line: &TimeLine) -> bool {
        self.heard_to().is_some() && self.line.goes_on_as(line)
    }

    /// A new time line, or none. Ask for the `end` before, unless the stretch may go on in it.
    pub fn set_line(&mut self, line: TimeLine) {
        self.ended = self.ended.filter(|_| self.line.goes_on_as(&line));
        self.line = line;
    }

    /// The segment that was announced again, if what has certainly this time goes back in it.
    pub fn going_back_at(&mut self, time: Option<ClockTime>) -> Option<gst::Event> {
        let (announced, time) = (self.announced.take()?, time?);
        let is_leap = self.position.as_ref().is_none_or(|position| matches!(position.leap(time), Step::Restart { .. }));
        (is_leap && Some(time) < self.heard_to()).then_some(announced)
    }

    /// Takes a buffer in.
    pub fn admit(&mut self, buffer: gst::Buffer) -> Result<Admitted, Fault> {
        let segment = self.line.segment().cloned().ok_or(Fault::NoSegment)?;
        let info = self.converter.as_ref().ok_or(Fault::NoCaps)?.info().clone();
        self.is_marked |= buffer.flags().contains(gst::BufferFlags::DISCONT);
        if buffer.size() < info.bpf() as usize {
            return Ok(Admitted::default());
        }
        let Some(buffer) = gst_audio::audio_buffer_clip(buffer, segment.upcast_ref(), info.rate(), info.bpf()) else {
            return Ok(Admitted::default());
        };
        let is_discont = std::mem::take(&mut self.is_over) | std::mem::take(&mut self.is_marked);
        let frames = buffer.size() as u64 / u64::from(info.bpf());
        let step = match &mut self.position {
            Some(position) => position.step(buffer.pts(), frames, is_discont),
            None => Step::Restart { at: buffer.pts().or(self.ended).or(segment.start()).unwrap_or(ClockTime::ZERO) },
        };
        let mut heard_frames = 0;
        let before = match step {
            Step::Continue => None,
            Step::Fill { frames } => self.silence(frames),
            Step::Drop { frames } => {
                heard_frames = usize::try_from(frames).unwrap_or(usize::MAX);
                None
            }
            Step::Restart { at } => {
                let tail = self.end();
                self.run += 1;
                self.position = Some(Position::new(at, info.rate()));
                tail
            }
        };
        Ok(Admitted { before, buffer: Some(buffer), heard_frames })
    }

    /// PTS, running time and stream time at which audio begins; of a stretch that is over the PTS alone.
    pub fn times(&self, audio: &Audio) -> [Option<ClockTime>; 3] {
        let start = position::time(audio.anchor, audio.start_samples);
        let is_open = self.position.is_some() && audio.run == self.run;
        if is_open { self.line.times(start) } else { [Some(start), None, None] }
    }

    /// How long a buffer of so many bytes sounds.
    pub fn duration(&self, bytes: usize) -> Option<ClockTime> {
        let info = self.converter.as_ref()?.info();
        Some(position::duration(bytes as u64 / u64::from(info.bpf()), info.rate()))
    }

    /// The format that buffers come in.
    pub fn info(&self) -> Result<AudioInfo, Fault> {
        Ok(self.converter.as_ref().ok_or(Fault::NoCaps)?.info().clone())
    }

    /// The samples of some frames of the buffer that was just taken in.
    pub fn convert(
        &mut self,
        audio: &AudioBufferRef<&gst::BufferRef>,
        frames: Range<usize>,
    ) -> Result<Option<Audio>, Fault> {
        let converter = self.converter.as_mut().ok_or(Fault::NoCaps)?;
        let mut samples = Vec::new();
        let count = frames.len() as u64;
        converter.convert(audio, frames, &mut samples)?;
        if let Some(position) = &mut self.position {
            position.advance(count);
        }
        Ok(self.audio(samples))
    }

    /// Nothing is sent up to `end`. What is short is heard as silence; what was heard already is no news.
    pub fn bridge(&mut self, end: ClockTime) -> Bridge {
        match self.position.as_ref().map(|position| position.leap(end)) {
            Some(Step::Fill { frames }) => Bridge::Stretch(self.silence(frames)),
            Some(Step::Continue | Step::Drop { .. }) => Bridge::Stretch(None),
            Some(Step::Restart { .. }) if Some(end) < self.heard_to() => Bridge::Stretch(None),
            Some(Step::Restart { .. }) | None => {
                let tail = self.end();
                self.ended = self.ended.max(Some(end));
                Bridge::End(tail)
            }
        }
    }

    /// Nothing has come for so long that the stretch is taken for over; what comes next certainly has the time that it says. Returns what the
    /// resampler held back.
    pub fn stop(&mut self) -> Option<Audio> {
        self.is_over = true;
        self.drain()
    }

    /// The stretch is over. Returns what the resampler held back of it.
    pub fn end(&mut self) -> Option<Audio> {
        let tail = self.drain();
        self.ended = self.heard_to();
        (self.position, self.announced, self.is_over) = (None, None, false);
        tail
    }

    /// Up to where something was heard in this time line, or a gap told of nothing.
    fn heard_to(&self) -> Option<ClockTime> {
        self.position.as_ref().map(Position::expected).or(self.ended)
    }

    fn silence(&mut self, frames: u64) -> Option<Audio> {
        let mut samples = Vec::new();
        self.converter.as_mut()?.silence(usize::try_from(frames).ok()?, &mut samples);
        self.position.as_mut()?.advance(frames);
        self.audio(samples)
    }

    fn drain(&mut self) -> Option<Audio> {
        let (converter, position) = (self.converter.as_mut()?, self.position.as_ref()?);
        let mut samples = Vec::new();
        converter.drain(&mut samples);
        let missing_samples = position.due_samples().saturating_sub(position.samples);
        samples.resize(usize::try_from(missing_samples).ok()?, 0.0);
        self.audio(samples)
    }

    fn audio(&mut self, mut samples: Vec<f32>) -> Option<Audio> {
        let position = self.position.as_mut()?;
        let start_samples = position.samples;
        position.samples += samples.len() as u64;
        self.damaged_samples += mend(&mut samples);
        (!samples.is_empty()).then(|| Audio {
            run: self.run,
            anchor: position.anchor,
            start_samples,
            longest_samples: samples.len(),
            samples,
            is_live: self.is_live.unwrap_or(false),
            arrived: None,
        })
    }
}

/// Maps a buffer that should be as `info` says; planes need GStreamer's description of where each is.
pub(super) fn map<'a>(
    buffer: &'a gst::BufferRef,
    info: &'a AudioInfo,
) -> Result<AudioBufferRef<&'a gst::BufferRef>, Fault> {
    let shape = |info: &AudioInfo| (info.format(), info.channels(), info.layout());
    let format = || info.to_caps().map_or_else(|_| format!("{:?}", info.format()), |caps| caps.to_string());
    let fault = |reason: &str| Fault::Buffer { format: format(), reason: reason.to_owned() };
    match buffer.meta::<AudioMeta>() {
        Some(meta) if shape(meta.info()) != shape(info) => {
            return Err(fault("its audio meta describes another format"));
        }
        None if info.layout() == AudioLayout::NonInterleaved => {
            return Err(fault("it has no audio meta, so nobody knows where its planes are"));
        }
        _ => {}
    }
    AudioBufferRef::from_buffer_ref_readable(buffer, info).map_err(|_| fault("it cannot be mapped"))
}

/// How many frames a mapped buffer has.
pub(super) fn frames(audio: &AudioBufferRef<&gst::BufferRef>, info: &AudioInfo) -> usize {
    match info.layout() {
        AudioLayout::Interleaved => audio.plane_size() / info.bpf() as usize,
        _ => audio.n_samples(),
    }
}

/// Silences what is no sound; answers how many samples that were.
fn mend(samples: &mut [f32]) -> u64 {
    let mut damaged = 0;
    for sample in samples {
        if sample.is_nan() || sample.abs() > LOUDEST {
            *sample = 0.0;
            damaged += 1;
        }
    }
    damaged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sound_is_kept() {
        let mut samples = [0.5, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1.5];
        assert_eq!(mend(&mut samples), 4);
        assert_eq!(samples, [0.5, 0.0, 0.0, 0.0, 0.0, -1.5]);
    }
}
