//! What the decoder can be told reaches it, at any time, and how sure it is of the language comes back.

use std::sync::{Arc, Mutex};

use gst::prelude::*;

use crate::{
    listener::{Listener, Out, PLAIN, words},
    subtitles::subtitles,
    toy::{Phrase, Timbre, add_noise, beeps},
};

/// Longer than a window of a file.
const WINDOW_S: f64 = 31.0;

fn said(settings: &[(&str, &str)], samples: &[f32]) -> Vec<Out> {
    let mut listener = told(settings);
    listener.speak(samples, 0.0);
    let outs = listener.finish();
    listener.no_error();
    outs
}

fn told(settings: &[(&str, &str)]) -> Listener {
    let mut listener = Listener::idle();
    for (property, value) in settings {
        listener.element.set_property_from_str(property, value);
    }
    listener.play(PLAIN);
    listener
}

/// Texts with their confidences.
fn lines(outs: &[Out]) -> Vec<(String, f64)> {
    let line = |subtitle: &gst::Structure| (subtitle.get("text").unwrap(), subtitle.get::<f64>("confidence").unwrap());
    subtitles(outs).iter().map(line).collect()
}

fn phrase(at: f64, tones: &[usize], timbre: Timbre) -> Vec<Phrase> {
    vec![Phrase { timbre, ..Phrase::new(at, tones) }]
}

/// A stretch of the time line that is one window.
fn window(tones: &[usize], timbre: Timbre) -> Vec<f32> {
    beeps(&phrase(0.6, tones, timbre), WINDOW_S)
}

/// Speaks a window and gives what left until its first texts have.
fn hear(listener: &mut Listener, index: usize, samples: &[f32]) -> Vec<Out> {
    let from_s = index as f64 * WINDOW_S;
    listener.speak(samples, from_s);
    listener.take_until(|out| matches!(out, Out::Gap { end_s, .. } if *end_s > from_s + 15.0))
}

/// Whether both write the same text to a window.
fn is_same(listeners: &mut [Listener; 2], index: usize, samples: &[f32]) -> bool {
    let [one, other] = listeners.each_mut().map(|listener| lines(&hear(listener, index, samples)));
    one == other
}

/// In which many texts are about as likely. Which setting matters in which of them is for the last bits to say, and those for the
/// processor.
const NOISES: [f64; 8] = [1.0, 0.9, 1.2, 0.7, 0.6, 0.4, 0.5, 1.1];

/// Beeps in noise of this level.
fn unsure(noise: f64) -> Vec<f32> {
    let phrases = [Phrase::new(0.5, &[0, 1, 2]), Phrase::new(3.0, &[3, 4, 1]), Phrase::new(5.4, &[4, 3, 2, 1])];
    let mut samples = beeps(&phrases, 10.0);
    add_noise(&mut samples, noise);
    samples
}

#[test]
fn each_setting_of_the_search_changes_a_doubtful_text() {
    let plain = [("no-speech-threshold", "1")].to_vec();
    let beams = [&plain[..], &[("beam-size", "5")]].concat();
    let drawn = [&plain[..], &[("temperature-fallback", "true"), ("log-probability-threshold", "0")]].concat();
    let strict = [&plain[..], &[("temperature-fallback", "true"), ("log-probability-threshold", "-100")]].concat();
    for (settings, property, value) in [
        (&plain, "beam-size", "5"),
        (&beams, "patience", "0.1"),
        (&beams, "length-penalty", "-1"),
        (&strict, "log-probability-threshold", "0"),
        (&strict, "compression-ratio-threshold", "0.01"),
        (&drawn, "temperature-fallback", "false"),
        (&drawn, "best-of", "1"),
    ] {
        let changed = [&settings[..], &[(property, value)]].concat();
        let is_changed = |noise: &f64| {
            let [before, after] = [settings, &changed].map(|settings| lines(&said(settings, &unsure(*noise))));
            !before.is_empty() && before != after
        };
        assert!(NOISES.iter().any(is_changed), "{property}={value} changes nothing");
    }
}

#[test]
fn a_threshold_that_is_off_rejects_nothing() {
    let off =
        [("no-speech-threshold", "1"), ("log-probability-threshold", "-100"), ("compression-ratio-threshold", "0")];
    let fallback = [&off[..], &[("temperature-fallback", "true")]].concat();
    for noise in NOISES {
        assert_eq!(lines(&said(&fallback, &unsure(noise))), lines(&said(&off, &unsure(noise))));
    }
}

