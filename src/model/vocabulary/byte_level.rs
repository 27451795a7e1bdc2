//! GPT-2's printable alphabet for bytes (`bytes_to_unicode` in openai/gpt-2 `encoder.py`).

/// The bytes that a token's name spells; a name with other characters in it stands for itself, as added tokens do.
pub(super) fn bytes(name: &str) -> Vec<u8> {
    name.chars().map(byte).collect::<Option<_>>().unwrap_or_else(|| name.as_bytes().to_vec())
}

/// Printable Latin-1 characters stand for themselves, the other bytes for the characters from U+0100 on, in order.
fn byte(character: char) -> Option<u8> {
    let code = u32::from(character);
    match code {
        0..256 => Some(code as u8).filter(|byte| is_printable(*byte)),
        _ => (0..=255).filter(|byte| !is_printable(*byte)).nth(code as usize - 256),
    }
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF)
}

/// The name of a token with these bytes.
#[cfg(test)]
pub(super) fn spell(bytes: &[u8]) -> String {
    let spell = |byte: &u8| match is_printable(*byte) {
        true => char::from(*byte),
        false => char::from_u32(256 + (0..*byte).filter(|before| !is_printable(*before)).count() as u32).unwrap(),
    };
    bytes.iter().map(spell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_name() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&spell(&all)), all);
        assert_eq!(bytes("Ġgazed"), b" gazed");
        assert_eq!(bytes("Ċ"), b"\n");
        assert_eq!(bytes("æĹ¥"), "日".as_bytes());
    }

    #[test]
    fn other_characters_stand_for_themselves() {
        assert_eq!(bytes("日本 "), "日本 ".as_bytes());
    }
}
