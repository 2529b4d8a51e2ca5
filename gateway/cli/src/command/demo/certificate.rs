//! The birth certificate of the demonstration: the paper itself, sealed into chunks and opened again.
//!
//! The paper is an invented one: a valid PDF of one page with a scan of noise, a little over one chunk long, so that
//! what is exchanged has more than one. INVARIANT: the bytes are the same wherever they are made, so that whoever
//! receives them can compare.

use anyhow::Context as _;
use http::Method;
use serde_json::{Value, json};

use puente_core::envelope::{base64url, from_base64url};
use puente_node::attachment::{CHUNK_BYTES, media_type, open, seal};
use puente_node::keys::SystemRandom;

use super::desk::Desk;

/// Width and height of the scan in grey pixels: 1.2 MB, more than one chunk.
const SCAN: (usize, usize) = (1000, 1200);

/// The paper.
pub fn paper() -> Vec<u8> {
    let (width, height) = SCAN;
    let text = "BT /F1 18 Tf 72 780 Td (RENAP - Certificado de nacimiento) Tj 0 -24 Td (ENSAYO / TRAINING) Tj ET\n\
                q 400 0 0 480 72 200 cm /Scan Do Q\n";
    let font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec();
    let page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
                 /Resources << /Font << /F1 5 0 R >> /XObject << /Scan 6 0 R >> >> >>";
    let objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        page.to_vec(),
        stream("", text.as_bytes()),
        font,
        stream(
            &format!(
                "/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceGray /BitsPerComponent 8"
            ),
            &scan(width * height),
        ),
    ];
    let mut pdf = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        places.push(pdf.len());
        pdf.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
        pdf.extend_from_slice(object);
        pdf.extend_from_slice(b"\nendobj\n");
    }
    let table = pdf.len();
    let entries: String = places.iter().map(|place| format!("{place:010} 00000 n \n")).collect();
    let size = objects.len() + 1;
    pdf.extend_from_slice(
        format!(
            "xref\n0 {size}\n0000000000 65535 f \n{entries}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n"
        )
        .as_bytes(),
    );
    pdf
}

fn stream(entries: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!("<< {entries} /Length {} >>\nstream\n", bytes.len());
    [head.as_bytes(), bytes, b"\nendstream"].concat()
}

/// Grey noise from a fixed seed (xorshift).
fn scan(pixels: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    (0..pixels)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0] | 0x80
        })
        .collect()
}

/// Seals the paper, puts its chunks at the gateway, and answers what the section says of it.
pub async fn attach(desk: &Desk) -> anyhow::Result<Value> {
    let paper = paper();
    let sealed = seal(&paper, &SystemRandom)?;
    for (index, chunk) in sealed.chunks.iter().enumerate() {
        let path = format!("/v1/attachments/{}/{index}", sealed.root);
        desk.send(Method::PUT, &path, "application/octet-stream", None, chunk.clone()).await?.success()?;
    }
    Ok(json!({
        "name": "acta-nacimiento.pdf", "media_type": media_type(&paper)?, "size": sealed.size, "root": sealed.root,
        "chunk_size": CHUNK_BYTES, "key": base64url(&sealed.key),
    }))
}

/// Fetches the chunks that a section names and opens them.
pub async fn fetch(desk: &Desk, section: &Value) -> anyhow::Result<Vec<u8>> {
    let named = section.get("attachment").context("the section names no attachment")?;
    let text = |name: &str| {
        named.get(name).and_then(Value::as_str).with_context(|| format!("attachment without `{name}`"))
    };
    let number = |name: &str| {
        named.get(name).and_then(Value::as_u64).with_context(|| format!("attachment without `{name}`"))
    };
    let (root, size, chunk_size) = (text("root")?, number("size")?, number("chunk_size")?.max(1));
    let key = from_base64url(text("key")?).context("attachment key")?;
    let mut chunks = Vec::new();
    for index in 0..size.div_ceil(chunk_size) {
        chunks.push(desk.bytes(&format!("/v1/attachments/{root}/{index}")).await?);
    }
    Ok(open(&root.parse()?, &key, size, &chunks)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_paper_is_a_pdf_of_more_than_one_chunk_and_always_the_same() {
        let paper = paper();
        assert_eq!(media_type(&paper).unwrap(), "application/pdf");
        assert!(paper.len() > CHUNK_BYTES);
        assert_eq!(paper, super::paper());
        let table = String::from_utf8_lossy(&paper[paper.len() - 40..]).into_owned();
        let place: usize = table.split_whitespace().rev().nth(1).unwrap().parse().unwrap();
        assert!(paper[place..].starts_with(b"xref\n0 7\n"));
    }
}