#[test]
fn what_is_no_speech_is_for_the_thresholds_to_say() {
    let samples = beeps(&phrase(0.6, &[0, 1, 2], Timbre::English), 5.0);
    for (no_speech, unlikely, is_said) in
        [("0", "0", false), ("0", "-50", true), ("0", "-100", false), ("1", "0", true), ("0.6", "0", true)]
    {
        let settings = [("no-speech-threshold", no_speech), ("log-probability-threshold", unlikely)];
        assert_eq!(!words(&said(&settings, &samples)).is_empty(), is_said, "{settings:?}");
    }
}

/// The toy has learnt nothing of text before its own, so that such text leads it astray.
#[test]
fn prompt_and_vocabulary_take_effect_with_the_next_window() {
    let samples = window(&[0, 1, 2], Timbre::English);
    for property in ["vocabulary", "initial-prompt"] {
        let (mut plain, mut led) = (told(&[]), told(&[]));
        for (index, text) in [None, Some("eins, zwei"), None].into_iter().enumerate() {
            led.element.set_property(property, text);
            let [plain, led] = [&mut plain, &mut led].map(|listener| lines(&hear(listener, index, &samples)));
            assert_eq!(plain[0].0, "do re mi");
            assert_eq!(plain == led, text.is_none(), "{property}={text:?}: {led:?}");
        }
        led.no_error();
    }
}

#[test]
fn commas_and_lines_divide_a_vocabulary() {
    let phrases = [Phrase::new(0.5, &[0, 1, 2]), Phrase::new(3.0, &[3, 4, 1]), Phrase::new(5.4, &[4, 3, 2, 1])];
    let samples = beeps(&phrases, 10.0);
    let [commas, newlines, one] =
        ["fa,so", " fa\n\nso, ", "fa so"].map(|text| lines(&said(&[("vocabulary", text)], &samples)));
    assert!(!commas.is_empty());
    assert_eq!(commas, newlines);
    assert_ne!(commas, one);
}

#[test]
fn a_search_may_change_while_playing() {
    let is_noticed = |noise: &f64| {
        let mut samples = unsure(*noise);
        samples.resize(window(&[0], Timbre::English).len(), 0.0);
        let [greedy, changed, searched] = [(1_u32, 1_u32), (1, 5), (5, 5)].map(|(first, second)| {
            let mut listener = told(&[("no-speech-threshold", "1")]);
            listener.element.set_property("beam-size", first);
            let before = lines(&hear(&mut listener, 0, &samples));
            listener.element.set_property("beam-size", second);
            [before, lines(&hear(&mut listener, 1, &samples))]
        });
        assert_eq!(changed, [greedy[0].clone(), searched[1].clone()]);
        greedy[1] != searched[1]
    };
    assert!(NOISES.iter().any(is_noticed));
}

#[test]
fn an_impossible_value_is_an_error_that_says_what_is_possible() {
    let mut listener = told(&[]);
    hear(&mut listener, 0, &window(&[0], Timbre::English));
    listener.element.set_property("patience", 0.0_f32);
    listener.speak(&beeps(&phrase(0.6, &[0], Timbre::English), 5.0), WINDOW_S);
    listener.event(gst::event::Eos::new());
    let sentence = listener.error();
    assert!(sentence.contains("patience is 0") && sentence.contains("more than 0, at most 16"), "{sentence}");
}

#[test]
fn text_before_a_window_counts_until_a_flush_or_a_segment() {
    let samples = window(&[0, 1, 2], Timbre::English);
    let mut listeners = [told(&[]), told(&[("condition-on-previous-text", "true")])];
    assert!(is_same(&mut listeners, 0, &samples) && !is_same(&mut listeners, 1, &samples));
    for listener in &mut listeners {
        assert!(listener.event(gst::event::FlushStart::new()) && listener.event(gst::event::FlushStop::new(true)));
        listener.take();
        assert!(listener.segment(0.0));
    }
    assert!(is_same(&mut listeners, 0, &samples), "after a flush");
    assert!(!is_same(&mut listeners, 1, &samples));
    for listener in &mut listeners {
        assert!(listener.segment(2.0 * WINDOW_S));
    }
    assert!(is_same(&mut listeners, 2, &samples), "in a new segment");
    assert!(!is_same(&mut listeners, 3, &samples));
    listeners[1].element.set_property("condition-on-previous-text", false);
    assert!(is_same(&mut listeners, 4, &samples), "when nobody asks for it any more");
    listeners[1].no_error();
}

