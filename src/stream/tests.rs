use super::*;
use crate::mel::spectrogram_on_cpu;
use crate::segment::voice::Thresholds;
use crate::transcript::{Segment, Word};

const LIMITS: Limits = Limits {
    window_samples: 100_000,
    cut_search_samples: 0,
    kept_samples: 0,
    pause_samples: 1000,
    windows_at_a_time: 2,
    is_growing: false,
    update_samples: 0,
    is_told: false,
    flush_samples: 0,
    voice: Thresholds { speech: 0.5, silence: 0.35, min_speech_samples: 0, min_silence_samples: 0, padding_samples: 0 },
};

fn stream() -> Stream {
    Stream::new(LIMITS, Policy::Segment, None, spectrogram_on_cpu())
}

/// A stream of which two windows are being transcribed.
fn with_two_windows() -> Stream {
    let mut stream = stream();
    stream.push(&[0.0; 200_040]).unwrap();
    stream.window();
    stream.window();
    stream
}

fn transcript(segments: &[(usize, usize)], consumed_samples: usize) -> WindowTranscript {
    let segments = segments.iter().map(|&(start_samples, end_samples)| Segment {
        start_samples,
        end_samples,
        text: "word".into(),
        tokens: Vec::new(),
        ..Segment::default()
    });
    WindowTranscript { segments: segments.collect(), consumed_samples, ..WindowTranscript::default() }
}

fn place(window: Option<Window>) -> Option<(u64, usize, bool)> {
    window.map(|window| (window.start_samples, window.length_samples, window.is_last))
}

fn times(cues: &[Cue]) -> Vec<(u64, u64)> {
    cues.iter().map(|cue| (cue.start_samples, cue.end_samples)).collect()
}

#[test]
fn windows_follow_one_another_and_wait_for_room() {
    let mut stream = stream();
    stream.push(&[0.0; 99_999]).unwrap();
    assert_eq!(stream.window(), None);
    stream.push(&[0.0; 250_001]).unwrap();
    assert_eq!(place(stream.window()), Some((0, 100_000, false)));
    assert_eq!(place(stream.window()), Some((100_000, 100_000, false)));
    assert_eq!(stream.window(), None, "two at a time");
    let cues = stream.accept(transcript(&[(0, 3_000), (3_000, 99_000)], 99_000)).finals;
    assert_eq!(times(&cues), [(0, 3_000), (3_000, 99_000)]);
    assert_eq!((stream.position_samples(), stream.pending_samples()), (100_000, 250_000));
    stream.end().unwrap();
    assert_eq!(place(stream.window()), Some((200_000, 100_000, false)));
    stream.accept(transcript(&[], 100_000));
    assert_eq!(place(stream.window()), Some((300_000, 50_000, true)));
    stream.accept(transcript(&[], 100_000));
    assert!(!stream.is_done());
    assert_eq!(times(&stream.accept(transcript(&[(0, 50_000)], 50_000)).finals), [(300_000, 350_000)]);
    assert!(stream.is_done());
}

#[test]
fn a_window_waits_for_the_samples_that_its_last_frame_sees() {
    let mut stream = stream();
    stream.push(&[0.1; 100_039]).unwrap();
    assert_eq!(stream.window(), None);
    stream.push(&[0.1]).unwrap();
    assert_eq!(place(stream.window()), Some((0, 100_000, false)));
    stream.push(&[0.1; 100_000]).unwrap();
    stream.end().unwrap();
    assert_eq!(place(stream.window()), Some((100_000, 100_000, false)));
    stream.accept(transcript(&[], 100_000));
    assert_eq!(place(stream.window()), Some((200_000, 40, true)));
}

#[test]
fn what_a_text_leaves_of_its_window_is_heard_again_before_all_else() {
    let mut stream = with_two_windows();
    stream.accept(transcript(&[(0, 20_000)], 20_000));
    assert_eq!(stream.position_samples(), 20_000);
    assert_eq!(place(stream.window()), Some((20_000, 80_000, false)));
    assert_eq!(stream.awaited(), Some(20_000));
    assert_eq!(times(&stream.accept(transcript(&[(0, 5_000)], 5_000)).finals), [(20_000, 25_000)]);
    assert_eq!(stream.awaited(), Some(100_000), "less than a second is no reason to try again");
    stream.accept(transcript(&[(0, 70_000)], 70_000));
    assert_eq!(stream.position_samples(), 200_000, "nor is a rest of less than 2.5 seconds");
}

