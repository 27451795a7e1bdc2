//! The decoder's network on a device, with its key/value caches.

use std::ops::Range;
use std::sync::Arc;

use super::kept::{Growing, Kept, common};
use super::program::{self, DecoderProgram, Following, MOST_JUDGED};
use super::search::Branch;
use crate::device::{Device, DeviceError, Extent, Origin, Prepared, Session};
use crate::model::{Model, Token};
use crate::recent::{self, Recent};

/// The decoder, prepared once.
pub struct Decoder {
    prepared: Arc<dyn Prepared>,
    program: Arc<DecoderProgram>,
    width: usize,
    vocabulary_size: usize,
    audio_positions: usize,
    keeps: bool,
}

/// The caches and buffers that decode some windows at a time, each in a lane of its own.
pub struct DecoderSession {
    session: Box<dyn Session>,
    program: Arc<DecoderProgram>,
    width: usize,
    vocabulary_size: usize,
    audio_positions: usize,
    /// Tokens that each lane took, to which its kept rows belong.
    held: Vec<Vec<Token>>,
    /// The lane that listened to what each lane hears: itself, or the one that it was branched from.
    heard: Vec<usize>,
    /// The windows that grow, by the lane that they were begun in, and whether they go on from what is kept.
    growing: Vec<Option<(Growing, bool)>>,
    /// Behind the lanes there are two for each place: of what was written and of what was followed. None if the device keeps nothing.
    kept: Option<Recent<Kept>>,
    /// The place of what was followed last, if it is kept, and how many rows before had been followed already.
    followed: (Option<usize>, usize),
    extents: Vec<Extent>,
    tokens: Vec<Token>,
}

/// Most lanes of a session.
pub use super::program::MOST_LANES;

impl Decoder {
    /// Prepares the decoder of a model.
    pub fn new(device: &dyn Device, model: &Model) -> Result<Self, DeviceError> {
        let config = &model.config;
        // Special tokens come behind text. The rules compare all timestamps together with the best text, and the probability of
        // no speech and of each language is looked at even where it is small, so they are not to be rounded.
        let program = program::decoder(config, model.vocabulary.special.end_of_text, device.gives_probabilities());
        let prepared = device.prepare(&program.program, &model.weights)?;
        let (width, vocabulary_size, audio_positions) = (config.width, config.vocabulary_size, config.audio_positions);
        let (program, keeps) = (Arc::new(program), device.attends_to_kept());
        Ok(Self { prepared, program, width, vocabulary_size, audio_positions, keeps })
    }

    /// Where the packed weights are from.
    pub fn origin(&self) -> &Origin {
        self.prepared.origin()
    }

    /// Allocates the buffers of one user, who decodes at most `lanes` windows at a time. Panics above [`MOST_LANES`].
    pub fn session(&self, lanes: usize) -> DecoderSession {
        assert!(lanes <= MOST_LANES);
        DecoderSession {
            session: self.prepared.session(lanes + if self.keeps { 2 * recent::COUNT } else { 0 }),
            program: self.program.clone(),
            width: self.width,
            vocabulary_size: self.vocabulary_size,
            audio_positions: self.audio_positions,
            held: vec![Vec::new(); lanes],
            heard: (0..lanes).collect(),
            growing: vec![None; lanes],
            kept: self.keeps.then(Recent::default),
            followed: (None, 0),
            extents: Vec::with_capacity(lanes),
            tokens: Vec::new(),
        }
    }
}

impl DecoderSession {
    /// Lanes, numbered from 0.
    pub fn lanes(&self) -> usize {
        self.held.len()
    }

    /// Starts a window in a lane: computes what the cross-attention needs of `states` (at most audio positions, width) and
    /// forgets the tokens of the lane and of those that were branched from it.
    pub fn listen(&mut self, lane: usize, states: &[f32]) -> Result<(), DeviceError> {
        self.session.write(self.program.states, states);
        let rows = states.len() / self.width;
        self.session.run(self.program.listen, &[Extent::new(lane, rows, 0)])?;
        self.heard[lane] = lane;
        self.growing[lane] = None;
        let heard = self.heard.iter().zip(&mut self.held).filter(|(heard, _)| **heard == lane);
        heard.for_each(|(_, held)| held.clear());
        Ok(())
    }

