//! Bytes to text in the encodings that spreadsheets of the region are saved in.
//!
//! Not here: what the text says. Invariants: the encoding chosen is reported, and a byte that does not fit becomes
//! U+FFFD or a C1 control, which costs the cell it stands in and nothing else.

use puente_core::problem::{self, Problem};
use serde::Serialize;

/// How the text of a list was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, with or without byte-order mark.
    Utf8,
    /// UTF-16, little end first.
    Utf16le,
    /// UTF-16, big end first.
    Utf16be,
    /// Windows-1252, as older spreadsheets save in Spanish.
    Windows1252,
}

/// The text, and the encoding it was in.
///
/// # Errors
/// `sheet.unreadable` when the bytes are not text.
pub fn decode(bytes: &[u8]) -> Result<(String, Encoding), Problem> {
    let encoding = detect(bytes);
    let codec = match encoding {
        Encoding::Utf8 => encoding_rs::UTF_8,
        Encoding::Utf16le => encoding_rs::UTF_16LE,
        Encoding::Utf16be => encoding_rs::UTF_16BE,
        Encoding::Windows1252 => encoding_rs::WINDOWS_1252,
    };
    let (text, _) = codec.decode_with_bom_removal(bytes);
    if text.contains('\0') {
        return Err(Problem::new(&problem::SHEET_UNREADABLE).because("the bytes are not text"));
    }
    Ok((text.into_owned(), encoding))
}

fn detect(bytes: &[u8]) -> Encoding {
    if bytes.starts_with(&[0xFF, 0xFE]) {
        return Encoding::Utf16le;
    }
    if bytes.starts_with(&[0xFE, 0xFF]) {
        return Encoding::Utf16be;
    }
    // A header begins with letters: without a mark, the zero half of the first two tells the order.
    match bytes {
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => return Encoding::Utf16le,
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => return Encoding::Utf16be,
        _ => {}
    }
    if std::str::from_utf8(bytes).is_ok() || mostly_utf8(bytes) {
        return Encoding::Utf8;
    }
    Encoding::Windows1252
}

/// Whether broken UTF-8 is still UTF-8: its good parts hold letters that only UTF-8 writes so, and more of
/// them than bad bytes. Reading it as Windows-1252 would garble every accent in silence.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let mut good = 0_usize;
    let mut bad = 0_usize;
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good >= bad && good > 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(bytes: &[u8]) -> (String, Encoding) {
        decode(bytes).unwrap()
    }

    #[test]
    fn each_encoding_is_detected_and_reported() {
        let text = "nombres;Núñez";
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf16be: Vec<u8> =
            [0xFE, 0xFF].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
        assert_eq!(read(text.as_bytes()), (text.to_owned(), Encoding::Utf8));
        assert_eq!(read(format!("\u{FEFF}{text}").as_bytes()), (text.to_owned(), Encoding::Utf8));
        assert_eq!(read(&utf16), (text.to_owned(), Encoding::Utf16le));
        assert_eq!(read(&utf16be), (text.to_owned(), Encoding::Utf16be));
        assert_eq!(read(b"nombres;N\xFA\xF1ez"), (text.to_owned(), Encoding::Windows1252));
    }

    #[test]
    fn one_bad_byte_does_not_turn_a_utf8_list_into_another_encoding() {
        let (text, encoding) = read(b"nombres\nJos\xC3\xA9\nN\xFAnez\n");
        assert_eq!((text.as_str(), encoding), ("nombres\nJosé\nN\u{FFFD}nez\n", Encoding::Utf8));
    }

    #[test]
    fn bytes_that_are_not_text_are_refused() {
        assert_eq!(decode(b"ab\0\0\0cd").unwrap_err().kind.code, "sheet.unreadable");
    }
}
