//! What leaves the source pad: cues become buffers, and the time between them gaps, so that together they cover the time
//! line once.

use gst::ClockTime;

/// A user cannot read a shorter text, and muxers refuse one without a duration.
pub(super) const SHORTEST_CUE: ClockTime = ClockTime::from_mseconds(1);

/// A text that is moved by less is in its place for whoever reads it.
const LONGEST_MOVE: ClockTime = ClockTime::from_seconds(1);

/// Silence leaves in gaps of at least this length, five a second at most.
const SHORTEST_GAP: ClockTime = ClockTime::from_mseconds(200);

/// A piece of the source pad's time line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Nothing is said from `start` to `end`.
    Gap { start: ClockTime, end: ClockTime },
    /// `text` is said from `start` to `end`.
    Text { start: ClockTime, end: ClockTime, text: String, discont: bool },
}

/// How far the time line is covered, in the stream's own time (PTS).
#[derive(Debug, Default)]
pub(super) struct Output {
    covered_to: Option<ClockTime>,
    /// Nothing is said before, and no gap has told so yet.
    silent_to: Option<ClockTime>,
    discont: bool,
    /// Whether a gap or a text has left.
    has_left: bool,
}

impl Output {
    /// A new time line that starts at `start`, where it is known.
    pub fn begin(&mut self, start: Option<ClockTime>) {
        *self = Self { covered_to: start, discont: true, ..Self::default() };
    }

    /// Where text of audio that begins at `start` can leave, if that is much later.
    pub fn moved(&self, start: ClockTime) -> Option<ClockTime> {
        self.covered_to.filter(|covered_to| covered_to.saturating_sub(start) > LONGEST_MOVE)
    }

    /// The next text does not follow on the one before.
    pub fn mark_discont(&mut self) {
        self.discont = true;
    }

    /// A gap of no length where the first text may be, if nothing has left: a sink that prerolls waits for one.
    pub fn open(&mut self) -> Option<[ClockTime; 2]> {
        let start = self.covered_to.filter(|_| !self.has_left)?;
        self.has_left = true;
        Some([start, start])
    }

    /// Nothing more will be said before `end`: from where to where that leaves a gap.
    pub fn cover(&mut self, end: ClockTime) -> Option<[ClockTime; 2]> {
        let start = *self.covered_to.get_or_insert(end);
        if start >= end {
            return None;
        }
        (self.covered_to, self.has_left) = (Some(end), true);
        Some([start, end])
    }

    /// The same where silence lasts: leaves a gap when it is long enough.
    pub fn pass(&mut self, end: ClockTime) -> Option<[ClockTime; 2]> {
        let start = *self.covered_to.get_or_insert(end);
        if end.saturating_sub(start) < SHORTEST_GAP {
            self.silent_to = self.silent_to.max(Some(end));
            return None;
        }
        self.cover(end)
    }

    /// The silence is over: what gap it leaves yet.
    pub fn settle(&mut self) -> Option<[ClockTime; 2]> {
        self.silent_to.take().and_then(|end| self.cover(end))
    }

    /// `text` is said from `start` to `end`: the gap before it, if any, and the text itself.
    ///
    /// A text that begins before what is covered already is moved there, so that none overlaps another.
    pub fn say(&mut self, start: ClockTime, end: ClockTime, text: &str) -> Vec<Piece> {
        let line = single_line(text);
        if line.is_empty() {
            return Vec::new();
        }
        // Of words of scripts without spaces, which stand alone.
        let text = if text.starts_with(' ') { format!(" {line}") } else { line };
        let gap = self.cover(start).map(|[start, end]| Piece::Gap { start, end });
        let mut pieces: Vec<Piece> = gap.into_iter().collect();
        let start = self.covered_to.map_or(start, |covered_to| covered_to.max(start));
        let end = end.max(start.saturating_add(SHORTEST_CUE));
        (self.covered_to, self.has_left) = (Some(end), true);
        pieces.push(Piece::Text { start, end, text, discont: std::mem::take(&mut self.discont) });
        pieces
    }
}

fn single_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> ClockTime {
        ClockTime::from_seconds(seconds)
    }

    fn text(start: u64, end: u64, text: &str, discont: bool) -> Piece {
        Piece::Text { start: at(start), end: at(end), text: text.to_owned(), discont }
    }

    #[test]
    fn gaps_and_texts_cover_the_time_line_once() {
        let mut output = Output::default();
        output.begin(Some(at(10)));
        assert_eq!(
            output.say(at(12), at(14), "hello\nworld "),
            [Piece::Gap { start: at(10), end: at(12) }, text(12, 14, "hello world", true)]
        );
        assert_eq!(output.say(at(14), at(15), " again"), [text(14, 15, " again", false)]);
        assert_eq!(output.cover(at(20)), Some([at(15), at(20)]));
        assert_eq!(output.cover(at(20)), None);
    }

    #[test]
    fn silence_leaves_in_few_gaps() {
        let mut output = Output::default();
        output.begin(Some(at(10)));
        let passed = (1..=15).filter_map(|chunk| output.pass(at(10) + ClockTime::from_mseconds(32 * chunk)));
        assert_eq!(passed.count(), 2);
        assert_eq!(output.settle(), Some([ClockTime::from_mseconds(10_448), ClockTime::from_mseconds(10_480)]));
        assert_eq!(output.settle(), None);
    }

    #[test]
    fn a_time_line_is_opened_once_and_not_behind_what_has_left() {
        let mut output = Output::default();
        output.begin(Some(at(10)));
        assert_eq!([output.open(), output.open()], [Some([at(10), at(10)]), None]);
        output.begin(Some(at(10)));
        output.cover(at(20));
        assert_eq!(output.open(), None);
    }

    #[test]
    fn time_never_runs_backwards() {
        let mut output = Output::default();
        output.begin(Some(at(10)));
        output.cover(at(20));
        assert_eq!(output.say(at(5), at(22), "late"), [text(20, 22, "late", true)]);
        let Some(Piece::Text { start, end, .. }) = output.say(at(3), at(4), "later").pop() else {
            panic!("no text");
        };
        assert!(start == at(22) && end > start);
    }

    #[test]
    fn blank_text_is_no_text() {
        assert!(Output::default().say(at(0), at(1), " \n ").is_empty());
    }
}