    /// Keeps for the next transcript of a window that grows what the one takes that was begun in a lane, and lets that take from the
    /// one before what both begin with, if it `goes_on` from it (`docs/decisions/growing-windows.md`).
    pub(super) fn grow(&mut self, lane: usize, growing: Growing, goes_on: bool) {
        self.growing[lane] = self.kept.is_some().then_some((growing, goes_on));
    }

    /// The lanes of a place: of what was written, and of what was followed.
    fn kept_lanes(&self, place: usize) -> [usize; 2] {
        [self.lanes() + 2 * place, self.lanes() + 2 * place + 1]
    }

    /// The lane has written what is to be kept of it.
    pub(super) fn keep(&mut self, lane: usize) {
        let Some((place, kept, _)) = kept(&self.growing[lane], &mut self.kept) else { return };
        kept.written.clone_from(&self.held[lane]);
        let rows = 0..kept.written.len();
        self.session.copy_kept(lane, self.kept_lanes(place)[0], rows);
    }

    /// Lets a lane take as many of the `tokens` as it can from what is kept, but for the last, and says how many.
    fn recall(&mut self, lane: usize, tokens: &[Token]) -> usize {
        let kept = kept(&self.growing[lane], &mut self.kept).filter(|(_, _, goes_on)| *goes_on);
        let held = &self.held[lane];
        let kept = kept.and_then(|(place, kept, _)| Some((place, kept.written.strip_prefix(&held[..])?)));
        let (place, same) = kept.map_or((0, 0), |(place, kept)| (place, common(kept, &tokens[..tokens.len() - 1])));
        if same > 0 {
            let past = held.len();
            self.session.copy_kept(self.kept_lanes(place)[0], lane, past..past + same);
            self.held[lane].extend_from_slice(&tokens[..same]);
        }
        same
    }

    /// Lets lane `to` hear what lane `from` hears and go on from the first `rows` tokens that this took; what `to` took before is
    /// forgotten. Only rows that the lanes do not have in common are copied.
    pub(super) fn branch(&mut self, Branch { from, to, rows }: Branch) {
        if from == to {
            return self.held[to].truncate(rows);
        }
        let is_shared = self.heard[from] == self.heard[to];
        let taken = self.held[from][..rows].iter();
        let same = taken.zip(&self.held[to]).take_while(|(one, other)| is_shared && one == other).count();
        self.session.copy_kept(from, to, same..rows);
        self.heard[to] = self.heard[from];
        let held = self.held[from][same..rows].to_vec();
        self.held[to].truncate(same);
        self.held[to].extend(held);
    }

    /// What a step of `rows` rows in a lane is about.
    fn extent(&self, lane: usize, rows: usize) -> Extent {
        Extent { memory_lane: self.heard[lane], ..Extent::new(lane, rows, self.held[lane].len()) }
    }

