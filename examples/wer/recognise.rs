//! Runs the engine over the selected clips.

use std::{
    collections::HashMap,
    error::Error,
    io::{self, IsTerminal},
    time::Instant,
};

use gstwhispernpu::decoder::Options;

use crate::{
    arguments::Arguments,
    common::{
        audio::{Recording, SAMPLE_RATE},
        progress::{Progress, clock},
        recognise::Recogniser,
    },
    hypotheses::Recorder,
    manifest::Clip,
    report::Speed,
    selection::Selection,
};

/// Clips between two lines of progress where there is no terminal to rewrite a line on.
const CLIPS_PER_LINE: usize = 25;

/// A hypothesis for each clip, by id, and how long that took. Leaves out clips in languages that the model does not know.
pub fn all(
    selection: &mut Selection,
    arguments: &Arguments,
) -> Result<(HashMap<String, String>, Speed), Box<dyn Error>> {
    let mut recorder = arguments.hypotheses.as_deref().map(Recorder::create).transpose()?;
    let started = Instant::now();
    let open = if arguments.no_voice { Recogniser::deaf_to_voice } else { Recogniser::open };
    let recogniser = open(&arguments.model, arguments.placement)?;
    if recogniser.is_english_only() {
        selection.keep("in other languages: the model knows English only", |clip| clip.language == "en");
    }
    let audio_seconds = check(&selection.clips, &recogniser, &arguments.options)?;
    let mut speed = Speed { load_seconds: started.elapsed().as_secs_f64(), ..Speed::default() };
    let mut hypotheses = HashMap::new();
    let mut progress = Progress::new(true);
    let total = selection.clips.len();
    for (number, clip) in (1..).zip(&selection.clips) {
        progress.show(|| format!("{number}/{total} {}, {}", clip.id, describe(&speed, audio_seconds)));
        let hypothesis = one(&recogniser, clip, arguments, &mut speed).map_err(|error| {
            progress.clear();
            format!("{}: {error}", clip.id)
        })?;
        if let Some(recorder) = &mut recorder {
            recorder.record(&clip.id, &hypothesis)?;
        }
        hypotheses.insert(clip.id.clone(), hypothesis);
        if !io::stderr().is_terminal() && (number % CLIPS_PER_LINE == 0 || number == total) {
            eprintln!("{number}/{total} clips, {}", describe(&speed, audio_seconds));
        }
    }
    progress.clear();
    speed.total_seconds = started.elapsed().as_secs_f64();
    Ok((hypotheses, speed))
}

/// The clips' length as their files state it. A clip that cannot be opened or asked for fails here, before the long part.
fn check(clips: &[Clip], recogniser: &Recogniser, options: &Options) -> Result<f64, Box<dyn Error>> {
    let mut audio_seconds = 0.0;
    for clip in clips {
        recogniser.options(&clip.language, options).map_err(|error| format!("{}: {error}", clip.id))?;
        let recording = Recording::open(&clip.file).map_err(|error| format!("{}: {error}", clip.id))?;
        audio_seconds += recording.seconds().unwrap_or_default();
    }
    Ok(audio_seconds)
}

/// The clip is decoded to samples before the clock starts: only recognition is timed.
fn one(
    recogniser: &Recogniser,
    clip: &Clip,
    arguments: &Arguments,
    speed: &mut Speed,
) -> Result<String, Box<dyn Error>> {
    let mut recording = Recording::open(&clip.file)?;
    let mut samples = Vec::new();
    while let Some(block) = recording.next_block()? {
        samples.extend(block);
    }
    let options = recogniser.options(&clip.language, &arguments.options)?;
    let started = Instant::now();
    let mut transcription = recogniser.begin(options, arguments.limits, arguments.policy);
    let mut cues = transcription.push(&samples)?;
    cues.extend(transcription.finish()?);
    speed.delays_samples.extend(&transcription.delays);
    speed.recognition_seconds += started.elapsed().as_secs_f64();
    speed.audio_seconds += samples.len() as f64 / f64::from(SAMPLE_RATE);
    Ok(cues.iter().map(|cue| cue.text.as_str()).collect::<Vec<_>>().join(" "))
}

fn describe(speed: &Speed, audio_seconds: f64) -> String {
    let heard = format!("{} of {} of audio", clock(speed.audio_seconds), clock(audio_seconds));
    match speed.times_real_time() {
        Some(rate) => format!("{heard}, {rate:.1} times real time"),
        None => heard,
    }
}