#[test]
fn another_search_keeps_the_text_before() {
    let samples = window(&[0, 1, 2], Timbre::English);
    let told = || told(&[("condition-on-previous-text", "true")]);
    let mut listeners = [told(), told()];
    assert!(is_same(&mut listeners, 0, &samples));
    listeners[1].element.set_property("best-of", 7_u32);
    assert!(is_same(&mut listeners, 1, &samples), "it draws no text");
    listeners[1].element.set_property("condition-on-previous-text", false);
    assert!(!is_same(&mut listeners, 2, &samples), "the text before had no effect");
}

#[test]
fn a_language_that_was_heard_is_kept_when_other_settings_change() {
    let mut listener = told(&[("language-code", "auto")]);
    assert_eq!(words(&hear(&mut listener, 0, &window(&[0, 1], Timbre::German))), ["eins zwei"]);
    let english = window(&[0, 1], Timbre::English);
    listener.element.set_property("beam-size", 2_u32);
    assert_eq!(words(&hear(&mut listener, 1, &english)), ["eins zwei"], "another search");
    listener.element.set_property("language-code", "en");
    assert_eq!(words(&hear(&mut listener, 2, &english)), ["do re"]);
    listener.element.set_property("language-code", "auto");
    assert_eq!(words(&hear(&mut listener, 3, &english)), ["do re"], "heard anew");
}

#[test]
fn the_confidence_of_a_detected_language_goes_out_with_every_text() {
    let confidence = |subtitle: &gst::Structure| {
        subtitle.has_field("language-confidence").then(|| subtitle.get("language-confidence"))
    };
    let mut listener = Listener::idle();
    listener.element.set_property("language-code", "auto");
    let metas = Arc::new(Mutex::new(Vec::new()));
    let kept = metas.clone();
    listener.element.static_pad("src").unwrap().add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let meta = gst::meta::CustomMeta::from_buffer(info.buffer().unwrap(), "WhisperNpuSubtitleMeta").unwrap();
        kept.lock().unwrap().push(meta.structure().to_owned());
        gst::PadProbeReturn::Ok
    });
    listener.play(PLAIN);
    let german = window(&[0, 1], Timbre::German);
    let mut announced = subtitles(&hear(&mut listener, 0, &german));
    listener.element.set_property("beam-size", 2_u32);
    announced.extend(subtitles(&hear(&mut listener, 1, &german)));
    assert_eq!(announced.len(), 2);
    let confidences: Vec<f64> = announced.iter().map(|subtitle| confidence(subtitle).unwrap().unwrap()).collect();
    assert!(confidences[0] > 0.9 && confidences[0] <= 1.0, "{confidences:?}");
    assert_eq!(confidences[0], confidences[1], "it is detected once");
    assert_eq!(
        metas.lock().unwrap().iter().map(confidence).collect::<Vec<_>>(),
        announced.iter().map(confidence).collect::<Vec<_>>()
    );
    let heard = std::iter::from_fn(|| listener.bus.pop_filtered(&[gst::MessageType::Element]));
    let heard: Vec<_> = heard.filter_map(|message| message.structure().map(ToOwned::to_owned)).collect();
    assert!(announced.iter().all(|subtitle| heard.contains(subtitle)), "{heard:?}");

    listener.element.set_property("language-code", "de");
    let given = subtitles(&hear(&mut listener, 2, &german));
    assert_eq!(given.iter().map(confidence).collect::<Vec<_>>(), [None]);
    assert_eq!(metas.lock().unwrap().last().and_then(confidence), None);
}

#[test]
fn each_stream_has_a_language_of_its_own() {
    let mut listener = told(&[("language-code", "auto")]);
    assert_eq!(words(&hear(&mut listener, 0, &window(&[0, 1], Timbre::German))), ["eins zwei"]);
    listener.segment(WINDOW_S);
    assert_eq!(words(&hear(&mut listener, 1, &window(&[0, 1], Timbre::English))), ["eins zwei"], "the same stream");
    listener.event(gst::event::StreamStart::new("another"));
    listener.segment(2.0 * WINDOW_S);
    assert_eq!(words(&hear(&mut listener, 2, &window(&[0, 1], Timbre::English))), ["do re"]);
}
