//! Whole pipelines with elements of others around ours, as they are used. One that is not installed fails its test by name.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use gst::{ClockTime, prelude::*};

use crate::{
    listener::{Pace, in_seconds, init},
    toy::{self, Phrase},
};

const LENGTH_S: f64 = 7.0;

/// A running time of a minute for seconds of work.
const PATIENCE: ClockTime = ClockTime::from_seconds(60);

/// What is written: from, to, text.
type Cue = (f64, f64, String);

fn phrases() -> [Phrase; 2] {
    [Phrase::new(0.6, &[0, 1, 2]), Phrase::new(4.0, &[3, 4])]
}

#[track_caller]
fn assert_written(cues: &[Cue], what: &str) {
    let texts: Vec<_> = cues.iter().map(|(_, _, text)| text.clone()).collect();
    assert_eq!(texts, phrases().each_ref().map(Phrase::text), "{what}");
    for ((start_s, end_s, _), phrase) in cues.iter().zip(phrases()) {
        // A first text's start may be early: Whisper gives a window's none after 1.00 s.
        assert!(start_s - phrase.at < 0.15, "{what}: {cues:?}");
        assert!((end_s - phrase.end()).abs() < 0.15, "{what}: {cues:?}");
    }
}

/// A folder with speech in it, and the part of a pipeline that reads and transcribes it.
struct Speech(tempfile::TempDir);

impl Speech {
    fn new() -> Self {
        init();
        let folder = tempfile::tempdir().unwrap();
        let format = hound::WavSpec {
            channels: 1,
            sample_rate: 16_000,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut file = hound::WavWriter::create(folder.path().join("speech.wav"), format).unwrap();
        toy::beeps(&phrases(), LENGTH_S).into_iter().for_each(|sample| file.write_sample(sample).unwrap());
        file.finalize().unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Audio, as fast as it is taken or as time goes.
    fn audio(&self, pace: Pace) -> String {
        let sync = if pace == Pace::Live { "! clocksync" } else { "" };
        format!("filesrc location={} ! wavparse {sync}", self.path("speech.wav"))
    }
}

fn transcriber() -> String {
    format!("whispernpu name=transcriber voice-activity=off model={}", toy::MODEL)
}

/// Plays to the end. A live pipeline has a clock that leaps to whatever anybody waits for.
fn play(pace: Pace, line: &str, prepare: impl FnOnce(&gst::Pipeline)) {
    let pipeline = gst::parse::launch(line).unwrap().downcast::<gst::Pipeline>().unwrap();
    prepare(&pipeline);
    let clock = gst_check::TestClock::new();
    if pace == Pace::Live {
        pipeline.use_clock(Some(&clock));
    }
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                if clock.peek_id_count() > 0 {
                    clock.crank();
                }
                std::thread::yield_now();
            }
        });
        pipeline.set_state(gst::State::Playing).unwrap();
        let end =
            pipeline.bus().unwrap().timed_pop_filtered(PATIENCE, &[gst::MessageType::Eos, gst::MessageType::Error]);
        pipeline.set_state(gst::State::Null).unwrap();
        is_over.store(true, Ordering::Relaxed);
        assert!(end.as_ref().is_some_and(|end| end.type_() == gst::MessageType::Eos), "{line}: {end:?}");
    });
}

/// The cues of a file in SubRip's or WebVTT's form.
fn cues(file: impl AsRef<Path>) -> Vec<Cue> {
    let text = std::fs::read_to_string(file).unwrap();
    let seconds = |time: &str| {
        let parts = time.trim().split(':').map(|part| part.replace(',', ".").parse::<f64>().unwrap());
        parts.fold(0.0, |sum, part| sum * 60.0 + part)
    };
    let lines: Vec<&str> = text.lines().collect();
    let cue = |pair: &[&str]| {
        let (start, end) = pair[0].split_once("-->")?;
        Some((seconds(start), seconds(end), pair[1].to_owned()))
    };
    lines.windows(2).filter_map(cue).collect()
}

#[test]
fn files_of_subtitles() {
    for pace in Pace::BOTH {
        for encoder in ["srtenc", "webvttenc"] {
            let speech = Speech::new();
            let file = speech.path("speech.txt");
            let line = format!("{} ! {} ! {encoder} ! filesink location={file}", speech.audio(pace), transcriber());
            play(pace, &line, |_| {});
            assert_written(&cues(file), &line);
        }
    }
}

#[test]
fn containers_with_a_track_of_subtitles() {
    for pace in Pace::BOTH {
        for (encoder, muxer, demuxer) in
            [("voaacenc", "mp4mux", "qtdemux"), ("flacenc", "matroskamux", "matroskademux")]
        {
            let speech = Speech::new();
            let (file, subtitles) = (speech.path("speech.container"), speech.path("speech.srt"));
            let line = format!(
                "{} ! tee name=audio audio. ! queue max-size-time=0 ! audioconvert ! {encoder} ! mux. \
                 audio. ! queue ! {} ! mux.subtitle_0 {muxer} name=mux ! filesink location={file}",
                speech.audio(pace),
                transcriber()
            );
            play(pace, &line, |_| {});
            let back = format!(
                "filesrc location={file} ! {demuxer} name=demuxer demuxer.audio_0 ! queue ! fakesink \
                 demuxer.subtitle_0 ! queue ! srtenc ! filesink location={subtitles}"
            );
            play(Pace::File, &back, |_| {});
            let mut cues = cues(subtitles);
            // qtdemux up to 1.22 at least leaves out the edit list, which says when a track of text begins.
            if demuxer == "qtdemux" && cues.first().is_some_and(|cue| cue.0 == 0.0) {
                cues.iter_mut().for_each(|cue| (cue.0, cue.1) = (cue.0 + phrases()[0].at, cue.1 + phrases()[0].at));
            }
            assert_written(&cues, &line);
        }
    }
}

