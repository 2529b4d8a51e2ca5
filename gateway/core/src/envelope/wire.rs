//! The text form on the wire: `<issuer JWT>~<JWE>~...~`, after the combined format of RFC 9901 section 4; what an
//! agency signed ends with its gateway's key-binding JWT.
//!
//! INVARIANT: splitting and joining are inverse, and every part is base64url with dots, so that a
//! message is one line and a batch is lines.

/// Largest wire form of one message; larger content travels as attachment chunks.
pub const MAX_WIRE_BYTES: usize = 1024 * 1024;

/// Most sealed parts in one message: one for each recipient role and key holder.
const MAX_SEALED: usize = 8;

/// The parts of a message on the wire; none of them is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The issuer JWT.
    pub issuer_jwt: &'a str,
    /// The sealed parts.
    pub sealed: Vec<&'a str>,
    /// The release by the gateway, where an agency is the issuer.
    pub binding: Option<&'a str>,
}

/// Joins the parts.
#[must_use]
pub fn join(issuer_jwt: &str, sealed: &[String], binding: Option<&str>) -> Vec<u8> {
    let binding = binding.unwrap_or_default();
    let length = sealed.iter().map(|part| part.len() + 1).sum::<usize>();
    let mut wire = String::with_capacity(issuer_jwt.len() + 1 + length + binding.len());
    wire.push_str(issuer_jwt);
    wire.push('~');
    for part in sealed {
        wire.push_str(part);
        wire.push('~');
    }
    wire.push_str(binding);
    wire.into_bytes()
}

/// The parts; `None` when the text is not of that form.
#[must_use]
pub fn split(wire: &[u8]) -> Option<Parts<'_>> {
    if wire.len() > MAX_WIRE_BYTES {
        return None;
    }
    let text = std::str::from_utf8(wire).ok()?;
    // Without an early exit the compiler looks at many bytes at once; nearly every message is in order.
    let allowed = |b: u8| b.is_ascii_alphanumeric() | matches!(b, b'-' | b'_' | b'.' | b'~');
    if !text.bytes().fold(true, |all, byte| all & allowed(byte)) {
        return None;
    }
    let (parts, binding) = text.rsplit_once('~')?;
    let binding = (!binding.is_empty()).then_some(binding);
    let mut parts = parts.split('~');
    let issuer_jwt = parts.next()?;
    let sealed: Vec<&str> = parts.collect();
    let form = |part: &str, dots: usize| part.bytes().filter(|b| *b == b'.').count() == dots;
    let well_formed = form(issuer_jwt, 2)
        && (1..=MAX_SEALED).contains(&sealed.len())
        && sealed.iter().all(|part| form(part, 4))
        && binding.is_none_or(|binding| form(binding, 2));
    well_formed.then_some(Parts { issuer_jwt, sealed, binding })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_is_the_inverse_of_join() {
        for binding in [None, Some("i.j.k")] {
            let wire = join("a.b.c", &["d.e.f.g.h".to_owned()], binding);
            assert_eq!(split(&wire), Some(Parts { issuer_jwt: "a.b.c", sealed: vec!["d.e.f.g.h"], binding }));
        }
    }

    #[test]
    fn another_form_is_refused() {
        for text in [
            "",
            "~",
            "a.b.c",
            "a.b.c~",
            "a.b.c~d.e.f.g.h",
            "a.b~d.e.f.g.h~",
            "a.b.c~d.e~",
            "a.b.c~d.e.f.g.h~\n",
            "a.b.c~~",
            "a.b.c~i.j.k",
            "a.b.c~d.e.f.g.h~i.j",
        ] {
            assert_eq!(split(text.as_bytes()), None, "{text:?}");
        }
    }
}
