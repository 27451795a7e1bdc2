//! Cues to the bytes of a text or subtitle format, as soon as they come.

mod json;
mod srt;
mod text;
mod time;
mod vtt;

use std::{
    io::{self, Write},
    path::Path,
    str::FromStr,
};

use crate::common::recognise::Cue;

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line a cue.
    Text,
    /// SubRip.
    Srt,
    /// WebVTT.
    Vtt,
    /// One object a recording, each on a line of its own.
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "text" | "txt" => Ok(Self::Text),
            "srt" => Ok(Self::Srt),
            "vtt" => Ok(Self::Vtt),
            "json" => Ok(Self::Json),
            _ => Err("expected text, srt, vtt or json".into()),
        }
    }
}

/// Writes recordings one after another: `begin`, `cues` as often as there are some, `end`.
pub struct Writer<W> {
    format: Format,
    target: W,
    several: bool,
    recording: String,
    cues_written: u64,
    kept: Vec<Cue>,
}

impl<W: Write> Writer<W> {
    /// `several` says that more than one recording goes to the same target.
    pub fn new(format: Format, target: W, several: bool) -> Self {
        Self { format, target, several, recording: String::new(), cues_written: 0, kept: Vec::new() }
    }

    /// Starts a recording.
    pub fn begin(&mut self, file: &Path) -> io::Result<()> {
        self.recording = file.display().to_string();
        self.cues_written = 0;
        self.kept.clear();
        match self.format {
            Format::Text if self.several => text::write_name(&mut self.target, &self.recording),
            Format::Vtt => vtt::write_header(&mut self.target),
            _ => Ok(()),
        }
    }

    /// Writes the next cues of the recording; JSON waits for its end.
    pub fn cues(&mut self, cues: &[Cue]) -> io::Result<()> {
        for cue in cues {
            self.cues_written += 1;
            match self.format {
                Format::Text => text::write_cue(&mut self.target, cue)?,
                Format::Srt => srt::write_cue(&mut self.target, self.cues_written, cue)?,
                Format::Vtt => vtt::write_cue(&mut self.target, cue)?,
                Format::Json => self.kept.push(cue.clone()),
            }
        }
        self.target.flush()
    }

    /// Ends the recording, which had so many samples at 16 kHz.
    pub fn end(&mut self, samples: u64) -> io::Result<()> {
        if self.format == Format::Json {
            json::write_recording(&mut self.target, &self.recording, samples, &self.kept)?;
        }
        self.target.flush()
    }
}

#[cfg(test)]
mod tests {
    use gstwhispernpu::stream::CueWord;

    use super::*;

    fn cue(start_samples: u64, end_samples: u64, text: &str) -> Cue {
        Cue {
            start_samples,
            end_samples,
            text: text.into(),
            language: "en".into(),
            average_log_probability: -0.25,
            words: Vec::new(),
        }
    }

    fn written(format: Format, files: &[&str], cues: &[Cue]) -> String {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(format, &mut bytes, files.len() > 1);
        for file in files {
            writer.begin(Path::new(file)).unwrap();
            for cue in cues {
                writer.cues(std::slice::from_ref(cue)).unwrap();
            }
            writer.end(176_000).unwrap();
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn text_names_the_recordings_when_there_are_several() {
        let cues = [cue(0, 16_000, "Hello."), cue(16_000, 32_000, "Good day.")];
        assert_eq!(written(Format::Text, &["a.wav"], &cues), "Hello.\nGood day.\n");
        assert_eq!(
            written(Format::Text, &["a.wav", "b.wav"], &cues[..1]),
            "==> a.wav <==\nHello.\n==> b.wav <==\nHello.\n"
        );
    }

    #[test]
    fn subrip_counts_from_one_with_a_comma_in_the_times() {
        let cues = [cue(0, 24_000, "Hello."), cue(58_240_000, 58_256_008, "An hour later --> the end")];
        assert_eq!(
            written(Format::Srt, &["a.wav"], &cues),
            "1\n00:00:00,000 --> 00:00:01,500\nHello.\n\n\
             2\n01:00:40,000 --> 01:00:41,001\nAn hour later -> the end\n\n"
        );
    }

    #[test]
    fn webvtt_has_a_header_and_escapes_markup() {
        let cues = [cue(160, 16_000, "Q&A: a < b --> c")];
        assert_eq!(
            written(Format::Vtt, &["a.wav"], &cues),
            "WEBVTT\n\n00:00:00.010 --> 00:00:01.000\nQ&amp;A: a &lt; b --&gt; c\n\n"
        );
        assert_eq!(written(Format::Vtt, &["a.wav"], &[]), "WEBVTT\n\n");
    }

    #[test]
    fn json_is_one_object_a_line_with_seconds() {
        let cues = [cue(1_600, 16_000, "She said \"no\".")];
        let lines = written(Format::Json, &["a.wav", "b.wav"], &cues);
        let objects: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(objects.len(), 2);
        assert_eq!(objects[1]["file"], "b.wav");
        assert_eq!(objects[0]["seconds"], 11.0);
        assert_eq!(objects[0]["text"], "She said \"no\".");
        let segment = &objects[0]["segments"][0];
        assert_eq!((&segment["start"], &segment["end"]), (&0.1.into(), &1.0.into()));
        assert_eq!(segment["language"], "en");
        assert_eq!(segment["log_probability"], -0.25);
        assert!(segment.get("words").is_none());
    }

    #[test]
    fn words_have_their_times_in_text_and_json() {
        let mut cue = cue(1_600, 32_000, "Oh no.");
        let word = |text: &str, start_samples, end_samples| CueWord {
            text: text.into(),
            start_samples,
            end_samples,
            probability: 0.5,
        };
        cue.words = vec![word(" Oh", 1_600, 16_000), word(" no.", 16_000, 32_000)];
        let cues = [cue];
        assert_eq!(
            written(Format::Text, &["a.wav"], &cues),
            "Oh no.\n  00:00:00.100 00:00:01.000 0.50 Oh\n  00:00:01.000 00:00:02.000 0.50 no.\n"
        );
        let object: serde_json::Value = serde_json::from_str(&written(Format::Json, &["a.wav"], &cues)).unwrap();
        let words = &object["segments"][0]["words"];
        assert_eq!(
            (&words[1]["text"], &words[1]["start"], &words[1]["end"]),
            (&" no.".into(), &1.0.into(), &2.0.into())
        );
        assert_eq!(words[0]["probability"], 0.5);
    }
}