#[test]
fn cues_do_not_overlap_and_none_is_lost() {
    let mut stream = with_two_windows();
    stream.accept(transcript(&[(0, 100_000)], 100_000));
    stream.said_samples = 100_500;
    let cues = stream.accept(transcript(&[(0, 400), (200, 8_000)], 100_000)).finals;
    assert_eq!(times(&cues), [(100_500, 102_100), (102_100, 108_000)]);
}

#[test]
fn a_cue_is_seen_but_does_not_last_longer_than_its_window() {
    let mut stream = stream();
    stream.push(&[0.0; 200_040]).unwrap();
    stream.window();
    let cues = stream.accept(transcript(&[(0, 16), (99_000, 99_001), (99_999, 100_000)], 100_000)).finals;
    assert_eq!(times(&cues), [(0, 1_600), (99_000, 100_000), (100_000, 100_001)]);
}

#[test]
fn words_stand_at_their_place_in_the_stream() {
    let mut stream = with_two_windows();
    stream.accept(transcript(&[(0, 100_000)], 100_000));
    let mut transcript = transcript(&[(0, 800)], 100_000);
    let word = |text: &str, start_samples, end_samples| Word {
        text: text.into(),
        start_samples,
        end_samples,
        probability: 0.5,
        ..Word::default()
    };
    transcript.segments[0].words = vec![word(" a", 0, 300), word(" b", 300, 900)];
    stream.word_samples = 100_100;
    let cues = stream.accept(transcript).finals;
    let words = cues[0].words.iter().map(|word| (word.text.as_str(), word.start_samples, word.end_samples));
    assert_eq!(words.collect::<Vec<_>>(), [(" a", 100_100, 100_300), (" b", 100_300, 100_900)]);
}

#[test]
fn an_empty_stream_is_done_at_its_end() {
    let mut stream = stream();
    stream.end().unwrap();
    assert_eq!(stream.window(), None);
    assert!(stream.is_done());
}

/// Limits of windows that grow, which nobody but a flush after `flush_samples` of speech has transcribed before they end.
fn growing(flush_samples: u64) -> Limits {
    Limits { window_samples: 160_000, is_growing: true, flush_samples, ..LIMITS }
}

fn with_words(words: &[(&str, usize, usize)], consumed_samples: usize) -> WindowTranscript {
    let word = |(index, &(text, start_samples, end_samples)): (usize, &(&str, usize, usize))| Word {
        text: text.into(),
        start_samples,
        end_samples,
        probability: 1.0,
        tokens: index + 1..index + 2,
        looked_samples: end_samples,
    };
    let words: Vec<Word> = words.iter().enumerate().map(word).collect();
    let mut transcript = transcript(&[(0, consumed_samples)], consumed_samples);
    transcript.tokens = (0..=words.len() as u32).collect();
    transcript.written = "en".into();
    transcript.segments[0].words = words;
    transcript
}

#[test]
fn what_a_full_window_has_left_is_heard_again_when_it_ends() {
    let mut stream = Stream::new(growing(1_000_000), Policy::Segment, None, spectrogram_on_cpu());
    stream.push(&[0.0; 200_040]).unwrap();
    let (start, length, _) = place(stream.window()).unwrap();
    assert_eq!((start, length >= 160_000), (0, true));
    let said = [(" So", 0, 8_000), (" it", 8_000, 20_000)];
    let text = stream.accept(with_words(&said, 20_000));
    assert_eq!((text.finals.len(), text.is_whole), (1, false));
    assert!(stream.position_samples() <= 20_000, "the rest is yet to be heard");
    assert_eq!(place(stream.window()), Some((0, 160_000, false)), "by the window that ends it");
    stream.accept(with_words(&said, 20_000));
    assert_eq!(place(stream.window()), Some((20_000 / HOP_SAMPLES as u64 * HOP_SAMPLES as u64, 140_000, false)));
}

#[test]
fn what_was_given_no_beginning_is_not_heard_again_as_it_was() {
    let mut stream = Stream::new(growing(100_000), Policy::Segment, None, spectrogram_on_cpu());
    stream.push(&[0.0; 110_000]).unwrap();
    let (start, length, _) = place(stream.window()).unwrap();
    assert_eq!(start, 0);
    stream.accept(with_words(&[(" So", 0, 8_000), (" it", 8_000, 20_000)], 20_000));
    assert_eq!(place(stream.window()), Some((20_000, length - 20_000, false)));
}

