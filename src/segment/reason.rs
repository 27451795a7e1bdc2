//! Windows that are cut, and why.

use std::ops::Range;

/// Where a window is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// In the stream.
    pub place: Range<u64>,
    /// Why it is to be transcribed.
    pub reason: Reason,
}

/// Why a window is to be transcribed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Some text is to be there soon: of what is said since somebody began to speak, or since text was final. The open window may
    /// be a longer one.
    Glance,
    /// It has grown, and words of it may be final.
    Update,
    /// Its speech pauses; the window may grow on.
    Pause,
    /// It has grown for long. What is said before this place is as well heard as it can be waited for.
    Flush(u64),
    /// It ends. What follows is in other windows.
    End,
}

impl Cut {
    /// Whether some of its text may be final, after which the next window may begin elsewhere.
    pub fn is_awaited(&self) -> bool {
        self.reason != Reason::Glance
    }
}

impl Reason {
    /// Whether the same is heard again in a later window.
    pub fn is_passing(self) -> bool {
        matches!(self, Self::Glance | Self::Update)
    }

    /// Up to where the text of a window that ends at `end` is to be written now.
    pub fn awaited_to(self, end: u64) -> u64 {
        match self {
            Self::Glance | Self::Update => 0,
            Self::Flush(until) => until,
            Self::Pause | Self::End => end,
        }
    }
}
