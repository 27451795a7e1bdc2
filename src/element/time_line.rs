//! The segment that audio and text are in.

use gst::ClockTime;

use super::output::SHORTEST_CUE;

/// What timestamps mean.
#[derive(Clone, Debug, Default)]
pub(super) struct TimeLine {
    segment: Option<gst::FormattedSegment<ClockTime>>,
    /// What events of this line are numbered by.
    pub seqnum: Option<gst::Seqnum>,
}

impl TimeLine {
    /// What a segment event announces.
    pub fn new(event: &gst::event::Segment) -> Self {
        Self { segment: event.segment().downcast_ref().cloned(), seqnum: Some(event.seqnum()) }
    }

    /// What timestamps lie in, if there is one.
    pub fn segment(&self) -> Option<&gst::FormattedSegment<ClockTime>> {
        self.segment.as_ref()
    }

    /// Where the line starts.
    pub fn start(&self) -> Option<ClockTime> {
        self.segment.as_ref()?.start()
    }

    /// From where to where it leads, if it plays backwards.
    pub fn backwards(&self) -> Option<[ClockTime; 2]> {
        let segment = self.segment.as_ref().filter(|segment| segment.rate() < 0.0)?;
        let start = segment.start().unwrap_or_default();
        Some([start, segment.stop().unwrap_or(start)])
    }

    /// How fast it plays.
    pub fn rate(&self) -> f64 {
        self.segment.as_ref().map_or(1.0, |segment| segment.rate())
    }

    /// Whether timestamps mean the same in both: their segments are equal, but for the position in them.
    pub fn goes_on_as(&self, next: &Self) -> bool {
        let (Some(before), Some(next)) = (&self.segment, &next.segment) else { return false };
        let mut before = before.clone();
        before.set_position(next.position());
        before == *next
    }

    /// The running time of a PTS, which may be somewhat behind where the segment stops.
    pub fn running(&self, time: ClockTime) -> Option<ClockTime> {
        let segment = self.segment.as_ref()?;
        segment.to_running_time(segment.stop().map_or(time, |stop| time.min(stop)))
    }

    /// The PTS of a running time.
    pub fn position(&self, running: ClockTime) -> Option<ClockTime> {
        self.segment.as_ref()?.position_from_running_time(running)
    }

    /// The stream time of a PTS.
    fn stream_time(&self, time: ClockTime) -> Option<ClockTime> {
        self.segment.as_ref()?.to_stream_time(time)
    }

    /// A PTS, and its running time and stream time.
    pub fn times(&self, time: ClockTime) -> [Option<ClockTime>; 3] {
        [Some(time), self.running(time), self.stream_time(time)]
    }

    /// From when to when a text is said within the segment: a window's last words may be looked for behind the last sample.
    pub fn clip(&self, [start, end]: [ClockTime; 2]) -> [ClockTime; 2] {
        match self.segment.as_ref().and_then(|segment| segment.stop()) {
            Some(stop) => [start.min(stop.saturating_sub(SHORTEST_CUE)), end.min(stop)],
            None => [start, end],
        }
    }
}
