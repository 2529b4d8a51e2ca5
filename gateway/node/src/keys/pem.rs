//! DER as PEM text (RFC 7468): one label, lines of 64 characters, no headers.
//!
//! Not here: reading PEM, which `rustls_pki_types` does. Invariant: the text is wiped when dropped,
//! whatever it held.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Characters of a line (RFC 7468 section 2).
const LINE_CHARS: usize = 64;

/// Frames `der` under `label`.
pub(super) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    // The final length, so that no earlier copy of a private key stays behind in a grown buffer.
    let capacity = body.len() + body.len() / LINE_CHARS + 2 * (label.len() + "-----BEGIN -----\n\n".len());
    let mut pem = Zeroizing::new(String::with_capacity(capacity));
    for piece in ["-----BEGIN ", label, "-----"] {
        pem.push_str(piece);
    }
    for (position, character) in body.chars().enumerate() {
        if position % LINE_CHARS == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    for piece in ["\n-----END ", label, "-----\n"] {
        pem.push_str(piece);
    }
    pem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_of_64_characters() {
        let pem = encode("X", &[0; 49]);
        assert_eq!(*pem, format!("-----BEGIN X-----\n{}\nAA==\n-----END X-----\n", "A".repeat(64)));
    }
}