#[test]
fn text_in_another_language_begins_anew() {
    let mut stream = Stream::new(growing(64_000), Policy::Segment, None, spectrogram_on_cpu());
    stream.push(&[0.0; 70_000]).unwrap();
    let length = stream.window().unwrap().length_samples;
    stream.accept(with_words(&[(" So", 0, 8_000), (" it", 8_000, length)], length));
    stream.push(&[0.0; 64_000]).unwrap();
    stream.forget_prefix();
    assert!(stream.window().unwrap().prefix.is_empty());
}

#[test]
fn what_is_final_is_not_transcribed_for_that_again() {
    let limits = Limits { update_samples: 5_600, ..growing(96_000) };
    let mut stream = Stream::new(limits, Policy::AlignAtt, None, spectrogram_on_cpu());
    let (mut ends, mut heard) = (vec![0], 0);
    for _ in 0..90 {
        stream.push(&[0.0; 1_600]).unwrap();
        heard += 1_600;
        assert!(stream.position_samples() + 96_000 > heard, "the time line goes on");
        while let Some(window) = stream.window() {
            assert_eq!(window.purpose, Purpose::Draft, "{ends:?}");
            let length = window.length_samples;
            ends.push(length);
            let said: Vec<_> = (1..length / 3_200).map(|word| (" so", (word - 1) * 3_200, word * 3_200)).collect();
            stream.accept(with_words(&said, length));
        }
    }
    let grown: Vec<usize> = ends.windows(2).map(|ends| ends[1] - ends[0]).collect();
    assert!(grown.len() > 20 && grown.iter().all(|&grown| grown >= 4_000), "{grown:?}");
}

#[test]
fn what_is_final_at_pauses_does_not_depend_on_who_waits() {
    let places = |policy| {
        let mut stream =
            Stream::new(Limits { update_samples: 8_000, ..growing(64_000) }, policy, None, spectrogram_on_cpu());
        (0..5).for_each(|_| stream.push(&[0.0; 16_000]).unwrap());
        stream.hurry(false);
        std::iter::from_fn(|| {
            let window = stream.window()?;
            stream.accept(WindowTranscript::default());
            Some((window.purpose, window.length_samples))
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(places(Policy::Segment)[0], (Purpose::Part, 63_840));
    assert_eq!(places(Policy::LocalAgreement), [(Purpose::Close, 79_840)]);
}

#[test]
fn what_is_final_is_not_said_again_where_a_text_without_its_beginning_ends_sooner() {
    let mut stream =
        Stream::new(Limits { window_samples: 480_000, ..growing(96_000) }, Policy::Segment, None, spectrogram_on_cpu());
    let said = [(" So", 0, 8_000), (" it", 8_000, 20_000), (" goes", 20_000, 40_000), (" on", 40_000, 60_000)];
    let texts = |text: Text| text.finals.into_iter().map(|cue| cue.text).collect::<Vec<_>>();
    let mut all = Vec::new();
    // Whole; given its beginning, it stops there; without, at a pause within it; and what is left is heard from where that begins.
    for (fresh, written) in [(100_000, Some(4)), (100_000, Some(4)), (0, Some(2)), (0, None)] {
        stream.push(&vec![0.0; fresh]).unwrap();
        let window = stream.window().unwrap();
        let (from, length) = (window.start_samples as usize, window.length_samples);
        let heard = said.iter().filter(|word| word.1 >= from).map(|word| (word.0, word.1 - from, word.2 - from));
        let heard: Vec<_> = heard.take(written.unwrap_or(usize::MAX)).collect();
        let consumed = written.filter(|_| !all.is_empty()).map_or(length, |count| said[count - 1].2 - from);
        all.extend(texts(stream.accept(with_words(&heard, consumed))));
    }
    assert_eq!(all, ["So it goes on"]);
}

#[test]
fn nothing_is_left_of_an_end_that_is_skipped() {
    let mut stream =
        Stream::new(limits(Policy::Segment, Duration::from_secs(4)), Policy::Segment, None, spectrogram_on_cpu());
    stream.push(&[0.1; 40_090]).unwrap();
    stream.end().unwrap();
    assert_eq!(place(stream.window()), Some((0, 40_090, true)));
    stream.skip(40_090);
    assert_eq!((stream.window(), stream.is_done(), stream.position_samples()), (None, true, 40_090));
}
