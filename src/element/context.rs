//! What a stream's windows are decoded with: what the user asks for, and what the windows before have taught.

use crate::{
    Error,
    decoder::{Language, Options},
    transcript::WindowTranscript,
};

/// Lives as long as a stream.
#[derive(Debug, Default)]
pub(super) struct Context {
    options: Option<Kept>,
    /// Probability of the language that was detected and is kept.
    language_probability: Option<f32>,
}

#[derive(Debug)]
struct Kept {
    asked: Options,
    /// The same with the language that was heard and the text that was written.
    learnt: Options,
}

impl Context {
    /// Whether the next window has to wait for what the last one teaches. A language once heard is settled.
    pub fn is_sequential(&self, asked: &Options) -> bool {
        let is_heard = |kept: &Kept| kept.asked.language == asked.language && kept.learnt.language != Language::Auto;
        asked.conditions_on_previous || asked.language == Language::Auto && !self.options.as_ref().is_some_and(is_heard)
    }

    /// Options of the next window and, if its language was detected before, the probability of that. What is asked for anew is
    /// checked; the language that was heard is kept for as long as the same one is asked for, and the text that was written as long as
    /// it is in the same language.
    pub fn next(
        &mut self,
        asked: Options,
        check: impl FnOnce(&Options) -> Result<(), Error>,
    ) -> Result<(Options, Option<f32>), Error> {
        let learnt = match self.options.take() {
            Some(kept) if kept.asked == asked => kept.learnt,
            before => {
                check(&asked)?;
                self.adopt(before, &asked)
            }
        };
        let kept = self.options.insert(Kept { asked, learnt });
        Ok((kept.learnt.clone(), self.language_probability))
    }

    /// What is asked for anew, with what stays true of what was learnt.
    fn adopt(&mut self, before: Option<Kept>, asked: &Options) -> Options {
        let Some(before) = before.filter(|before| before.asked.language == asked.language) else {
            self.language_probability = None;
            return asked.clone();
        };
        let is_same_text = asked.conditions_on_previous && before.asked.task == asked.task;
        Options {
            language: before.learnt.language,
            previous: if is_same_text { before.learnt.previous } else { Vec::new() },
            ..asked.clone()
        }
    }

    /// Learns from a window.
    pub fn learn(&mut self, transcript: &WindowTranscript) {
        let Some(Kept { learnt, .. }) = &mut self.options else { return };
        let is_open = learnt.language == Language::Auto;
        transcript.settle(learnt);
        if is_open && learnt.language != Language::Auto {
            self.language_probability = transcript.language_probability;
        }
    }

    /// Forgets the text that was written.
    pub fn forget_text(&mut self) {
        if let Some(Kept { learnt, .. }) = &mut self.options {
            learnt.previous.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{decoder::Task, transcript::Segment};

    fn asked() -> Options {
        Options { language: Language::Auto, conditions_on_previous: true, ..Options::default() }
    }

    fn german() -> WindowTranscript {
        let segment =
            Segment { start_samples: 0, end_samples: 1, text: "eins".into(), tokens: vec![7], ..Segment::default() };
        WindowTranscript {
            segments: vec![segment],
            tokens: vec![7],
            language: "de".into(),
            language_probability: Some(0.75),
            ..WindowTranscript::default()
        }
    }

    /// What the next window gets of what was learnt.
    fn learnt(context: &mut Context, asked: Options) -> (Language, Vec<u32>, Option<f32>) {
        let (options, probability) = context.next(asked, |_| Ok(())).unwrap();
        (options.language, options.previous, probability)
    }

    fn taught() -> Context {
        let mut context = Context::default();
        assert_eq!(learnt(&mut context, asked()), (Language::Auto, vec![], None));
        context.learn(&german());
        context
    }

    #[test]
    fn what_was_learnt_outlives_another_search() {
        let de = Language::Code("de".into());
        let mut context = taught();
        assert_eq!(learnt(&mut context, asked()), (de.clone(), vec![7], Some(0.75)));
        let beams = Options { beam_size: 5, ..asked() };
        assert_eq!(learnt(&mut context, beams.clone()), (de.clone(), vec![7], Some(0.75)));
        assert_eq!(context.next(beams, |_| Ok(())).unwrap().0.beam_size, 5);
        context.forget_text();
        assert_eq!(learnt(&mut context, asked()), (de, vec![], Some(0.75)));
    }

    #[test]
    fn text_in_another_language_is_no_text_before() {
        let translated = Options { task: Task::Translate, ..asked() };
        assert_eq!(learnt(&mut taught(), translated), (Language::Code("de".into()), vec![], Some(0.75)));
        let english = Options { language: Language::Code("en".into()), ..asked() };
        assert_eq!(learnt(&mut taught(), english), (Language::Code("en".into()), vec![], None));
    }

    #[test]
    fn windows_wait_for_a_language_and_for_text() {
        let unconditioned = Options { conditions_on_previous: false, ..asked() };
        assert!(Context::default().is_sequential(&unconditioned));
        assert!(!taught().is_sequential(&unconditioned) && taught().is_sequential(&asked()));
        assert!(!Context::default().is_sequential(&Options::default()));
    }

    #[test]
    fn what_is_asked_for_is_checked_once() {
        let mut context = taught();
        assert!(context.next(asked(), |_| panic!("checked again")).is_ok());
        let mut is_checked = false;
        let german = Options { language: Language::Code("de".into()), ..asked() };
        context
            .next(german, |_| {
                is_checked = true;
                Ok(())
            })
            .unwrap();
        assert!(is_checked);
    }
}
