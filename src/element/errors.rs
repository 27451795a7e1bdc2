//! What can go wrong in the element, and the one place that turns it into a bus message and a flow return.

use std::error::Error as _;

use gst::{glib::translate::IntoGlib, subclass::prelude::*};

use super::{imp::CAT, settings::ELEMENT_NAME};
use crate::{Error, model::ModelError, scheduler::ScheduleError, segment::voice::VoiceError};

/// Why a stream cannot go on.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The engine refused the model, the options or the window.
    #[error(transparent)]
    Engine(#[from] Error),
    /// Positions that are not times.
    #[error(
        "the stream's segment counts {received}, but {ELEMENT_NAME} needs times: put a parser or a demuxer before it"
    )]
    SegmentFormat { received: String },
    /// A buffer came without a segment.
    #[error("audio came before its segment: the element upstream must send a SEGMENT event with times first")]
    NoSegment,
    /// A buffer came before any caps.
    #[error("audio came before its format: put audioconvert or a capsfilter with audio/x-raw before {ELEMENT_NAME}")]
    NoCaps,
    /// The caps are within the template, but nobody can convert them.
    #[error("audio of the format {caps} cannot be converted ({reason}): put audioconvert before {ELEMENT_NAME}")]
    Caps { caps: String, reason: String },
    /// The buffer's memory is not what its caps say.
    #[error(
        "an audio buffer cannot be read as {format}: {reason}; the element upstream does not fill what its caps say"
    )]
    Buffer { format: String, reason: String },
}

impl Fault {
    fn flow(&self) -> gst::FlowError {
        match self {
            Self::Engine(Error::Schedule(ScheduleError::Cancelled)) => gst::FlowError::Flushing,
            Self::NoCaps | Self::Caps { .. } => gst::FlowError::NotNegotiated,
            _ => gst::FlowError::Error,
        }
    }

    /// Domain, sentence for the user, and details for a developer.
    fn message(&self) -> gst::ErrorMessage {
        let details = details(self);
        match self {
            Self::Engine(Error::Model(ModelError::NotFound { .. })) => {
                gst::error_msg!(gst::ResourceError::NotFound, ("{self}"), ["{details}"])
            }
            Self::Engine(Error::Voice(VoiceError::NotInstalled { .. })) => {
                gst::error_msg!(gst::ResourceError::NotFound, ("{self}"), ["{details}"])
            }
            Self::Engine(Error::Model(_) | Error::Voice(_)) => {
                gst::error_msg!(gst::ResourceError::Read, ("{self}"), ["{details}"])
            }
            Self::Engine(Error::Device(_)) => gst::error_msg!(gst::ResourceError::Failed, ("{self}"), ["{details}"]),
            Self::Engine(Error::Decode(_)) => gst::error_msg!(gst::ResourceError::Settings, ("{self}"), ["{details}"]),
            Self::Engine(Error::Schedule(_)) => gst::error_msg!(gst::LibraryError::Failed, ("{self}"), ["{details}"]),
            Self::SegmentFormat { .. } | Self::NoSegment | Self::Buffer { .. } => {
                gst::error_msg!(gst::StreamError::Format, ("{self}"), ["{details}"])
            }
            Self::NoCaps | Self::Caps { .. } => {
                gst::error_msg!(gst::CoreError::Negotiation, ("{self}"), ["{details}"])
            }
        }
    }
}

/// Posts a fault on the bus, unless it only says that the stream was given up, and names the flow return that goes with it.
pub(super) fn report(element: &super::imp::WhisperNpu, fault: &Fault) -> gst::FlowError {
    let flow = fault.flow();
    if flow != gst::FlowError::Flushing {
        gst::error!(CAT, imp = element, "{fault}");
        element.post_error_message(fault.message());
        element.mark_reported();
    }
    flow
}

/// Posts the message that goes with a flow error which nobody upstream will see, as `GST_ELEMENT_FLOW_ERROR` does.
pub(super) fn report_flow(element: &super::imp::WhisperNpu, flow: gst::FlowError) {
    gst::error!(CAT, imp = element, "Downstream answered {flow:?} after the end of the audio");
    let details = gst::Structure::builder("details").field("flow-return", flow.into_glib()).build();
    gst::element_imp_error!(
        element,
        gst::StreamError::Failed,
        ("Internal data stream error."),
        ["streaming stopped, reason {flow:?}"],
        details: details
    );
}

fn details(fault: &Fault) -> String {
    let mut text = format!("{fault:?}");
    let mut source = fault.source();
    while let Some(cause) = source {
        text.push_str(&format!("; because: {cause}"));
        source = cause.source();
    }
    text
}
