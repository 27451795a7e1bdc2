//! What real operations send.

use super::super::instructions::{decode, encode};
use super::super::overlay::overlay;
use super::super::rules::check_sequence;
use super::super::target::Target;
use super::operation::Operation;

#[test]
fn what_operations_send_has_words_that_say_the_same() {
    for operation in Operation::ALL {
        let sequence = operation.sequence();
        assert!(sequence.commands.len() > 20, "{operation:?}");
        let words = encode(&sequence, Target::NPU1).unwrap();
        let read = decode(&words, Target::NPU1).unwrap();
        // Patterns come back in their shortest form, which has the same words.
        assert_eq!(read.commands.len(), sequence.commands.len(), "{operation:?}");
        assert_eq!(encode(&read, Target::NPU1).unwrap(), words, "{operation:?}");
    }
}

#[test]
fn what_operations_send_keeps_every_rule_only_inside_its_memory() {
    let design = overlay(Target::NPU1);
    for operation in Operation::ALL {
        let sequence = operation.sequence();
        check_sequence(&design, &sequence, &[1 << 30; 3]).unwrap();
        let violations = check_sequence(&design, &sequence, &[1 << 30, 1 << 30, 4096]).unwrap_err();
        assert!(
            violations.iter().all(|one| one.to_string().contains("a pattern stays in its buffer")),
            "{operation:?}"
        );
    }
}
