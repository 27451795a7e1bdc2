//! What the text's stream is made of: its beginning, its language, its buffers.

use gst::ClockTime;

/// The text's stream id, given upstream's.
pub(super) fn stream_id(audio: &gst::event::StreamStart) -> String {
    format!("{}/text", audio.stream_id())
}

/// The text is a stream of its own, in upstream's group.
pub(super) fn stream_start(audio: &gst::event::StreamStart) -> gst::Event {
    let id = stream_id(audio);
    let mut start = gst::event::StreamStart::builder(&id).flags(audio.stream_flags()).seqnum(audio.seqnum());
    if let Some(group_id) = audio.group_id() {
        start = start.group_id(group_id);
    }
    if audio.stream().is_some() {
        start = start.stream(gst::Stream::new(Some(&id), None, gst::StreamType::TEXT, audio.stream_flags()));
    }
    start.build()
}

/// Says what language it is in.
pub(super) fn language_tag(language: &str) -> gst::TagList {
    let mut tags = gst::TagList::new();
    if let Some(tags) = tags.get_mut() {
        tags.add::<gst::tags::LanguageCode>(&language, gst::TagMergeMode::Replace);
        tags.set_scope(gst::TagScope::Stream);
    }
    tags
}

/// A text with its time.
pub(super) fn buffer(start: ClockTime, end: ClockTime, text: String, discont: bool) -> gst::Buffer {
    let mut buffer = gst::Buffer::from_slice(text);
    if let Some(buffer) = buffer.get_mut() {
        buffer.set_pts(start);
        buffer.set_duration(end - start);
        if discont {
            buffer.set_flags(gst::BufferFlags::DISCONT);
        }
    }
    buffer
}