#[test]
fn text_over_a_picture() {
    for pace in Pace::BOTH {
        let speech = Speech::new();
        let is_live = pace == Pace::Live;
        let line = format!(
            "{} ! {} ! overlay.text_sink videotestsrc is-live={is_live} pattern=black num-buffers=70 ! \
             video/x-raw,format=I420,width=320,height=240,framerate=10/1 ! textoverlay name=overlay font-desc=Sans,24 ! \
             fakesink name=screen signal-handoffs=true",
            speech.audio(pace),
            transcriber()
        );
        let lit = Arc::new(Mutex::new(Vec::new()));
        play(pace, &line, |pipeline| {
            let lit = lit.clone();
            pipeline.by_name("screen").unwrap().connect("handoff", false, move |values| {
                let buffer = values[1].get::<gst::Buffer>().unwrap();
                let is_lit = buffer.map_readable().unwrap()[..320 * 240].iter().any(|luma| *luma > 150);
                lit.lock().unwrap().push((in_seconds(buffer.pts().unwrap()), is_lit));
                None
            });
        });
        let lit = lit.lock().unwrap();
        assert_eq!(lit.len(), 70, "{line}");
        for (at_s, is_lit) in lit.iter().copied() {
            let is_said = |margin_s: f64| {
                phrases().iter().any(|phrase| phrase.at - margin_s <= at_s && at_s < phrase.end() + margin_s)
            };
            assert!(is_lit || !is_said(-0.15), "{line}: nothing at {at_s} s");
            assert!(!is_lit || is_said(0.15) || (at_s < phrases()[0].end()), "{line}: text at {at_s} s");
        }
    }
}

#[test]
fn an_application_that_takes_samples() {
    for pace in Pace::BOTH {
        let speech = Speech::new();
        let line = format!(
            "{} ! {} ! appsink name=application emit-signals=true sync=false",
            speech.audio(pace),
            transcriber()
        );
        let taken = Arc::new(Mutex::new(Vec::new()));
        play(pace, &line, |pipeline| {
            let taken = taken.clone();
            pipeline.by_name("application").unwrap().connect("new-sample", false, move |values| {
                let sink = values[0].get::<gst::Element>().unwrap();
                let sample = sink.emit_by_name::<gst::Sample>("pull-sample", &[]);
                assert_eq!(sample.caps().unwrap().to_string(), "text/x-raw, format=(string)utf8");
                let buffer = sample.buffer().unwrap();
                let start_s = in_seconds(buffer.pts().unwrap());
                let text = String::from_utf8(buffer.map_readable().unwrap().to_vec()).unwrap();
                taken.lock().unwrap().push((start_s, start_s + in_seconds(buffer.duration().unwrap()), text));
                Some(gst::FlowReturn::Ok.to_value())
            });
        });
        assert_written(&taken.lock().unwrap(), &line);
    }
}

fn lines_of_json(file: impl AsRef<Path>) -> Vec<serde_json::Value> {
    std::fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a line of JSON tells.
fn told(line: &serde_json::Value) -> Cue {
    let seconds = |name: &str| line[name].as_f64().unwrap();
    (seconds("start-time"), seconds("end-time"), line["text"].as_str().unwrap().to_owned())
}

#[test]
fn lines_of_json_beside_the_text() {
    for pace in Pace::BOTH {
        let speech = Speech::new();
        let file = speech.path("speech.json");
        let line = format!(
            "{} ! {} ! fakesink transcriber.unsynced_src ! queue ! filesink location={file}",
            speech.audio(pace),
            transcriber()
        );
        play(pace, &line, |_| {});
        let cues: Vec<Cue> = lines_of_json(file).iter().map(told).collect();
        assert_written(&cues, &line);
    }
}

#[test]
fn partials_that_fill_a_queue_before_there_is_text_let_it_play() {
    let speech = Speech::new();
    let file = speech.path("speech.json");
    let line = format!(
        "{} ! {} partials=true ! fakesink transcriber.unsynced_src ! queue ! filesink location={file}",
        speech.audio(Pace::Live),
        transcriber()
    );
    play(Pace::Live, &line, |_| {});
    // How many partials there is time for depends on the machine; the texts are there however many.
    let lines = lines_of_json(file);
    let cues: Vec<Cue> = lines.iter().filter(|line| line["final"] == true).map(told).collect();
    assert_written(&cues, &line);
}

#[test]
fn whoever_has_enough_text_ends_the_lines_of_json_too() {
    let speech = Speech::new();
    let line = format!(
        "{} ! {} ! identity eos-after=1 ! fakesink transcriber.unsynced_src ! queue ! fakesink",
        speech.audio(Pace::File),
        transcriber()
    );
    play(Pace::File, &line, |_| {});
}