    /// Takes more tokens in some lanes and gives the logits (lanes in the same order, vocabulary) of the tokens that follow.
    pub fn step<'a>(&mut self, steps: impl Iterator<Item = (usize, &'a [Token])>) -> Result<&[f32], DeviceError> {
        self.extents.clear();
        self.tokens.clear();
        for (lane, tokens) in steps {
            let tokens = &tokens[self.recall(lane, tokens)..];
            let extent = self.extent(lane, tokens.len());
            self.extents.push(extent);
            self.tokens.extend_from_slice(tokens);
        }
        self.session.write_tokens(self.program.tokens, &self.tokens);
        self.session.run(self.program.step, &self.extents)?;
        let mut tokens = self.tokens.as_slice();
        for extent in &self.extents {
            let (taken, rest) = tokens.split_at(extent.rows);
            self.held[extent.lane].extend_from_slice(taken);
            tokens = rest;
        }
        Ok(&self.session.read(self.program.logits)[..self.extents.len() * self.vocabulary_size])
    }

    /// Whether the device computes what a lane's alignment asks for.
    pub fn can_follow(&self) -> bool {
        self.program.following.is_some()
    }

    /// Takes `tokens`, all of a text, in a lane from its beginning, over what the lane listened to. What it took before is forgotten,
    /// unless the lane's window grows: then the first `settled` tokens at most look where they looked when they were followed last.
    ///
    /// Errors: a device fault, or a device that cannot.
    pub(super) fn follow(&mut self, lane: usize, tokens: &[Token], settled: usize) -> Result<(), DeviceError> {
        let program = self.program.clone();
        let Following { follow, probabilities, .. } = following(&program)?;
        let kept = kept(&self.growing[lane], &mut self.kept).map(|(place, kept, _)| {
            let past = common(&kept.followed, &tokens[..settled]);
            kept.followed.truncate(past);
            (place, past)
        });
        let (own, past) = kept.map_or((lane, 0), |(place, past)| (self.kept_lanes(place)[1], past));
        let rows = tokens.len() - past;
        self.session.write_tokens(self.program.tokens, &tokens[past..]);
        let extent = Extent { memory_lane: self.heard[lane], ..Extent::new(own, rows, past) };
        self.session.run(*follow, &[extent])?;
        self.followed = (kept.map(|(place, _)| place), past);
        if let (Some((place, _)), Some(recent)) = (kept, &mut self.kept) {
            let Kept { followed, looked, .. } = recent.at_mut(place);
            followed.extend_from_slice(&tokens[past..]);
            looked.resize(probabilities.len(), Vec::new());
            for (looked, &(value, heads)) in looked.iter_mut().zip(probabilities) {
                let columns = heads * self.audio_positions;
                looked.truncate(past * columns);
                looked.extend_from_slice(&self.session.read(value)[..rows * columns]);
            }
        } else {
            self.held[lane].clear();
            self.held[lane].extend_from_slice(tokens);
        }
        Ok(())
    }

    /// For each alignment head, where the rows that were followed last looked: row → probabilities of all audio positions.
    pub(super) fn heads<'a>(&'a self) -> impl Iterator<Item = impl Fn(usize) -> &'a [f32]> {
        let kept = self.followed.0.and_then(|place| Some(self.kept.as_ref()?.at(place)));
        let layers = self.program.following.iter().flat_map(|following| &following.probabilities).enumerate();
        layers.flat_map(move |(layer, &(value, heads))| {
            let probabilities = kept.map_or_else(|| self.session.read(value), |kept| &kept.looked[layer]);
            let positions = self.audio_positions;
            (0..heads)
                .map(move |head| move |row: usize| &probabilities[(row * heads + head) * positions..][..positions])
        })
    }

    /// Gives `judge` the logits (vocabulary) after each of `rows` of those that were followed last, in order. None of them may be settled.
    pub(super) fn judge(
        &mut self,
        rows: Range<usize>,
        mut judge: impl FnMut(usize, &[f32]),
    ) -> Result<(), DeviceError> {
        let following = following(&self.program)?;
        let (first, end) = (rows.start - self.followed.1, rows.end - self.followed.1);
        let states = self.session.read(following.states)[first * self.width..end * self.width].to_vec();
        let mut row = rows.start;
        for states in states.chunks(MOST_JUDGED * self.width) {
            self.session.write(following.judged, states);
            let count = states.len() / self.width;
            self.session.run(following.judge, &[Extent::new(0, count, 0)])?;
            let logits = self.session.read(following.logits).chunks_exact(self.vocabulary_size);
            for logits in logits.take(count) {
                judge(row, logits);
                row += 1;
            }
        }
        Ok(())
    }
}

/// The place and the rest of what is kept for a lane's window, and whether that goes on from it.
fn kept<'a>(
    growing: &Option<(Growing, bool)>,
    kept: &'a mut Option<Recent<Kept>>,
) -> Option<(usize, &'a mut Kept, bool)> {
    let (Growing { stream, start_samples }, goes_on) = growing.as_ref()?;
    let (place, kept) = kept.as_mut()?.of(stream, Kept::forget);
    Some((place, kept.of(*start_samples), *goes_on))
}

fn following(program: &DecoderProgram) -> Result<&Following, DeviceError> {
    let (device, operation) = ("the decoder's device", "probabilities of attention");
    program.following.as_ref().ok_or(DeviceError::Unsupported { device, operation })
}
